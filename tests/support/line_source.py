"""A source for tests, told what to do by files: each file of its folder is a session, each line of it one step."""

import math
import os
from collections.abc import Iterable, Sequence
from typing import ClassVar

from msgspec import structs

from bellboard.protocol.update import SourceUpdate
from bellboard.sources.contract import SessionHandle
from bellboard.sources.errors import SourceUnavailable


class Lines:
    """Reads one line a call; its cursor is the number of lines read.

    Some lines are not said but done (see `parse`). Files whose names begin with `!` are no sessions: they say what else
    is to go wrong.
    """

    name = "lines"

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def discover(self) -> Iterable[SessionHandle]:
        self._trouble("discover")
        return [self._handle(name) for name in sorted(os.listdir(self._folder)) if not name.startswith("!")]

    def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
        with open(handle.path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        read = int(cursor or 0)
        if read >= len(lines):
            return None, cursor
        after = str(read + 1)
        match lines[read]:
            case "raise":
                raise ValueError("s3cret")
            case "quiet":
                return None, after
            case "huge":
                return SourceUpdate(session_id=handle.id, title="x" * 300_000), after
            case "byteless":
                return SourceUpdate(session_id=handle.id, title="\udcff"), after
            case "unreadable":
                return SourceUpdate(session_id=handle.id, message_count_delta="many"), after  # type: ignore[arg-type]
            case line:
                return SourceUpdate(session_id=handle.id, title=line, message_count_delta=1), after

    def _handle(self, name: str) -> SessionHandle:
        return SessionHandle(id=name, path=os.path.join(self._folder, name), source=self.name)

    def _trouble(self, where: str) -> None:
        """Fail here if a file asks for it."""
        if os.path.exists(os.path.join(self._folder, f"!{where}")):
            raise PermissionError(13, "Permission denied", self._folder)
        if os.path.exists(os.path.join(self._folder, f"!{where} unavailable")):
            raise SourceUnavailable((self._folder,))


class WatchedLines(Lines):
    """The same, and its folder may be watched. While there is a `!stirring` each pulse names all sessions; `!late` is
    a session that comes between the listing and the watch.
    """

    def watch(self) -> Iterable[str]:
        self._trouble("watch")
        if os.path.exists(late := os.path.join(self._folder, "!late")):
            os.rename(late, os.path.join(self._folder, "late"))
        return [self._folder]

    def touched(self, paths: Sequence[str]) -> Iterable[SessionHandle]:
        self._trouble("touched")
        return [self._handle(name) for name in map(os.path.basename, paths) if not name.startswith("!")]

    def pulse(self) -> Iterable[SessionHandle]:
        self._trouble("pulse")
        return self.discover() if os.path.exists(os.path.join(self._folder, "!stirring")) else []


class RestingLines(WatchedLines):
    """The same, and it needs no pulse; what is done with any of its kind is noted in `deeds`."""

    deeds: ClassVar[list[str]] = []

    def watch(self) -> Iterable[str]:
        self.deeds.append("watch")
        return super().watch()

    def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
        self.deeds.append("parse")
        return super().parse(handle, cursor)

    def pulse(self) -> Iterable[SessionHandle]:
        self.deeds.append("pulse")
        return super().pulse()

    def rest(self) -> float:
        self._trouble("rest")
        return math.inf


class OldLines(Lines):
    """The same, and no session was touched for a lifetime."""

    def _handle(self, name: str) -> SessionHandle:
        return structs.replace(super()._handle(name), modified_at=0.0)


def broken(folder: str) -> Lines:
    """Make no source: this is one that cannot be made."""
    raise ValueError(folder)


def nothing(folder: str) -> object:
    """Make something that is no source."""
    return folder
