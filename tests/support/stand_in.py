"""A stand-in for a supervisor: it binds the board's sockets and says whatever a test wants, also what no source would say.

It runs in a thread of its own; what is said here has been published when the call returns. `remember` gives it a past, for
timelines and sparklines.
"""

import os
import queue
import secrets
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from msgspec import structs

from bellboard.protocol import HealthState, SessionState
from bellboard.protocol.addresses import EVENTS, SNAPSHOT, address
from bellboard.protocol.ask import HistoryAnswer, PulsesAnswer, SnapshotPage, SnapshotRequest
from bellboard.protocol.channel import Answering, Poll, Publishing
from bellboard.protocol.codec import EVENT, HISTORY_ANSWER, PULSES_ANSWER, SNAPSHOT_PAGE, SNAPSHOT_REQUEST, DecodeFault
from bellboard.protocol.event import (
    SESSION_EVENTS,
    BoardEvent,
    EventKind,
    HealthChanged,
    Heartbeat,
    topic_of,
)
from bellboard.protocol.history import History, Mark, Pulse

STEP_SECONDS = 0.2
PAGE = 100


class StandIn:
    """A board in `folder`. As a context manager it closes itself."""

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._folder = folder
        self.sessions: dict[tuple[str, str], SessionState] = {}
        self.health: dict[str, HealthState] = {}
        self._histories: dict[tuple[str, str], tuple[Mark, ...]] = {}
        self._pulses: list[Pulse] = []
        self._epoch, self._seq, self._source_seqs = "", 0, dict[str, int]()
        self._tasks: queue.SimpleQueue[tuple[Callable[[], None], threading.Event] | None] = queue.SimpleQueue()
        self._awaken, self._wake = os.pipe()
        self._sockets: tuple[Publishing, Answering] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.start()

    def start(self) -> None:
        """Be there, as a supervisor that was just started: with a new epoch, and all that it knew."""
        self._do(self._open)

    def stop(self) -> None:
        """Be gone."""
        self._do(self._shut)

    def say(self, state: SessionState, kind: EventKind = "updated") -> SessionState:
        """Put a session on the board as it is now."""
        self.say_all([state], kind)
        return state

    def change(self, source: str, name: str, **fields: Any) -> SessionState:
        """Change some fields of a session."""
        return self.say(structs.replace(self.sessions[source, name], **fields))

    def say_all(self, states: Iterable[SessionState], kind: EventKind = "updated") -> None:
        """Say many at once."""

        def tell() -> None:
            for state in states:
                if kind == "removed":
                    self.sessions.pop((state.source, state.id), None)
                else:
                    self.sessions[state.source, state.id] = state
                event = SESSION_EVENTS[kind](id=state.id, version=1, session=state, **self._next(state.source))
                self._publish(event)

        self._do(tell)

    def sicken(self, state: HealthState) -> None:
        """Let a source be like this."""

        def tell() -> None:
            self.health[state.source] = state
            self._publish(HealthChanged(health=state, **self._next(state.source)))

        self._do(tell)

    def remember(self, source: str, name: str, marks: Iterable[Mark] = (), counts: Iterable[int] = ()) -> None:
        """Give a session a past."""

        def keep() -> None:
            self._histories[source, name] = tuple(marks)
            if told := tuple(counts):
                self._pulses.append(Pulse(source=source, id=name, counts=told))

        self._do(keep)

    def close(self) -> None:
        """End the thread and its sockets."""
        self._tasks.put(None)
        os.write(self._wake, b"x")
        self._thread.join(10)
        os.close(self._awaken)
        os.close(self._wake)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _do(self, task: Callable[[], None]) -> None:
        done = threading.Event()
        self._tasks.put((task, done))
        os.write(self._wake, b"x")
        assert done.wait(10), "the stand-in does not answer any more"

    def _run(self) -> None:
        while True:
            poll = Poll()
            poll.add(self._awaken)
            for channel in self._sockets or ():
                poll.add(channel)
            if self._awaken in poll.wait(STEP_SECONDS):
                os.read(self._awaken, 4096)
            while not self._tasks.empty():
                given = self._tasks.get()
                if given is None:
                    self._shut()
                    return
                given[0]()
                given[1].set()
            if self._sockets is not None:
                self._sockets[0].new_subscriptions()
                self._beat()
                self._answer(self._sockets[1])

    def _open(self) -> None:
        self._epoch, self._seq, self._source_seqs = secrets.token_hex(8), 0, {}
        events, snapshot = address(self._folder, EVENTS), address(self._folder, SNAPSHOT)
        self._sockets = Publishing(events), Answering(snapshot)

    def _shut(self) -> None:
        for channel in self._sockets or ():
            channel.close()
        self._sockets = None

    def _next(self, source: str) -> dict[str, Any]:
        self._seq += 1
        self._source_seqs[source] = self._source_seqs.get(source, 0) + 1
        return {
            "epoch": self._epoch,
            "seq": self._seq,
            "source": source,
            "source_seq": self._source_seqs[source],
            "at": datetime.now(UTC),
        }

    def _publish(self, event: BoardEvent | Heartbeat) -> None:
        if self._sockets is not None:
            self._sockets[0].publish(topic_of(event), EVENT.encode(event))

    def _beat(self) -> None:
        beat = Heartbeat(epoch=self._epoch, seq=self._seq, source_seqs=dict(self._source_seqs), at=datetime.now(UTC))
        self._publish(beat)

    def _answer(self, asked: Answering) -> None:
        while (received := asked.receive()) is not None:
            request = SNAPSHOT_REQUEST.decode(received[1][-1])
            assert not isinstance(request, DecodeFault)
            for answer in self._answers(request):
                asked.send(received[0], [answer])

    def _answers(self, request: SnapshotRequest) -> list[bytes]:
        if request.want == "history":
            marks = self._histories.get((request.source, request.id), ())
            history = History(source=request.source, id=request.id, marks=marks)
            return [HISTORY_ANSWER.encode(HistoryAnswer(request=request.request, history=history))]
        if request.want == "pulses":
            return [PULSES_ANSWER.encode(PulsesAnswer(request=request.request, pulses=tuple(self._pulses)))]
        known = list(self.sessions.values())
        starts = range(0, max(1, len(known)), PAGE)
        pages = [
            SnapshotPage(
                request=request.request,
                page=number,
                last=start == starts[-1],
                epoch=self._epoch,
                seq=self._seq,
                source_seqs=dict(self._source_seqs),
                sessions=tuple(known[start : start + PAGE]),
                health=tuple(self.health.values()) if number == 0 else (),
            )
            for number, start in enumerate(starts)
        ]
        return [SNAPSHOT_PAGE.encode(page) for page in pages]
