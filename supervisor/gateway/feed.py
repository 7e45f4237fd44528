"""Feed: what goes out on streams, and to whom. Pure but for the queues: whoever reads is awaited in `streams.py`.

An event is encoded once and kept for a while, so that a browser that was away for a moment goes on where it was
(`Last-Event-ID`). What happens within a few hundredths of a second goes out as one piece, the same one for everybody. A
reader who does not keep up is dropped, not buffered: it comes back with the last event that it saw.
"""

from collections import deque

from msgspec import Struct

from ...protocol.codec import EVENT
from ...protocol.event import BoardEvent

MOST_KEPT = 2000
"""Events that a reader may have missed and still go on from."""

MOST_WAITING = 64
"""Pieces that wait for one reader."""

MOST_BYTES = 4 * 1024 * 1024
"""Bytes that wait for one reader."""


class Entry(Struct, frozen=True, gc=False):
    """An event as it goes out: its number, and its text for both kinds of stream."""

    seq: int
    data: bytes
    kind: str

    def sse(self, epoch: str) -> bytes:
        """Return the event in the form of an event stream."""
        return b"id: %s.%d\nevent: %s\ndata: %s\n\n" % (epoch.encode(), self.seq, self.kind.encode(), self.data)


class Piece(Struct, frozen=True, gc=False):
    """Some events, joined: for an event stream, and one by one."""

    sse: bytes
    each: tuple[bytes, ...]


class Reader:
    """One stream's queue; `lost` once it did not keep up."""

    def __init__(self) -> None:
        self.waiting: deque[Piece] = deque()
        self.bytes = 0
        self.lost = False

    def put(self, piece: Piece) -> None:
        """Let a piece wait, or give up."""
        if len(self.waiting) >= MOST_WAITING or self.bytes + len(piece.sse) > MOST_BYTES:
            self.lost = True
            self.waiting.clear()
        if not self.lost:
            self.waiting.append(piece)
            self.bytes += len(piece.sse)

    def take(self) -> Piece | None:
        """Return the next piece, if there is one."""
        if not self.waiting:
            return None
        piece = self.waiting.popleft()
        self.bytes -= len(piece.sse)
        return piece


class Feed:
    """All readers, and the events of late."""

    def __init__(self) -> None:
        self.epoch = ""
        self.readers: set[Reader] = set()
        self.dropped = 0
        self._kept: deque[Entry] = deque(maxlen=MOST_KEPT)
        self._fresh: list[Entry] = []

    def begin(self, epoch: str) -> None:
        """A new picture was taken: what came before leads nowhere any more."""
        self.epoch = epoch
        self._kept.clear()
        self._fresh.clear()

    def add(self, event: BoardEvent) -> None:
        """Take an event; it goes out with the next `flush`."""
        entry = Entry(event.seq, EVENT.encode(event), event.kind)
        self._kept.append(entry)
        self._fresh.append(entry)

    def flush(self) -> None:
        """Hand what is new to all readers, as one piece."""
        if self._fresh:
            self._tell(_joined(self._fresh, self.epoch))
            self._fresh.clear()

    def say(self, kind: str, data: bytes, number: int | None = None) -> None:
        """Tell all readers something that is no event of the board; with a number it is a place to go on from."""
        self.flush()
        entry = Entry(number or 0, data, kind)
        self._tell(Piece(entry.sse(self.epoch) if number is not None else unnumbered(kind, data), (data,)))

    def since(self, last: str) -> Piece | None:
        """Return what came after the event of this id; None if that is not known any more, or the id is not of this board.

        What waits for the next `flush` is not part of it.
        """
        epoch, _, number = last.rpartition(".")
        if epoch != self.epoch or not number.isdecimal():
            return None
        known = [entry for entry in self._kept if entry not in self._fresh]
        seq = int(number)
        if not known or not known[0].seq - 1 <= seq <= known[-1].seq:
            return None
        return _joined([entry for entry in known if entry.seq > seq], self.epoch)

    def _tell(self, piece: Piece) -> None:
        for reader in self.readers:
            was_lost = reader.lost
            reader.put(piece)
            self.dropped += reader.lost and not was_lost


def unnumbered(kind: str, data: bytes) -> bytes:
    """Return something in the form of an event stream that is no place to go on from."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), data)


def _joined(entries: list[Entry], epoch: str) -> Piece:
    return Piece(b"".join([entry.sse(epoch) for entry in entries]), tuple(entry.data for entry in entries))
