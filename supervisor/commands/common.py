"""Common: what several commands need: exit codes, where the board is, what is set, and a picture of the board."""

import argparse
import os
import shutil
import sys
from datetime import UTC, datetime

from ...protocol.addresses import default_runtime_dir
from ...protocol.event import Snapshot
from ...protocol.session import SessionState
from ...protocol.subscriber import Subscriber
from ..config import Config, build, default_state_dir, read
from ..errors import UsageError
from ..views import text

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_NOT_RUNNING = 3
EXIT_UNHEALTHY = 4
EXIT_SOMEONE_WAITS = 10

GROUP = "bellboard.sources"


def fail(sentence: str, code: int) -> int:
    """Say what is wrong; returns the exit code."""
    sys.stderr.write(f"bellboard: {sentence}\n")
    return code


def log(options: argparse.Namespace) -> None:
    """Let a board of this process say on stderr what it does, as loudly as was asked for."""
    import logging  # noqa: PLC0415 - only a board has something to log

    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if options.verbose > 1 else logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
    )


def runtime_dir(options: argparse.Namespace) -> str:
    """Where the board is: by flag, environment, file or default, exactly as `run` decides it."""
    named = options.runtime_dir or os.environ.get("BELLBOARD_RUNTIME_DIR")
    chosen = named or read(options.config).runtime_dir or default_runtime_dir()
    return os.path.abspath(os.path.expanduser(chosen))


def state_dir(options: argparse.Namespace) -> str:
    """Where the board keeps what it knows: by flag, environment, file or default, exactly as `run` decides it."""
    named = options.state_dir or os.environ.get("BELLBOARD_STATE_DIR")
    chosen = named or read(options.config).state_dir or default_state_dir()
    return os.path.abspath(os.path.expanduser(chosen))


def config(options: argparse.Namespace) -> Config:
    """Everything that is set, for a board. Raises UsageError that says what cannot be meant."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - only who runs a board needs to know what is installed

    known = frozenset(each.name for each in entry_points(group=GROUP))
    file = read(options.config, known)
    only: dict[str, str | None] = {}
    for word in getattr(options, "source", None) or ():
        name, given, folder = word.partition("=")
        if name not in known and "factory" not in file.sources.get(name, {}):
            raise UsageError(f"unknown source {name!r}: known are {', '.join(sorted(known | set(file.sources)))}")
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


def print_table(sessions: list[SessionState]) -> None:
    """Print sessions as wide as the terminal is."""
    width = shutil.get_terminal_size((160, 24)).columns
    sys.stdout.write(text.table(sessions, datetime.now(UTC), width) + "\n")
