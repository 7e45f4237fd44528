"""A whole house on paper: files, workers, wires and a board without a process, so that every order of events can be tried.

Everything that decides is the real code (round, outbox, ledger, aggregator, store); only files and wires are lists.
"""

from collections.abc import Iterable

from msgspec import Struct

from bellboard.protocol.codec import UPWARD, DecodeFault
from bellboard.protocol.order import Ack, Downward, Fenced, Nack
from bellboard.protocol.update import SourceUpdate, Update
from bellboard.sources.contract import SessionHandle
from bellboard.supervisor.aggregator.aggregator import Aggregator
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.store import Store
from bellboard.workers.outbox import RESEND_SECONDS, Outbox
from bellboard.workers.round import Parsed, Round

SOURCE = "paper"
CREDIT = 4


class File(Struct):
    """A session's file: which one it is by now (`generation`), and its lines."""

    generation: int = 0
    lines: int = 0


class Files:
    """All sessions, and the source that reads them, a few lines at a time."""

    name = SOURCE

    def __init__(self) -> None:
        self.files: dict[str, File] = {}

    def discover(self) -> Iterable[SessionHandle]:
        return [SessionHandle(id=name, path=name, source=SOURCE) for name in self.files]

    def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
        file = self.files[handle.id]
        generation, offset = (int(part) for part in cursor.split(":")) if cursor else (file.generation, 0)
        replaced = generation != file.generation
        start = 0 if replaced else offset
        end = min(file.lines, start + 3)
        after = f"{file.generation}:{end}"
        if after == cursor:
            return None, cursor
        update = SourceUpdate(session_id=handle.id, message_count_delta=end - start, restart=replaced)
        return update, after


class Worker:
    """One incarnation, and the two ends of its wire."""

    def __init__(self, inc: int, files: Files, cursors: dict[str, str]) -> None:
        self.inc = inc
        self.up: list[bytes] = []
        self.down: list[Downward] = []
        self.fenced = False
        self._round = Round(files)
        self._round.grant(cursors, {})
        self._outbox = Outbox(inc, CREDIT)

    def work(self, now: float) -> None:
        """Look around once, parse as far as the credit goes, say what is due."""
        self._round.discover(now)
        while self._round.backlog and self._outbox.free > 0:
            result = self._round.step()
            if isinstance(result, Parsed):
                assert self._outbox.put(result) is None
        self.up += self._outbox.due(now)

    def hear(self) -> None:
        """Obey the oldest message."""
        match self.down.pop(0):
            case Ack(seq=seq):
                self._outbox.ack(seq)
            case Nack(seq=seq, have=have):
                handle = self._outbox.drop(seq)
                if handle is not None:
                    self._round.rewind(handle, have)
            case Fenced():
                self.fenced = True
            case other:
                raise AssertionError(other)

    @property
    def at_rest(self) -> bool:
        """Whether everything that was read has been stored."""
        return not (self.up or self.down or len(self._outbox))


class Board:
    """The board: its memory dies with it, its store does not."""

    def __init__(self, store: Store, now: Moment) -> None:
        self.store = store
        self.aggregator = Aggregator("e", Rules())
        for stored in store.sessions():
            self.aggregator.load(stored.state, gone=stored.gone, live=stored.live, moved=stored.moved, now=now)
        for source, handle, session_id, cursor in store.cursors():
            self.aggregator.ledger.load(source, handle, session_id, cursor)

    def admit(self) -> tuple[int, dict[str, str]]:
        """Commit the next incarnation; returns it and the cursors it goes on from."""
        inc = self.store.next_incarnation(SOURCE)
        self.aggregator.ledger.admit(SOURCE, inc)
        return inc, self.aggregator.ledger.cursors(SOURCE)

    def take(self, batch: list[bytes], now: Moment, *, dies: str = "") -> list[Downward] | None:
        """Take a batch as the intake does. `dies`: `before` or `after` the commit, and then there is no answer."""
        updates: list[tuple[str, Update]] = []
        for data in batch:
            message = UPWARD.decode(data)
            assert isinstance(message, Update), isinstance(message, DecodeFault)
            updates.append((SOURCE, message))
        plan = self.aggregator.plan(updates, now)
        if dies == "before":
            return None
        if plan.changes:
            self.store.commit(plan)
        if dies == "after":
            return None
        self.aggregator.adopt(plan, now)
        return plan.answers

    def counts(self) -> dict[str, int]:
        """Return the messages of each session."""
        return {state.id: state.message_count for state in self.aggregator.sessions()}


RESEND = RESEND_SECONDS
