"""Mock: a source that does what it is told, for tests of what stands around a source (yours included).

`MockSource` is told in the same process: a list of steps for each session, and a record of every call. `FolderSource` is
told through files, so that a real worker can be steered from outside: in `<session>.jsonl` each line is either an update,
with the fields of `SourceUpdate`, or a command. It takes one line a call.
"""

import itertools
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from ..protocol.update import SourceUpdate
from .contract import Cursor, Place, Registry, SessionHandle
from .errors import SourceError, SourceUnavailable
from .files import look
from .tail import Mark, read_on, stamp_of

DISCOVER = "discover.json"
"""A file with a command that is obeyed at each discover."""

Step: TypeAlias = SourceUpdate | Exception | None
"""An update to be returned, an error to be raised (once), or None: something was consumed, nothing is to report."""


class MockError(SourceError):
    """Raised on demand."""


class MockSource:
    """A source with a script. `calls` holds every call: its name, for `parse` also the session's id and the cursor.

    Set `discover_error` to have discover fail; add to `script` at any time. Cursors count the steps that were taken.
    """

    def __init__(self, script: Mapping[str, Sequence[Step]] | None = None, name: str = "mock") -> None:
        self.name = name
        self.script: dict[str, list[Step]] = {session: list(steps) for session, steps in (script or {}).items()}
        self.calls: list[tuple[str, ...]] = []
        self.discover_error: Exception | None = None
        self._raised: set[tuple[str, int]] = set()

    def discover(self) -> list[SessionHandle]:
        """List the sessions of the script. Raises `discover_error` if that is set."""
        self.calls.append(("discover",))
        if self.discover_error is not None:
            raise self.discover_error
        return [SessionHandle(id=session, path=f"/mock/{session}", source=self.name) for session in self.script]

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """Take the next step of a session. Raises the error that stands there, but not a second time."""
        self.calls.append(("parse", handle.id, cursor))
        steps = self.script.get(handle.id, [])
        for at in range(int(cursor or "0"), len(steps)):
            step = steps[at]
            if not isinstance(step, Exception):
                return step, str(at + 1)
            if (handle.id, at) not in self._raised:
                self._raised.add((handle.id, at))
                raise step
        return None, cursor


class Command(Struct, omit_defaults=True):
    """What a line may order instead of an update. With `unless` it is passed over once a file of that name is there."""

    error: str | None = field(default=None, name="raise")
    abort: bool = False
    exit: int | None = None
    sleep: float | None = None
    spin: bool = False
    unless: str | None = None

    def obey(self, folder: str) -> None:
        """Do it. Raises MockError for `raise`; does not come back from `abort`, `exit` and `spin`."""
        if self.unless is not None and os.path.exists(f"{folder}/{self.unless}"):
            return
        if self.sleep is not None:
            time.sleep(self.sleep)
        if self.error is not None:
            raise MockError(self.error)
        if self.exit is not None:
            os._exit(self.exit)
        if self.abort:
            os.abort()
        if self.spin:
            _spin()


def _spin() -> NoReturn:
    """Hang for good without ever giving up the interpreter's lock: no other thread and no signal handler gets a turn."""
    all(itertools.repeat(True))
    raise AssertionError


class FolderSource:
    """A source that is steered through the files of one folder."""

    name = "mock"

    def __init__(self, home: str | None) -> None:
        self._home = os.path.abspath(os.path.expanduser(home)) if home else None

    def discover(self) -> list[SessionHandle]:
        """List the scripts. Raises SourceUnavailable without a folder, and what `discover.json` orders."""
        if self._home is None or not os.path.isdir(self._home):
            raise SourceUnavailable((self._home,) if self._home else ())
        orders = f"{self._home}/{DISCOVER}"
        if look(orders) is not None:
            with open(orders, "rb") as file:
                msgspec.json.decode(file.read(), type=Command).obey(self._home)
        return self.touched([f"{self._home}/{name}" for name in sorted(os.listdir(self._home))])

    def watch(self) -> list[str]:
        """Return the folder."""
        return [self._home] if self._home else []

    def where(self) -> list[Place]:
        """See `Placed.where`."""
        return [Place(path=self._home, why="setting")] if self._home else []

    def touched(self, paths: Iterable[str]) -> list[SessionHandle]:
        """Return the sessions whose scripts these are."""
        scripts = [(path, look(path)) for path in paths if path.endswith(".jsonl")]
        return [
            SessionHandle(
                id=_session(path),
                path=path,
                source=self.name,
                modified_at=status.st_mtime,
                stamp=stamp_of(status),
            )
            for path, status in scripts
            if status is not None
        ]

    def pulse(self) -> tuple[SessionHandle, ...]:
        """Return nothing: only files steer."""
        return ()

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """Take the next line of a script. Raises OSError, and what the line orders."""
        stamp, _, mark = cursor.partition("|")
        if handle.stamp and stamp == handle.stamp:
            return None, cursor
        try:
            # The smallest budget brings exactly one line.
            piece = read_on(handle.path, msgspec.json.decode(mark or b"[]", type=Mark), 1)
        except FileNotFoundError:
            return None, cursor
        if piece is None:
            return None, cursor
        update = _take(piece.data, handle)
        if piece.replaced:
            update = replace(update or SourceUpdate(session_id=handle.id), restart=True)
        return update, f"{piece.mark.stamp}|{msgspec.json.encode(piece.mark).decode()}"


def _session(path: str) -> str:
    return os.path.basename(path).removesuffix(".jsonl")


def _take(line: bytes, handle: SessionHandle) -> SourceUpdate | None:
    """Read one line: an update, or a command, which is obeyed. What is neither counts as an unknown record."""
    if not line.strip():
        return None
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
        command = msgspec.convert(fields, Command)
        if command == Command():
            return msgspec.convert({"session_id": handle.id} | fields, SourceUpdate)
    except msgspec.MsgspecError:
        return SourceUpdate(session_id=handle.id, unknown_records_delta=1)
    command.obey(os.path.dirname(handle.path))
    return None


def register(registry: Registry, *, home: str | None = None) -> None:
    """Make this source known; `home` is the folder of the scripts, without which there is nothing to find."""
    registry.add(FolderSource.name, lambda: FolderSource(home))
