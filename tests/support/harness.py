"""What process-level tests share: a real `bellboard run` in folders of its own, and waiting with a bound."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import psutil

T = TypeVar("T")

COMMAND = [sys.executable, "-m", "bellboard.supervisor"]


def wait_for(condition: Callable[[], T | None], seconds: float = 10.0, what: str = "the condition") -> T:
    """Return the first true value of `condition`; fail the test if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true in {seconds} s")
        time.sleep(0.02)


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs: one that has ended and that nobody has asked for yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command(*words: str, env: dict[str, str] | None = None, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(env or {})},
        check=False,
    )


class House:
    """Folders for one board and its agents, and the supervisors started in them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runtime, self.state, self.homes = root / "run", root / "state", root / "homes"
        self.homes.mkdir()
        self.config = root / "config.toml"
        self.config.write_text("")
        self.env = {
            "BELLBOARD_RUNTIME_DIR": str(self.runtime),
            "BELLBOARD_STATE_DIR": str(self.state),
            "BELLBOARD_CONFIG": str(self.config),
            "HOME": str(self.homes),
            "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
        }
        self._running: list[subprocess.Popen[str]] = []

    def start(self, *words: str, env: dict[str, str] | None = None, seconds: float = 15) -> subprocess.Popen[str]:
        """Start `bellboard run` and wait until it is ready."""
        log = (self.root / "supervisor.log").open("a+")
        before = log.tell()
        process = subprocess.Popen(
            [*COMMAND, "run", *words], stdout=log, stderr=log, text=True, env={**os.environ, **self.env, **(env or {})}
        )
        log.close()
        self._running.append(process)

        def ready() -> bool:
            if process.poll() is not None:
                raise AssertionError(f"the supervisor ended with {process.returncode}: {self.log()[before:]}")
            return "ready" in self.log()[before:]

        wait_for(ready, seconds, "the supervisor's READY")
        return process

    def log(self) -> str:
        """Return what all supervisors of this house wrote."""
        return (self.root / "supervisor.log").read_text()

    def command(self, *words: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run one command against this house's supervisor."""
        return command(*words, env=self.env, timeout=timeout)

    def sessions(self) -> dict[str, dict[str, Any]]:
        """Return the board's sessions by id."""
        done = self.command("sessions", "--json")
        assert done.returncode == 0, done.stderr
        return {session["id"]: session for session in json.loads(done.stdout)["sessions"]}

    def health(self) -> dict[str, dict[str, Any]]:
        """Return the health of all sources, by name."""
        return {state["source"]: state for state in json.loads(self.command("health", "--json").stdout)["health"]}

    def workers(self) -> list[psutil.Process]:
        """Return the living worker processes of this house."""
        return workers_of(*(process.pid for process in self._running))

    def close(self) -> None:
        """End what is still running, by its process id."""
        for process in self._running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
            process.wait()


def workers_of(*parents: int) -> list[psutil.Process]:
    """Return the living worker processes that were started by these supervisors."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.ppid() in parents and "bellboard.workers" in process.cmdline():
                found.append(process)
    return found


@contextlib.contextmanager
def short_folder() -> Generator[Path]:
    """A temporary folder whose name is short enough for sockets."""
    folder = tempfile.mkdtemp(prefix="bb-", dir="/tmp")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
