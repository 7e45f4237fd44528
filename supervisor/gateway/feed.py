"""Feed: what goes out on streams, and to whom. Pure: a reader is only told that something waits; `streams.py` sends it.

An event is encoded once and kept for a while, so that a browser that was away for a moment goes on where it was
(`Last-Event-ID`). What happens within a few hundredths of a second goes out as one piece, the same one for everybody. A
reader who does not keep up is dropped, not buffered: it comes back with the last event that it saw.
"""

from collections import deque
from collections.abc import Callable

from msgspec import Struct

from ...protocol.codec import EVENT
from ...protocol.event import BoardEvent

MOST_KEPT = 2000
"""Events that a reader may have missed and still go on from."""

MOST_WAITING = 64
"""Pieces that wait for one reader."""

MOST_BYTES = 4 * 1024 * 1024
"""Bytes that wait for one reader."""


MOST_DIGITS = 16
"""Digits of a sequence number: no longer one was ever handed out."""


class Piece(Struct, frozen=True, gc=False):
    """Something that goes out: in the form of an event stream, and message by message."""

    sse: bytes
    each: tuple[bytes, ...]


class Reader:
    """One stream's queue; `lost` once it did not keep up. `wake` is called when there is something new."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.lost = False
        self._wake = wake
        self._waiting: deque[Piece] = deque()
        self._bytes = 0

    def put(self, piece: Piece) -> bool:
        """Let a piece wait. Returns False if the reader does not keep up, and is lost from now on."""
        if len(self._waiting) >= MOST_WAITING or self._bytes + len(piece.sse) > MOST_BYTES:
            self.lost = True
            self._waiting.clear()
        else:
            self._waiting.append(piece)
            self._bytes += len(piece.sse)
        self._wake()
        return not self.lost

    def take(self) -> Piece | None:
        """Return the next piece, if there is one."""
        if not self._waiting:
            return None
        piece = self._waiting.popleft()
        self._bytes -= len(piece.sse)
        return piece


class _Entry(Struct, frozen=True, gc=False):
    seq: int
    kind: str
    data: bytes


class Feed:
    """All readers, and the events of late."""

    def __init__(self) -> None:
        self.epoch = ""
        self.seq = 0
        self._readers: set[Reader] = set()
        self._floor = 0
        self._kept: deque[_Entry] = deque()
        self._fresh: list[_Entry] = []

    @property
    def readers(self) -> int:
        """How many read."""
        return len(self._readers)

    @property
    def place(self) -> str:
        """The id of the last event: whoever has seen it goes on from there."""
        return f"{self.epoch}.{self.seq}"

    def begin(self, epoch: str, seq: int) -> None:
        """A new picture was taken: what came before leads nowhere any more."""
        self.epoch, self.seq, self._floor = epoch, seq, seq
        self._kept.clear()
        self._fresh.clear()

    def add(self, event: BoardEvent) -> None:
        """Take an event; it goes out with the next `flush`."""
        entry = _Entry(event.seq, event.kind, EVENT.encode(event))
        self.seq = event.seq
        self._kept.append(entry)
        self._fresh.append(entry)
        if len(self._kept) > MOST_KEPT:
            self._floor = self._kept.popleft().seq

    def flush(self) -> None:
        """Hand what is new to all readers, as one piece."""
        if self._fresh:
            self._tell(self._joined(self._fresh))
            self._fresh.clear()

    def say(self, piece: Piece) -> None:
        """Tell all readers something that is no event of the board."""
        self.flush()
        self._tell(piece)

    def join(self, reader: Reader, last: str) -> Piece | None:
        """Let a reader hear what comes from now on. Returns what it missed since the event with the id `last`.

        None if that is not known any more, or of another board: then it needs the whole picture.
        """
        self.flush()
        self._readers.add(reader)
        epoch, _, number = last.rpartition(".")
        if (
            epoch != self.epoch
            or len(number) > MOST_DIGITS
            or not number.isdecimal()
            or not self._floor <= int(number) <= self.seq
        ):
            return None
        return self._joined([entry for entry in self._kept if entry.seq > int(number)])

    def leave(self, reader: Reader) -> None:
        """A stream has ended."""
        self._readers.discard(reader)

    def _joined(self, entries: list[_Entry]) -> Piece:
        text = [numbered(f"{self.epoch}.{entry.seq}", entry.kind, entry.data) for entry in entries]
        return Piece(b"".join(text), tuple(entry.data for entry in entries))

    def _tell(self, piece: Piece) -> None:
        for reader in list(self._readers):
            if not reader.put(piece):
                self._readers.discard(reader)


def numbered(place: str, kind: str, data: bytes) -> bytes:
    """Return a message of an event stream; `place` is what a reader that saw it goes on from."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (place.encode(), kind.encode(), data)


def unnumbered(kind: str, data: bytes) -> bytes:
    """Return a message of an event stream that is no place to go on from."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), data)
