"""Answers: the snapshot and the control socket.

A snapshot is one moment: all its pages are made in one go, with the sequence numbers of that moment. Control answers
while everything else is stuck, because nothing here waits for a worker.
"""

from collections.abc import Callable

from ..protocol.addresses import CONTROL, SNAPSHOT, address
from ..protocol.ask import Command, Reply, SnapshotPage, SnapshotRequest
from ..protocol.channel import Answering
from ..protocol.codec import COMMAND, REPLY, REQUEST_LIMIT, SNAPSHOT_PAGE, SNAPSHOT_REQUEST, DecodeFault
from .aggregator.aggregator import Aggregator
from .aggregator.health import HealthBook

PAGE_SESSIONS = 50
"""Sessions on a page: even if each were as large as an update may be, a page stays below what clients accept."""

MOST_REQUESTS = 16


class Answers:
    """The two sockets on which the board is asked something."""

    def __init__(
        self, runtime_dir: str, aggregator: Aggregator, book: HealthBook, obey: Callable[[Command], Reply]
    ) -> None:
        self.snapshot = Answering(address(runtime_dir, SNAPSHOT), inbound_limit=REQUEST_LIMIT)
        self.control = Answering(address(runtime_dir, CONTROL), inbound_limit=REQUEST_LIMIT)
        self._aggregator = aggregator
        self._book = book
        self._obey = obey

    def serve(self) -> None:
        """Answer what has come, a bounded number of questions at a time."""
        for _ in range(MOST_REQUESTS):
            received = self.snapshot.receive()
            if received is None:
                break
            request = SNAPSHOT_REQUEST.decode(received[1][-1] if received[1] else b"")
            if not isinstance(request, DecodeFault):
                for page in self._pages(request):
                    if not self.snapshot.send(received[0], [SNAPSHOT_PAGE.encode(page)]):
                        break
        for _ in range(MOST_REQUESTS):
            received = self.control.receive()
            if received is None:
                break
            command = COMMAND.decode(received[1][-1] if received[1] else b"")
            if isinstance(command, DecodeFault):
                reply = Reply(request=0, ok=False, message=f"not understood: {command.code} ({command.detail})")
            else:
                reply = self._obey(command)
            self.control.send(received[0], [REPLY.encode(reply)])

    def close(self) -> None:
        """Close both sockets."""
        self.snapshot.close()
        self.control.close()

    def _pages(self, request: SnapshotRequest) -> list[SnapshotPage]:
        wanted = None if request.sources is None else frozenset(request.sources)
        sessions = [each for each in self._aggregator.sessions() if wanted is None or each.source in wanted]
        health = tuple(each for each in self._book.states() if wanted is None or each.source in wanted)
        chunks = [sessions[start : start + PAGE_SESSIONS] for start in range(0, len(sessions), PAGE_SESSIONS)] or [[]]
        return [
            SnapshotPage(
                request=request.request,
                page=number,
                last=number == len(chunks) - 1,
                epoch=self._aggregator.epoch,
                seq=self._aggregator.seq,
                source_seqs=dict(self._aggregator.source_seqs),
                sessions=tuple(chunk),
                health=health if number == 0 else (),
            )
            for number, chunk in enumerate(chunks)
        ]
