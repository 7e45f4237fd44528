"""Answers: the snapshot and the control socket.

Control answers while everything else is stuck, because nothing here waits for a worker; what is behind the snapshot socket
stands in `pictures.py`.
"""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

from ..protocol.addresses import CONTROL, SNAPSHOT, address
from ..protocol.ask import Command, HistoryAnswer, PulsesAnswer, Reply, SnapshotRequest
from ..protocol.channel import Answering
from ..protocol.codec import COMMAND, HISTORY_ANSWER, PULSES_ANSWER, REPLY, REQUEST_LIMIT, DecodeFault
from ..protocol.event import Snapshot
from .aggregator.aggregator import Aggregator
from .aggregator.health import HealthBook
from .pictures import Pictures

MOST_REQUESTS = 16
PULSES_LOOKED_AT = 200
"""Sessions that one answer about all of them looks at."""


class Answers:
    """The two sockets on which the board is asked something."""

    def __init__(
        self, runtime_dir: str, aggregator: Aggregator, book: HealthBook, obey: Callable[[Command], Reply]
    ) -> None:
        self._pictures = Pictures(address(runtime_dir, SNAPSHOT), lambda: aggregator.seq, self.take, self._tell)
        self.control = Answering(address(runtime_dir, CONTROL), inbound_limit=REQUEST_LIMIT)
        self._aggregator = aggregator
        self._book = book
        self._obey = obey

    @property
    def snapshot(self) -> Answering:
        """The snapshot socket."""
        return self._pictures.channel

    @property
    def pending(self) -> bool:
        """Whether somebody still waits for a snapshot."""
        return self._pictures.pending

    def asked(self, found: AbstractSet[object]) -> bool:
        """Whether one of these, on which something came in, is a socket of ours."""
        return self.snapshot in found or self.control in found

    def take(self) -> Snapshot:
        """Return the board as it is now."""
        board = self._aggregator
        return Snapshot(
            epoch=board.epoch,
            seq=board.seq,
            source_seqs=dict(board.source_seqs),
            sessions=tuple(board.sessions()),
            health=self._book.states(),
        )

    def _tell(self, request: SnapshotRequest) -> bytes:
        """Answer a question about the last hour."""
        now = datetime.now(UTC)
        if request.want == "history":
            history = self._aggregator.history(request.source, request.id, now)
            return HISTORY_ANSWER.encode(HistoryAnswer(request=request.request, history=history))
        found, after = self._aggregator.histories.pulses(request.sources, request.after, PULSES_LOOKED_AT, now)
        return PULSES_ANSWER.encode(PulsesAnswer(request=request.request, pulses=tuple(found), after=after))

    def serve(self) -> bool:
        """Answer what has come, a bounded number of questions at a time; returns whether more can be done at once."""
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
        return self._pictures.serve(time.monotonic())

    def close(self) -> None:
        """Close both sockets."""
        self.snapshot.close()
        self.control.close()
