"""Manage: install, look at and remove the service of this user; what stands in its file is decided in `files.py`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ..errors import SupervisorError
from .files import LABEL, MARK, UNIT, plist, unit

Say = Callable[[str], object]
SECONDS = 30.0

EXIT_OK = 0
EXIT_NOT_RUNNING = 3


class ServiceError(SupervisorError):
    """Raised when there is no service manager, or it refuses."""


class Manager(Protocol):
    """A service manager: where its file of ours is, what stands in it, and its commands."""

    path: str
    text: str

    def start(self) -> None:
        """Take the file up, and start the service now and at each login."""
        ...

    def stop(self) -> None:
        """End the service, and do not start it again."""
        ...

    def running(self) -> tuple[bool, str]:
        """Whether it runs, and what the manager says."""
        ...


class Systemd:
    """The systemd of this user."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        base = environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        self.path = os.path.join(base, "systemd", "user", UNIT)
        self.text = unit(command, environ)

    def start(self) -> None:
        """See `Manager.start`."""
        _run("systemctl", "--user", "daemon-reload")
        _run("systemctl", "--user", "enable", "--now", UNIT)

    def stop(self) -> None:
        """See `Manager.stop`."""
        _run("systemctl", "--user", "disable", "--now", UNIT)

    def running(self) -> tuple[bool, str]:
        """See `Manager.running`."""
        code, said = _call("systemctl", "--user", "is-active", UNIT)
        return code == 0, said


class Launchd:
    """The launchd of this user."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        home = os.path.expanduser("~/Library")
        self.path = os.path.join(home, "LaunchAgents", f"{LABEL}.plist")
        self.text = plist(command, environ, os.path.join(home, "Logs", "bellboard.log"))
        self._domain = f"gui/{os.getuid()}"

    def start(self) -> None:
        """See `Manager.start`."""
        _call("launchctl", "bootout", f"{self._domain}/{LABEL}")  # an older one; usually there is none
        _run("launchctl", "bootstrap", self._domain, self.path)

    def stop(self) -> None:
        """See `Manager.stop`."""
        _run("launchctl", "bootout", f"{self._domain}/{LABEL}")

    def running(self) -> tuple[bool, str]:
        """See `Manager.running`."""
        code, said = _call("launchctl", "print", f"{self._domain}/{LABEL}")
        return code == 0 and "state = running" in said, "running" if code == 0 else "not loaded"


def manager(platform: str, command: Sequence[str], environ: Mapping[str, str]) -> Manager:
    """Return the service manager of this system. Raises ServiceError where none is known."""
    if platform == "darwin":
        return Launchd(command, environ)
    if platform.startswith("linux"):
        return Systemd(command, environ)
    raise ServiceError(f"no service manager is known for {platform}: start `bellboard run` by other means")


def run(verb: str, options: Sequence[str], say: Say, *, only_print: bool) -> int:
    """Do what the command line asks; `options` are passed on to `bellboard run`. Raises ServiceError."""
    command = [sys.executable, "-m", "bellboard.supervisor", "run", *options]
    service = manager(sys.platform, command, os.environ)
    if verb == "status":
        return _status(service, say)
    if verb == "remove":
        return _remove(service, say)
    if only_print:
        say(service.text.rstrip("\n"))
        return EXIT_OK
    return _install(service, say)


def _install(service: Manager, say: Say) -> int:
    _need_ours(service)
    _need_manager(service)
    os.makedirs(os.path.dirname(service.path), exist_ok=True)
    fresh = f"{service.path}.new"
    with open(fresh, "w", encoding="utf-8") as file:
        file.write(service.text)
    os.replace(fresh, service.path)
    service.start()
    say(f"installed {service.path}; it runs now and at each login (`bellboard service status`)")
    return EXIT_OK


def _status(service: Manager, say: Say) -> int:
    if not os.path.exists(service.path):
        say("not installed (`bellboard service install`)")
        return EXIT_NOT_RUNNING
    runs, said = service.running()
    say(f"{service.path}: {said or 'unknown'}")
    return EXIT_OK if runs else EXIT_NOT_RUNNING


def _remove(service: Manager, say: Say) -> int:
    if not os.path.exists(service.path):
        say("not installed: nothing to remove")
        return EXIT_OK
    _need_ours(service)
    try:
        service.stop()
    except ServiceError as error:
        say(f"it could not be stopped ({error}); its file is removed all the same")
    os.unlink(service.path)
    say(f"removed {service.path}")
    return EXIT_OK


def _need_ours(service: Manager) -> None:
    try:
        with open(service.path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceError(f"{service.path} cannot be read: {error}") from error
    if MARK not in text:
        raise ServiceError(f"{service.path} was not written by bellboard: move it away first")


def _need_manager(service: Manager) -> None:
    program = "launchctl" if isinstance(service, Launchd) else "systemctl"
    hint = "`bellboard service install --print` shows the file for other uses"
    if shutil.which(program) is None:
        raise ServiceError(f"there is no {program} here; {hint}")
    if program == "systemctl":
        code, said = _call("systemctl", "--user", "show-environment")
        if code != 0:
            raise ServiceError(f"no systemd runs for this user ({said or 'no answer'}); {hint}")


def _run(*words: str) -> None:
    code, said = _call(*words)
    if code != 0:
        raise ServiceError(f"`{' '.join(words)}` failed: {said or f'exit code {code}'}")


def _call(*words: str) -> tuple[int, str]:
    """Run a command of the service manager; returns its exit code and what it said, in a line."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, " ".join((done.stdout + done.stderr).split())[:500]
