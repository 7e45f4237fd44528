"""Runner: the loop of a worker process. It waits, lets the round parse, sends, and beats.

Only this file of the package does I/O towards the board. What to look at is found out by `lookout.py`; what to parse and
what to say again is decided in `round.py` and `outbox.py`.
"""

import os
import time
import traceback
from typing import NoReturn

from ..protocol.channel import Asking, Poll
from ..protocol.codec import DOWNWARD, UPWARD, DecodeFault
from ..protocol.order import Ack, Downward, Drain, Fenced, Grant, Nack, Order, Ping, Release
from ..protocol.recorder import Note, Recorder, unread
from ..protocol.update import PROTOCOL_VERSION, Beat, Bye, Fault, Hello, Upward
from ..sources.catalog import load
from ..sources.contract import Source
from ..sources.errors import SourceUnavailable
from .faults import describe, of_handle, sayable
from .leash import Leash
from .lookout import Lookout
from .outbox import Outbox
from .pace import together
from .round import Parsed, Round
from .veil import veiled

HELLO_SECONDS = 5.0
BYE_SECONDS = 1.0
BATCH_SECONDS = 0.02
NEWS_SECONDS = 0.002
"""How long sessions are parsed before what came of it goes out; and on, once one follows in which nothing is new."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_UNAVAILABLE = 69


class Ended(Exception):
    """Raised inside the loop when the worker has to end; `bye` is its last word."""

    def __init__(self, bye: Bye, code: int) -> None:
        super().__init__(bye.reason)
        self.bye = bye
        self.code = code


class Runner:
    """One incarnation of one source's worker."""

    def __init__(self, order: Order, leash: Leash, recorder: Recorder | None = None) -> None:
        if order.spool is not None:
            os.environ["BELLBOARD_SPOOL"] = order.spool
        self._order = order
        self._leash = leash
        self._recorder = recorder or unread()
        self._link = Asking(order.endpoint, name=f"{order.source}:{order.inc}".encode())
        self._poll = Poll()
        self._poll.add(self._link)
        self._outbox = Outbox(order.inc, 1)
        self._lookout: Lookout | None = None
        self._granted: list[Grant] = []
        self._released: list[str] = []
        self._hello_at = 0.0
        self._passes = 0
        self._in_pass = False
        self._next_beat = 0.0
        self._drain_until: float | None = None

    def run(self) -> int:
        """Work until told to end. Returns the exit code."""
        try:
            self._hello()
            source = self._load()
            work = Round(source, since=self._order.since, recorder=self._recorder)
            work.look_ahead()
            self._await_grant()
            self._begin(work)
            self._work(work, self._look_out(source, work))
        except Ended as end:
            self._say(end.bye)
            self._link.flush_and_close(BYE_SECONDS)
            if self._lookout is not None:
                self._lookout.close()
            return end.code

    def _hello(self) -> None:
        """Say Hello, as soon as the line stands; what was granted of an answer that was not whole is granted anew."""
        order = self._order
        hello = Hello(v=PROTOCOL_VERSION, source=order.source, inc=order.inc, token=order.token, pid=os.getpid())
        self._granted.clear()
        while not self._say(hello):
            self._poll.wait(0.005)
            self._leash.renew()
        self._hello_at = time.monotonic()

    def _await_grant(self) -> None:
        """Wait for the board's grant, which was on its way meanwhile; ask for it again now and then."""
        self._listen(None)
        while not self._granted or self._granted[-1].more:
            if time.monotonic() - self._hello_at >= HELLO_SECONDS:
                self._hello()
            self._poll.wait(1.0)
            self._listen(None)
            self._leash.renew()

    def _load(self) -> Source:
        self._recorder.note(Note("load"))
        try:
            source = load(self._order.source, self._order.factory, self._order.options)
            return veiled(source, self._order.privacy, self._order.seal)
        except Exception as error:
            # Whatever the code of a source raises while it is imported or made is a Fault of that source. The whole of
            # it goes to the log, for whoever writes the source: no conversation has been read yet.
            traceback.print_exc()
            self._await_grant()  # before it the board does not listen to us
            self._say(Fault(scope="source", code="not loadable", detail=describe(error)))
            raise Ended(Bye(reason="failed"), EXIT_FAILED) from error
        finally:
            self._recorder.rest()

    def _begin(self, work: Round) -> None:
        for grant in self._granted:
            work.grant(grant.cursors, grant.quarantined, grant.suspects)
        self._outbox = Outbox(self._order.inc, self._granted[-1].credit)
        self._granted.clear()
        for handle in self._released:
            work.release(handle)

    def _look_out(self, source: Source, work: Round) -> Lookout:
        self._lookout = Lookout(self._order, source, work, self._say)
        if self._lookout.fd is not None:
            self._poll.add(self._lookout.fd)
        return self._lookout

    def _work(self, work: Round, lookout: Lookout) -> NoReturn:
        while True:
            now = time.monotonic()
            if self._drain_until is not None and (not self._outbox or now > self._drain_until):
                raise Ended(Bye(reason="drained"), EXIT_OK)
            if self._drain_until is None:
                self._in_pass = self._look(lookout, now) or self._in_pass
                self._take(work)
            self._send_due(time.monotonic())
            if self._in_pass and not work.backlog and not self._outbox:
                self._in_pass, self._next_beat = False, 0.0
                self._passes += 1
            if now >= self._next_beat:
                self._beat(work, now)
            self._poll.wait(self._patience(work, lookout))
            self._listen(work)

    @staticmethod
    def _look(lookout: Lookout, now: float) -> bool:
        try:
            return lookout.look(now)
        except SourceUnavailable as error:
            looked = tuple(sayable(path) for path in error.looked)
            raise Ended(Bye(reason="unavailable", looked=looked), EXIT_UNAVAILABLE) from error

    def _patience(self, work: Round, lookout: Lookout) -> float:
        """How long nothing needs to be done unless something comes in."""
        if work.backlog and self._outbox.free > 0 and self._drain_until is None:
            return 0.0
        if self._drain_until is not None:
            until = min(self._next_beat, self._drain_until)
        else:
            until = min(self._next_beat, lookout.due)
        return max(0.0, until - time.monotonic())

    def _take(self, work: Round) -> None:
        """Parse for a moment, or until the credit is used up: what came of it goes out as one message.

        It goes out sooner where sessions follow in which nothing is new: after a restart those are nearly all.
        """
        until = time.monotonic() + BATCH_SECONDS
        news = False
        while work.backlog and self._outbox.free > 0:
            result = work.step()
            if isinstance(result, Parsed):
                news = True
                result = self._put(result, work)
            elif result is None and news:
                until = min(until, time.monotonic() + NEWS_SECONDS)
                news = False
            if result is not None:
                self._say(result)
            if time.monotonic() >= until:
                break

    def _put(self, parsed: Parsed, work: Round) -> Fault | None:
        """Hand a step to the outbox, or take it back and say why."""
        handle = parsed.handle.id
        try:
            wrong = self._outbox.put(parsed)
            if wrong is None:
                return None
            fault = of_handle(handle, wrong.code, wrong.detail)
        except Exception as error:  # noqa: BLE001 - a source may put anything into an update, also what has no bytes
            fault = of_handle(handle, "not encodable", describe(error))
        work.refuse(handle, parsed.before)
        return fault

    def _send_due(self, now: float) -> None:
        due = self._outbox.due(now)
        if due:
            self._link.send(due)

    def _beat(self, work: Round, now: float) -> None:
        self._say(
            Beat(
                progress=work.steps,
                phase="draining" if self._drain_until is not None else "reading" if work.backlog else "watching",
                backlog=work.backlog,
                passes=self._passes,
                failing=len(work.failing),
                discover_failures=work.discover_failures,
                left_out=work.left_out,
            )
        )
        self._next_beat = together(now, self._order.beat)
        self._leash.renew()

    def _listen(self, work: Round | None) -> None:
        while (frames := self._link.receive()) is not None:
            for frame in frames:
                message = DOWNWARD.decode(frame)
                if not isinstance(message, DecodeFault):
                    self._obey(message, work)

    def _obey(self, message: Downward, work: Round | None) -> None:
        match message:
            case Grant():
                self._granted.append(message)
            case Ack():
                self._outbox.ack(message.seq, *message.also)
            case Nack():
                handle = self._outbox.drop(message.seq)
                if handle is not None and work is not None:
                    work.rewind(handle, message.have)
            case Release():
                self._release(message.handle, work)
            case Ping():
                self._next_beat = 0.0
            case Drain():
                self._drain(message.deadline)
            case Fenced():
                raise Ended(Bye(reason="fenced"), EXIT_OK)

    def _release(self, handle: str, work: Round | None) -> None:
        """Leave a session alone no more; before work has begun, once the grant is taken over, which may still name it."""
        if work is not None:
            work.release(handle)
        else:
            self._released.append(handle)

    def _drain(self, seconds: float) -> None:
        self._drain_until = time.monotonic() + seconds
        if self._lookout is not None and self._lookout.fd is not None:
            self._poll.drop(self._lookout.fd)  # nobody reads it any more: waiting with it would be spinning
            self._lookout.close()

    def _say(self, message: Upward) -> bool:
        return self._link.send([UPWARD.encode(message)])
