"""Reading: what the rows of the client's SQLite store say, of one session at one moment.

The counterpart is `database.py`, which opens the store.
"""

import sqlite3
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from .fold import LATEST
from .queries import LATEST_MESSAGES, PAGE, PARTS, SMALL
from .rows import ID_LIMIT, Key, Message, Part, Session, message_in, number, part_in

PARTS_LIMIT = 4096
"""Parts of one message that are looked at."""


class Seen(Struct, frozen=True):
    """A session as a glance shows it: `modified` (milliseconds) is its newest change, `stamp` describes all that matters."""

    session: Session
    modified: int
    stamp: str


class Reading:
    """One session at one moment: every answer is from the same transaction."""

    def __init__(self, connection: sqlite3.Connection, seen: Seen) -> None:
        self._connection = connection
        self.session = seen.session
        self.stamp = seen.stamp

    def latest(self) -> list[Message]:
        """Return the newest messages, oldest first."""
        return _messages(
            self._connection.execute(
                LATEST_MESSAGES, {"session": self.session.id, "longest": ID_LIMIT, "latest": LATEST}
            )
        )[::-1]

    def page(self, floor: Key, limit: int) -> list[Message]:
        """Return the next messages after `floor`, oldest first."""
        asked = {"session": self.session.id, "at": floor[0], "id": floor[1], "longest": ID_LIMIT, "limit": limit}
        return _messages(self._connection.execute(PAGE, asked))

    def parts(self, messages: Iterable[str]) -> dict[str, list[Part]]:
        """Return the parts of each of these messages."""
        return {message: self._parts(message) for message in messages}

    def _parts(self, message: str) -> list[Part]:
        return [_part(*row) for row in self._connection.execute(PARTS, {"message": message, "limit": PARTS_LIMIT})]


def seen_in(row: tuple[Any, ...]) -> Seen:
    """Return the session in a row that was asked for with `sessions` (queries.py)."""
    name, created, updated, parent, slug, directory, title, version, compacting, archived, reverted = row[:11]
    session = Session(
        id=name,
        parent=parent,
        slug=slug,
        directory=directory,
        title=title,
        version=version,
        created=number(created) or 0,
        updated=number(updated) or 0,
        compacting=number(compacting),
        archived=number(archived),
        reverted=bool(reverted),
    )
    modified = max(session.updated, *(_newest(shape) for shape in row[-2:]))
    return Seen(session, modified, blake2b(repr(row).encode(), digest_size=12).hexdigest())


def _newest(shape: str | None) -> int:
    return number(int((shape or "/0").rpartition("/")[2])) or 0


def _messages(rows: Iterable[tuple[Any, ...]]) -> list[Message]:
    return [_message(text if isinstance(text, str) else "", name, at) for name, at, text in rows]


def _message(text: str, name: str, at: int) -> Message:
    return (_message_again if len(text) <= SMALL else _message_once)(text, name, at)


def _message_once(text: str, name: str, at: int) -> Message:
    return message_in(text.encode(), name, at)


# The newest messages of a session are read again and again while it grows, and most of them have not changed.
_message_again = lru_cache(maxsize=1024)(_message_once)


def _part(name: object, text: object) -> Part:
    return part_in(text.encode() if isinstance(text, str) else b"", str(name))
