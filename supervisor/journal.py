"""Journal: what transactions changed and does not stand in the tables of the store yet, a page for each transaction.

A busy board changes the same few sessions again and again. Putting the last word on each into its own row now and then, and
not at every change, halves what an update costs the store. A page lies in one or more slots, rows of fixed size that are
written over in place, from the first one on again after each turn. The counterpart is `tables.py`; what goes into which of
the two, and when, is decided in `store.py`.
"""

import sqlite3
from collections.abc import Iterator
from itertools import islice
from struct import Struct as Layout
from typing import Any, NamedTuple, TypeAlias
from zlib import crc32

from msgspec import MsgspecError, Struct, convert, msgpack
from msgspec.structs import astuple

from ..protocol.session import SessionState
from .damage import Damaged
from .database import PAGE_BYTES

TABLE = "CREATE TABLE IF NOT EXISTS slots (slot INTEGER PRIMARY KEY, body BLOB)"

PUT_SLOT = "INSERT INTO slots VALUES (?, ?) ON CONFLICT (slot) DO UPDATE SET body = excluded.body"

SLOT_BYTES = PAGE_BYTES - 64
"""With it a row fills a page of the file: in its place nothing is moved, and nothing is freed."""

BEGINS, GOES_ON = b"\1", b"\0"
"""The first byte of a slot: a page begins in it, or goes on. What is left of an earlier turn may be the middle of one."""

JOURNAL_SLOTS = 384
"""A longer journal (3 MiB) is brought into the tables; so the same pages of the file are written again and again."""

RETRY_SLOTS = 32
"""By how much it grows before that is tried again."""


class Stored(Struct, frozen=True, gc=False):
    """One stored session; `moved` is when it last said something or ended (epoch seconds)."""

    state: SessionState
    gone: bool
    live: bool
    moved: float


Held: TypeAlias = tuple[str, str, str, str]
"""One stored cursor: source, handle, session id, cursor."""


class Page(Struct, frozen=True):
    """What one transaction changed."""

    sessions: list[Stored]
    cursors: list[Held]


NOTHING = Page([], [])


class End(NamedTuple):
    """Where a journal ends: its next slot, and the sum of its last page, with which that of the next one begins."""

    slot: int = 0
    sum: int = 0


class Journal:
    """What stands in the journal. `turn` counts how often it was begun anew: what is left of earlier turns is not read."""

    def __init__(self) -> None:
        self._turn = 1
        self._end = End()
        self._try_at = 0
        self._sessions: dict[tuple[str, str], Stored] = {}
        self._cursors: dict[tuple[str, str], Held] = {}

    def load(self, database: sqlite3.Connection) -> None:
        """Find what stands in a file, and forget all else. Raises Damaged."""
        self._begin(1)
        for head, body in _pages(body for (body,) in database.execute("SELECT body FROM slots ORDER BY slot")):
            if not self.slots:
                self._turn = head.turn
            if head.turn != self._turn:
                break  # left of an earlier turn
            if head.sum != _sum(head.turn, body, self._end.sum):
                raise Damaged("a page of the journal has a wrong checksum")
            if not body:
                break
            self.add(_read(body), End(self.slots + _slots(len(body)), head.sum))

    @property
    def slots(self) -> int:
        """How many slots it takes."""
        return self._end.slot

    @property
    def full(self) -> bool:
        """Whether it is to be brought into the tables."""
        return self.slots > max(JOURNAL_SLOTS, self._try_at)

    @property
    def last(self) -> Page:
        """The last word on each session and cursor in it."""
        return Page(list(self._sessions.values()), list(self._cursors.values()))

    def write(self, database: sqlite3.Connection, page: Page) -> End:
        """Write a page behind the others; returns where the journal ends when that is committed, for `add`."""
        sessions = [(astuple(each.state)[:_KEPT], each.gone, each.live, each.moved) for each in page.sessions]
        return _lay(database, self._turn, self._end, _ENCODER.encode(_Written(_FIELDS, sessions, page.cursors)))

    def add(self, page: Page, end: End) -> None:
        """Take in a page that was written."""
        for stored in page.sessions:
            self._sessions[stored.state.source, stored.state.id] = stored
        for held in page.cursors:
            self._cursors[held[:2]] = held
        self._end = end

    def erase(self, database: sqlite3.Connection) -> None:
        """Begin the next turn in the file; `clear` follows when that is committed."""
        _lay(database, self._turn + 1, End(), b"")

    def clear(self) -> None:
        """Forget everything: it stands in the tables."""
        self._begin(self._turn + 1)

    def postpone(self) -> None:
        """It could not be brought into the tables: that is tried again when it has grown."""
        self._try_at = self.slots + RETRY_SLOTS

    def _begin(self, turn: int) -> None:
        self._turn, self._end, self._try_at = turn, End(), 0
        self._sessions.clear()
        self._cursors.clear()


class Head(NamedTuple):
    """What stands before a page: the turn it is of, how long it is, and its sum. A turn without pages has an empty one."""

    turn: int
    length: int
    sum: int


class _Written(Struct, frozen=True, array_like=True):
    """A page as it is written: what a state says is a list, its fields are named once. That is half the bytes."""

    fields: tuple[str, ...]
    sessions: list[tuple[tuple[Any, ...], bool, bool, float]]
    cursors: list[Held]


def _lay(database: sqlite3.Connection, turn: int, end: End, body: bytes) -> End:
    """Write a page behind the end of a journal; returns the new end."""
    count, total = _slots(len(body)), _sum(turn, body, end.sum)
    data = (_HEAD.pack(turn, len(body), total) + body).ljust(count * _ROOM, b"\0")
    parts = [data[number * _ROOM : (number + 1) * _ROOM] for number in range(count)]
    slots = [(end.slot + number, (GOES_ON if number else BEGINS) + part) for number, part in enumerate(parts)]
    database.executemany(PUT_SLOT, slots)
    return End(end.slot + count, total)


def _pages(slots: Iterator[object]) -> Iterator[tuple[Head, bytes]]:
    """Put what stands in slots together again, as far as one page follows the other. Raises Damaged."""
    for first in slots:
        if not isinstance(first, bytes) or len(first) != SLOT_BYTES:
            raise Damaged("a slot of the journal has a wrong length")
        if not first.startswith(BEGINS):
            return
        head = Head(*_HEAD.unpack_from(first, 1))
        rest = [each[1:] for each in islice(slots, _slots(head.length) - 1) if isinstance(each, bytes)]
        yield head, b"".join([first[1:], *rest])[_HEAD.size :][: head.length]


def _read(body: bytes) -> Page:
    """Read a page. Raises Damaged."""
    try:
        written = _DECODER.decode(body)
        return Page(
            [
                Stored(convert(dict(zip(written.fields, values, strict=True)), SessionState), gone, live, moved)
                for values, gone, live, moved in written.sessions
            ],
            written.cursors,
        )
    except (MsgspecError, ValueError) as error:
        raise Damaged(f"a page of the journal is of another release ({error})") from error


def _slots(length: int) -> int:
    """Return how many slots a page takes whose body is so long."""
    return -(-(_HEAD.size + length) // _ROOM)


def _sum(turn: int, body: bytes, before: int) -> int:
    """Return a page's sum. Each goes on from the one before, so that none is read which was not written behind it."""
    return crc32(body, crc32(b"%d %d" % (turn, len(body)), before))


_KEPT = SessionState.__struct_fields__.index("host")
"""No board that stores anything knows of hosts."""

_FIELDS = SessionState.__struct_fields__[:_KEPT]
_HEAD = Layout(">QII")
_ROOM = SLOT_BYTES - 1
_ENCODER = msgpack.Encoder()
_DECODER = msgpack.Decoder(_Written)
