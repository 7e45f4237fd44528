"""Common: what several commands need: exit codes, where the board is, what is set, and a picture of the board."""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from ...protocol.addresses import default_runtime_dir
from ...protocol.event import Snapshot
from ...protocol.session import SessionState
from ...protocol.subscriber import Subscriber
from ..config import BUILT_IN, SIMULATED, Config
from ..config_file import build, default_state_dir, load, read
from ..errors import ConfigError, UsageError
from ..mistakes import nearest
from ..views import text

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_NOT_RUNNING = 3
EXIT_UNHEALTHY = 4
EXIT_SOMEONE_WAITS = 10

GROUP = "bellboard.sources"


def fail(sentence: str, code: int) -> int:
    """Say what is wrong; returns the exit code, which says it alone where stderr cannot be written."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"bellboard: {sentence}\n")
    return code


def log(options: argparse.Namespace) -> None:
    """Let a board of this process say on stderr what it does, as loudly as was asked for.

    Whoever sits at a terminal reads sentences; a log, or who asked for more, wants time and level, too.
    """
    import logging  # noqa: PLC0415 - only a board has something to log

    talk = sys.stderr.isatty() and not options.verbose
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if options.verbose > 1 else logging.INFO if options.verbose else logging.WARNING,
        format="bellboard: %(message)s" if talk else "%(asctime)s %(levelname)s %(message)s",
    )


def runtime_dir(options: argparse.Namespace, told: list[str] | None = None) -> str:
    """Where the board is: by flag, environment, file or default, exactly as `run` decides it.

    What people were told of the rest of the file, which is wrong, is added to `told`.
    """
    return _folder(options, "runtime_dir", default_runtime_dir, told)


def state_dir(options: argparse.Namespace) -> str:
    """Where the board keeps what it knows: by flag, environment, file or default, exactly as `run` decides it."""
    return _folder(options, "state_dir", default_state_dir)


def _folder(options: argparse.Namespace, key: str, default: Callable[[], str], told: list[str] | None = None) -> str:
    named = getattr(options, key) or os.environ.get(f"BELLBOARD_{key.upper()}")
    return os.path.abspath(os.path.expanduser(named or _said(options, key, [] if told is None else told) or default()))


def _said(options: argparse.Namespace, key: str, told: list[str]) -> str | None:
    """Return the one setting that is needed to find a board: whatever else is wrong with the file is `run`'s business."""
    try:
        return getattr(read(options.config), key)
    except ConfigError as error:
        said = load(options.config)[1].get(key)
        if said is not None and not isinstance(said, str):
            raise
        sys.stderr.write(f"bellboard: {error}\nbellboard: going on with `{key}` alone\n")
        told.append(str(error))
        return said


def installed() -> frozenset[str]:
    """Return the sources that are installed, by name."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - only who runs a board needs to know what is installed

    return frozenset(each.name for each in entry_points(group=GROUP))


def config(options: argparse.Namespace) -> Config:
    """Everything that is set, for a board. Raises UsageError that says what cannot be meant."""
    known = installed()
    file = read(options.config, known)
    only: dict[str, str | None] = {}
    for word in getattr(options, "source", None) or ():
        name, given, folder = word.partition("=")
        if name not in known and "factory" not in file.sources.get(name, {}):
            there = sorted((known | set(file.sources)) - {SIMULATED})
            raise UsageError(f"unknown source {name!r}{nearest(name, there)} (known: {', '.join(there)})")
        if given and not os.path.isdir(folder):
            raise UsageError(f"--source {word}: {folder or 'the empty path'} is not a folder")
        if given and not os.access(folder, os.R_OK | os.X_OK):
            raise UsageError(f"--source {word}: {folder} cannot be read: permission denied")
        only[name] = os.path.abspath(folder) if given else None
    return build(
        file,
        installed=known,
        only=only,
        runtime_dir=runtime_dir(options),
        state_dir=getattr(options, "state_dir", None),
        ephemeral=getattr(options, "ephemeral", False),
    )


def picture(folder: str) -> Snapshot:
    """Return the board of the supervisor whose sockets are in this folder. Raises NotRunning."""
    with Subscriber(folder, patience=3.0) as board:
        return board.join()


def read_once(options: argparse.Namespace, wanted: Config) -> Snapshot:
    """Return what the agents' files say now, without any supervisor. Raises SupervisorError."""
    from ..private import read_once as look  # noqa: PLC0415 - as heavy as all the rest, and attaching needs none of it

    log(options)
    return look(wanted)


def refuse_sources(options: argparse.Namespace, board: Snapshot, *, later: bool = False) -> None:
    """Refuse a source that this board does not have: nothing of it will ever be shown. Raises UsageError.

    `later`: one that comes with bellboard may still be taken in, and is only warned of; so is any on an empty board.
    """
    there = sorted({state.source for state in board.health})
    known = {*there, *(state.origin for state in board.health)}
    for name in dict.fromkeys(word.partition("=")[0] for word in options.source or ()):
        if name in known:
            continue
        sentence = f"the board has no source {name!r}{nearest(name, there)} (it has: {', '.join(there) or 'none'})"
        if there and not (later and name.partition("@")[0] in BUILT_IN):
            raise UsageError(sentence)
        sys.stderr.write(f"bellboard: {sentence}\n")


def columns(otherwise: int = 160) -> int:
    """Return how wide the terminal is; `otherwise` where there is none."""
    return shutil.get_terminal_size((otherwise, 24)).columns


def print_table(sessions: list[SessionState]) -> None:
    """Print sessions as wide as the terminal is."""
    sys.stdout.write(text.table(sessions, datetime.now(UTC), columns()) + "\n")


def left_out(picture: Snapshot) -> str:
    """Return what explains that a board has nothing to show where agents are: on many machines all sessions are only old."""
    if not any(state.left_out for state in picture.health):
        return ""
    return " (older ones than `board.since` are left out: `bellboard sessions --once` reads all)"


def tell_where_was_looked(picture: Snapshot) -> None:
    """Say of each source why it has no session."""
    for state in picture.health:
        where = f" in {state.home}" if state.home else ""
        found = f"{state.left_out} older left out" if state.left_out else "no sessions"
        sys.stderr.write(f"bellboard: {state.source}: {state.reason or f'{found}{where}'}\n")
