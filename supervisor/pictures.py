"""Pictures: the board's whole state for whoever asks, so that no number of askers can stall it.

A picture is one moment: it holds the (unchanging) states of that moment and is cut into pages, each encoded once however
many ask. Who joined by a heartbeat needs a picture at least as new as that heartbeat, so that all who joined together share
one. In each turn a bounded number of pages goes out, to each asker in rotation; an asker that does not take its pages waits,
and after a while is forgotten, without anybody else waiting for it.
"""

from collections import deque
from collections.abc import Callable

from msgspec import Struct, structs

from ..protocol.ask import SnapshotPage, SnapshotRequest
from ..protocol.channel import Answering
from ..protocol.codec import REQUEST_LIMIT, SNAPSHOT_PAGE, SNAPSHOT_REQUEST, DecodeFault
from ..protocol.event import Snapshot

PAGE_SESSIONS = 50
"""Sessions on a page: even if each were as large as an update may be, a page stays below what clients accept."""

MOST_REQUESTS = 64
MOST_PAGES = 16
"""How many questions are read and how many pages go out in one turn."""

MOST_TOLD = 4
"""Questions about the last hour that are answered in one turn: each answer is one message, made at once."""

MOST_ASKERS = 1000
MOST_PICTURES = 4
"""How many are answered at the same time, and of how many moments."""

PAGES_AHEAD = 16
"""Pages that are queued for an asker that does not read."""

PATIENCE_SECONDS = 2.0
"""An asker that takes nothing for so long is forgotten; it asks again after as long."""

_BEGINNING = b'{"request":0'


class Picture:
    """One moment of the board for one choice of sources."""

    def __init__(self, snapshot: Snapshot, sources: tuple[str, ...] | None) -> None:
        wanted = None if sources is None else frozenset(sources)
        self.sources = sources
        self.seq = snapshot.seq
        self._empty = SnapshotPage(
            request=0, page=0, last=False, epoch=snapshot.epoch, seq=snapshot.seq, source_seqs=snapshot.source_seqs
        )
        self._sessions = [each for each in snapshot.sessions if wanted is None or each.origin in wanted]
        self._health = tuple(each for each in snapshot.health if wanted is None or each.origin in wanted)
        self._pages: dict[int, bytes] = {}
        self.pages = max(1, -(-len(self._sessions) // PAGE_SESSIONS))

    def page(self, number: int, request: int) -> bytes:
        """Return one page as it goes out in answer to a request."""
        if number not in self._pages:
            page = structs.replace(
                self._empty,
                page=number,
                last=number == self.pages - 1,
                sessions=tuple(self._sessions[number * PAGE_SESSIONS : (number + 1) * PAGE_SESSIONS]),
                health=self._health if number == 0 else (),
            )
            # All pages of all askers differ in the first field only.
            self._pages[number] = SNAPSHOT_PAGE.encode(page)[len(_BEGINNING) :]
        return b'{"request":%d' % request + self._pages[number]


class Asker(Struct):
    """Somebody who asked: how far the answer has gone, and since when nothing of it could be sent."""

    request: SnapshotRequest
    picture: Picture | None = None
    page: int = 0
    since: float = 0.0


class Pictures:
    """The snapshot socket. `take` makes a snapshot of the present moment, `seq` says its number.

    `tell` answers what is asked about the last hour (`history.py`), encoded.
    """

    def __init__(
        self,
        endpoint: str,
        seq: Callable[[], int],
        take: Callable[[], Snapshot],
        tell: Callable[[SnapshotRequest], bytes],
    ) -> None:
        self.channel = Answering(endpoint, inbound_limit=REQUEST_LIMIT, outbound_messages=PAGES_AHEAD)
        self._seq = seq
        self._take = take
        self._tell = tell
        self._askers: dict[bytes, Asker] = {}

    @property
    def pending(self) -> bool:
        """Whether somebody still waits for pages."""
        return bool(self._askers)

    def serve(self, monotonic: float) -> bool:
        """Read questions and send pages, a bounded number of each. Returns whether more can be done at once."""
        told = 0
        for _ in range(MOST_REQUESTS):
            received = self.channel.receive() if told < MOST_TOLD else None
            if received is None:
                break
            peer, frames = received
            request = SNAPSHOT_REQUEST.decode(frames[-1] if frames else b"")
            if isinstance(request, DecodeFault):
                continue
            if request.want != "board":
                told += 1
                self.channel.send(peer, [self._tell(request)])
            elif peer in self._askers or len(self._askers) < MOST_ASKERS:
                self._askers[peer] = Asker(request, since=monotonic)
        return (self._send(monotonic) > 0 and self.pending) or told == MOST_TOLD

    def _send(self, monotonic: float) -> int:
        """Send so many pages at most, one to each asker in rotation; returns how many."""
        sent = 0
        pictures = list({id(each.picture): each.picture for each in self._askers.values() if each.picture}.values())
        most = min(MOST_PICTURES, len(pictures) + 1)  # one new moment a turn: making it is work
        row = deque(list(self._askers)[:MOST_REQUESTS])
        while row and sent < MOST_PAGES:
            peer = row.popleft()
            asker = self._askers.pop(peer)
            picture = asker.picture = asker.picture or self._choose(asker.request, pictures, most)
            taken = picture is not None and self.channel.send(peer, [picture.page(asker.page, asker.request.request)])
            if taken:
                sent += 1
                asker.page += 1
                asker.since = monotonic
                row.append(peer)
            if picture is not None and asker.page == picture.pages:
                row.remove(peer)
            elif monotonic - asker.since < PATIENCE_SECONDS:
                self._askers[peer] = asker  # at the end of the row
        return sent

    def _choose(self, request: SnapshotRequest, pictures: list[Picture], most: int) -> Picture | None:
        """Return a picture that is new enough, made now if need be; None if there are as many as may be."""
        present = self._seq()
        wanted = present if request.seen is None else min(request.seen, present)
        for picture in reversed(pictures):
            if picture.sources == request.sources and picture.seq >= wanted:
                return picture
        if len(pictures) >= most:
            return None
        pictures.append(Picture(self._take(), request.sources))
        return pictures[-1]
