"""Choose: which backend tells a person here, from the settings and what this machine has."""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import IO

from ..errors import UsageError
from .backends import CLOSERS, Backend, NotifySend, OsaScript, Program, Terminal
from .escape import dialect
from .settings import Notify, Way


def way(settings: Notify, environ: Mapping[str, str], *, terminal: bool) -> Way:
    """Return the way that is meant by `auto`: your command, else the desktop's, else the terminal's.

    Raises UsageError, saying what to do, if there is none.
    """
    if settings.way != "auto":
        return settings.way
    if settings.command:
        return "command"
    if sys.platform == "darwin" and shutil.which("osascript"):
        return "osascript"
    bus = environ.get("DBUS_SESSION_BUS_ADDRESS") or os.path.exists(f"{environ.get('XDG_RUNTIME_DIR', '')}/bus")
    if bus and shutil.which("notify-send"):
        return "notify-send"
    if terminal:
        return dialect(environ)
    raise UsageError(
        "there is no way to notify anybody here: install notify-send (libnotify), run this in a terminal, "
        "or give a program of your own with --command"
    )


def backend(chosen: Way, settings: Notify, environ: Mapping[str, str], out: IO[str]) -> Backend:
    """Make the backend of a way that was chosen; `out` is the terminal to ring in. Raises UsageError if it cannot work."""
    limit = float(settings.limit)
    if chosen == "command":
        _needs(settings.command[0])
        return Program(settings.command, limit)
    if chosen == "notify-send":
        _needs("notify-send")
        return NotifySend(limit, next(filter(shutil.which, CLOSERS), None))
    if chosen == "osascript":
        _needs("osascript")
        return OsaScript(limit)
    return Terminal(out, "bell" if chosen == "auto" else chosen, tmux="TMUX" in environ)


def _needs(program: str) -> None:
    if shutil.which(program) is None:
        raise UsageError(f"the program {program} was not found")
