"""Intake: what workers say becomes stored fact, and only then is it published and acknowledged.

The order is commit, memory, publish, acknowledge: a crash between any two of them costs a re-read and never a number.
While the store does not work nothing is acknowledged; the workers' credit runs out and they wait. What to do with an
update is decided in `aggregator/`; this file performs it.
"""

import logging
import time
from collections.abc import Iterator

from ..protocol.channel import Answering
from ..protocol.codec import DOWNWARD, UPWARD, WIRE_LIMIT, DecodeFault
from ..protocol.order import Ack, Downward, Drain, Fenced, Grant, Release
from ..protocol.update import PROTOCOL_VERSION, Beat, Bye, Changed, Fault, Hello, Update, Upward
from .aggregator.aggregator import Aggregator
from .aggregator.health import HealthBook
from .aggregator.plan import Plan
from .clock import Moment
from .crew.roster import DRAIN_SECONDS, Roster
from .errors import StorageError
from .store import Store
from .voice import Voice

log = logging.getLogger("bellboard")

MOST_UPDATES = 64
MOST_SECONDS = 0.02
MOST_STRIKES = 3
STRIKE_SECONDS = 60.0


class Intake:
    """The ingest socket and the way of an update from there to everybody. Without a store nothing outlives the process."""

    def __init__(
        self,
        endpoint: str,
        aggregator: Aggregator,
        store: Store | None,
        book: HealthBook,
        roster: Roster,
        voice: Voice,
        credit: int,
    ) -> None:
        self.channel = Answering(endpoint)
        self._aggregator = aggregator
        self._store = store
        self._book = book
        self._roster = roster
        self._voice = voice
        self.credit = credit
        self._stirred = False
        self._tokens: dict[str, tuple[int, str]] = {}
        self._peers: dict[bytes, tuple[str, int]] = {}
        self._strikes: dict[str, list[float]] = {}
        self._parted: set[tuple[str, int]] = set()

    def expect(self, source: str, inc: int, token: str) -> None:
        """From now on only this incarnation speaks for the source."""
        self._tokens[source] = (inc, token)
        self._aggregator.ledger.admit(source, inc)

    def say(self, source: str, message: Downward) -> bool:
        """Send to the present worker of a source; False if it is not there."""
        inc, _ = self._tokens.get(source, (0, ""))
        return self.channel.send(_name(source, inc), [DOWNWARD.encode(message)])

    def forget(self, source: str, inc: int) -> None:
        """Forget the line of a worker that has ended."""
        self._peers.pop(_name(source, inc), None)
        self._parted.discard((source, inc))
        if self._tokens.get(source, (0, ""))[0] == inc:
            del self._tokens[source]  # whoever says Hello with it now is late

    def parted(self, source: str, inc: int) -> bool:
        """Whether this worker has said Bye."""
        return (source, inc) in self._parted

    def _present(self, source: str) -> int:
        """The incarnation that speaks for a source now, 0 if none does."""
        return self._tokens.get(source, (0, ""))[0]

    def drain(self, now: Moment) -> bool:
        """Take what has come, up to 64 updates or 20 ms; returns whether more may be waiting."""
        began = time.monotonic()
        batch: list[tuple[bytes, str, Update]] = []
        more = True
        while len(batch) < MOST_UPDATES and time.monotonic() - began < MOST_SECONDS:
            received = self.channel.receive()
            if received is None:
                more = False
                break
            peer, frames = received
            for frame in frames:
                self._take(peer, frame, batch, now)
            self._heard(peer, now)
        if batch:
            self._apply(batch, now)
        return more

    def stirred(self) -> bool:
        """Whether since this was asked last there was more to take than beats of workers that go on as before."""
        stirred, self._stirred = self._stirred, False
        return stirred

    def perform(self, plan: Plan, now: Moment) -> bool:
        """Store, adopt and publish a plan; False, with nothing changed, if it could not be stored."""
        if plan.changes and self._store is not None:
            try:
                self._store.commit(plan)
            except StorageError as error:
                self._book.storage(str(error))
                return False
            self._book.storage(None)
        self._aggregator.adopt(plan, now)
        for source, count in plan.unknown_records.items():
            self._book.unknown(source, count, plan.unknown_clients.get(source), now.wall)
        self._voice.say(plan.events)
        return True

    def _apply(self, batch: list[tuple[bytes, str, Update]], now: Moment) -> None:
        plan = self._aggregator.plan([(source, update) for _, source, update in batch], now)
        if not self.perform(plan, now):
            return
        answers: dict[bytes, list[Downward]] = {}
        progressed: set[str] = set()
        passed = self._roster.quarantine.passed
        for (peer, source, update), answer in zip(batch, plan.answers, strict=True):
            if peer not in answers:
                answers[peer] = []
            answers[peer].append(answer)
            if type(answer) is Ack:
                progressed.add(source)
                passed(source, update.handle, update.before)
        for source in progressed:
            self._roster.progress(source)
        for peer, each in answers.items():
            self.channel.send(peer, [DOWNWARD.encode(answer) for answer in _joined(each)])

    def _take(self, peer: bytes, frame: bytes, batch: list[tuple[bytes, str, Update]], now: Moment) -> None:
        message = UPWARD.decode(frame)
        if not isinstance(message, Beat):
            self._stirred = True
        known = self._peers.get(peer)
        if known is not None and isinstance(message, Update):
            batch.append((peer, known[0], message))
            return
        if isinstance(message, Hello):
            self._greet(peer, message)
            return
        if known is None:
            return
        source, inc = known
        if inc != self._present(source):
            return
        if isinstance(message, DecodeFault):
            self._strike(source, message, now)
        else:
            self._note(source, message, now)

    def _heard(self, peer: bytes, now: Moment) -> None:
        """Note that a worker said something."""
        source, inc = self._peers.get(peer, ("", 0))
        if source and inc == self._present(source):
            self._roster.vigil.heard(source, now.clock)

    def _note(self, source: str, message: Upward, now: Moment) -> None:
        if isinstance(message, Beat):
            self._stirred = self._book.beat(source, message) or self._stirred
            if message.passes:
                self._roster.progress(source)
        elif isinstance(message, Fault):
            self._book.fault(source, message)
            if message.scope == "source":
                log.warning("%s: %s", source, message.detail)
        elif isinstance(message, Changed):
            if self._roster.quarantine.changed(source, message.handle, now.clock):
                self.say(source, Release(handle=message.handle))
                self._book.quarantined(source, *self._roster.quarantine.summary(source))
        elif isinstance(message, Bye):
            self._parted.add((source, self._present(source)))
            if message.reason == "unavailable":
                self._roster.absent(source, message.looked)
                self._book.absent(source, message.looked)

    def _greet(self, peer: bytes, hello: Hello) -> None:
        inc, token = self._tokens.get(hello.source, (0, ""))
        if not token or hello.inc != inc or hello.v != PROTOCOL_VERSION:
            self.channel.send(peer, [DOWNWARD.encode(Fenced())])
            return
        if hello.token != token or peer != _name(hello.source, inc):
            return
        self._peers[peer] = (hello.source, inc)
        pages = self._grants(hello.source, inc)
        for page in pages:
            self.channel.send(peer, [DOWNWARD.encode(page)])

    def _grants(self, source: str, inc: int) -> list[Grant]:
        """Split the stored cursors into pages that fit the wire; the first one names the sessions to be careful with."""
        quarantine = self._roster.quarantine
        held, suspects = quarantine.held(source), quarantine.suspects(source)
        pages: list[dict[str, str]] = [{}]
        size = sum(len(f"{handle}{held.get(handle, '')}".encode()) + 16 for handle in (*held, *suspects))
        for handle, cursor in self._aggregator.ledger.cursors(source).items():
            length = len(handle.encode()) + len(cursor.encode("utf-8", "surrogatepass")) + 16
            if size + length > WIRE_LIMIT - 4096:
                pages.append({})
                size = 0
            pages[-1][handle] = cursor
            size += length
        return [
            Grant(
                inc=inc,
                epoch=self._aggregator.epoch,
                credit=self.credit,
                cursors=page,
                quarantined=held if number == 1 else {},
                suspects=suspects if number == 1 else (),
                more=number < len(pages),
            )
            for number, page in enumerate(pages, 1)
        ]

    def _strike(self, source: str, fault: DecodeFault, now: Moment) -> None:
        """Count an unreadable message; a worker that sends three in a minute is replaced."""
        self._book.fault(source, Fault(scope="record", code=fault.code, detail=f"unreadable message: {fault.detail}"))
        recent = [at for at in self._strikes.get(source, []) if now.clock - at < STRIKE_SECONDS] + [now.clock]
        if len(recent) >= MOST_STRIKES:
            recent = []
            if self._roster.condemn(source, "garbage", now.clock):
                self.say(source, Drain(deadline=DRAIN_SECONDS))
        self._strikes[source] = recent


def _joined(answers: list[Downward]) -> Iterator[Downward]:
    """Yield the answers in order, with one acknowledgement for all updates that follow one another and are stored."""
    stored: list[int] = []
    for answer in answers:
        if isinstance(answer, Ack):
            stored.append(answer.seq)
            continue
        if stored:
            yield Ack(seq=stored[0], also=tuple(stored[1:]))
            stored = []
        yield answer
    if stored:
        yield Ack(seq=stored[0], also=tuple(stored[1:]))


def _name(source: str, inc: int) -> bytes:
    return f"{source}:{inc}".encode()
