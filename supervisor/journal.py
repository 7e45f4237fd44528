"""Journal: what transactions changed and does not stand in the tables of the store yet, a row for each transaction.

A busy board changes the same few sessions again and again. Putting the last word on each into its own row now and then, and
not at every change, halves what an update costs the store. Every row is checked by its sum when it is read, at a start
only. The counterpart is `store.py`, which owns the tables.
"""

import sqlite3
from collections.abc import Iterator
from typing import TypeAlias
from zlib import crc32

from msgspec import MsgspecError, Struct, msgpack

from ..protocol.session import SessionState
from .database import Damaged

TABLE = "CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY, body BLOB, sum INTEGER)"

JOURNAL_BYTES = 3 << 20
"""A longer journal is brought into the tables; the log of the file may be longer, so that little of it is ever copied."""


RETRY_BYTES = 256 << 10
"""By how much it grows before that is tried again."""


class Stored(Struct, frozen=True, array_like=True, gc=False):
    """One stored session; `moved` is when it last said something or ended (epoch seconds)."""

    state: SessionState
    gone: bool
    live: bool
    moved: float


Held: TypeAlias = tuple[str, str, str, str]
"""One stored cursor: source, handle, session id, cursor."""


class Page(Struct, frozen=True, array_like=True):
    """What one transaction changed."""

    sessions: list[Stored]
    cursors: list[Held]


NOTHING = Page([], [])


class Journal:
    """What stands in the journal, and how many bytes it takes."""

    def __init__(self) -> None:
        self.size = 0
        self._tried_at = 0
        self._sessions: dict[tuple[str, str], Stored] = {}
        self._cursors: dict[tuple[str, str], Held] = {}

    @property
    def full(self) -> bool:
        """Whether it is to be brought into the tables."""
        return self.size > max(JOURNAL_BYTES, self._tried_at + RETRY_BYTES)

    @property
    def last(self) -> Page:
        """The last word on each session and cursor in it."""
        return Page(list(self._sessions.values()), list(self._cursors.values()))

    def add(self, page: Page, size: int) -> None:
        """Take in a page of so many bytes that was written."""
        for stored in page.sessions:
            self._sessions[stored.state.source, stored.state.id] = stored
        for held in page.cursors:
            self._cursors[held[:2]] = held
        self.size += size

    def postpone(self) -> None:
        """It could not be brought into the tables: that is tried again when it has grown."""
        self._tried_at = self.size

    def clear(self) -> None:
        """Forget everything: it stands in the tables."""
        self.size = self._tried_at = 0
        self._sessions.clear()
        self._cursors.clear()


def write(database: sqlite3.Connection, page: Page) -> int:
    """Write a page behind the others; returns its bytes."""
    body = _ENCODER.encode(page)
    database.execute("INSERT INTO journal (body, sum) VALUES (?, ?)", (body, crc32(body)))
    return len(body)


def read(database: sqlite3.Connection) -> Iterator[tuple[Page, int]]:
    """Yield the pages in order, each with its bytes. Raises Damaged."""
    for body, total in database.execute("SELECT body, sum FROM journal ORDER BY number"):
        if not isinstance(body, bytes) or crc32(body) != total:
            raise Damaged("a row of the journal has a wrong checksum")
        try:
            yield _DECODER.decode(body), len(body)
        except MsgspecError as error:
            raise Damaged(f"a row of the journal is of another release ({error})") from error


_ENCODER = msgpack.Encoder()
_DECODER = msgpack.Decoder(Page)
