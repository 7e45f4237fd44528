"""A worker that is a load: it keeps to the protocol, but makes its updates up, at a steady pace, and measures their way.

While the file `<BELLBOARD_TEST_LOAD_FOLDER>/go` is there it sends. It writes each update's time from being sent to being
acknowledged (when it was sent, and seconds) to `latencies` in that folder, and how many were acknowledged to `sent` when
`go` has gone.
"""

import os
import struct
import time
from typing import NoReturn

from bellboard.protocol.channel import Asking, Poll
from bellboard.protocol.codec import DOWNWARD, UPWARD
from bellboard.protocol.cursor import digest
from bellboard.protocol.order import Ack, Drain, Fenced, Grant, Order
from bellboard.protocol.session import Evidence
from bellboard.protocol.update import PROTOCOL_VERSION, Beat, Bye, Hello, SourceUpdate, Update
from bellboard.workers import runner
from bellboard.workers.leash import Leash

AHEAD = 6
"""Updates that are under way at most: fewer than the credit."""


class Load:
    """Takes the place of a Runner."""

    def __init__(self, order: Order, leash: Leash, page: object = None) -> None:
        del page  # nothing is parsed, so nothing is noted
        rate, sessions = os.environ["BELLBOARD_TEST_LOAD"].split(",")
        self._folder = os.environ["BELLBOARD_TEST_LOAD_FOLDER"]
        self._pause, self._sessions = 1 / float(rate), int(sessions)
        self._order, self._leash = order, leash
        self._link = Asking(order.endpoint, name=f"{order.source}:{order.inc}".encode())
        self._poll = Poll()
        self._poll.add(self._link)
        self._sent: dict[int, float] = {}
        self._said = self._acknowledged = 0
        self._granted = False

    def run(self) -> NoReturn:
        order = self._order
        self._say(Hello(v=PROTOCOL_VERSION, source=order.source, inc=order.inc, token=order.token, pid=os.getpid()))
        due = beat = told = 0.0
        beats = 0
        with open(f"{self._folder}/latencies", "ab", buffering=1 << 16) as self._file:
            while True:
                now = time.monotonic()
                self._leash.renew()
                going = self._granted and os.path.exists(f"{self._folder}/go")
                if self._granted and now >= beat:
                    beat, beats = now + 2, beats + 1
                    self._say(Beat(progress=self._said + beats, phase="wait", passes=1))
                if not going and now >= told:
                    told = now + 0.1
                    self._tell()
                due = max(due, now - 0.1)
                while going and due <= now and len(self._sent) < AHEAD:
                    due += self._pause
                    self._update()
                self._poll.wait(max(0.0, min(due - time.monotonic(), 0.05)) if going else 0.05)
                self._listen()

    def _tell(self) -> None:
        self._file.flush()
        with open(f"{self._folder}/sent.new", "w", encoding="ascii") as file:
            file.write(str(self._acknowledged if not self._sent else -1))
        os.replace(f"{self._folder}/sent.new", f"{self._folder}/sent")

    def _update(self) -> None:
        number = self._said
        round_number, place = divmod(number, self._sessions)
        before = digest(str(round_number)) if round_number else ""
        facts = SourceUpdate(
            session_id=f"s{place:04}",
            title="A session of the load",
            activity="working",
            evidence=Evidence(kind="record"),
            message_count_delta=1,
        )
        update = Update(
            inc=self._order.inc,
            seq=number + 1,
            handle=f"s{place:04}",
            before=before,
            after=str(round_number + 1),
            facts=facts,
        )
        self._said += 1
        self._sent[self._said] = time.monotonic()
        self._say(update)

    def _say(self, message: object) -> None:
        while not self._link.send([UPWARD.encode(message)]):  # type: ignore[arg-type]
            time.sleep(0.01)

    def _listen(self) -> None:
        while (frames := self._link.receive()) is not None:
            for frame in frames:
                message = DOWNWARD.decode(frame)
                if isinstance(message, Grant):
                    self._granted = True
                elif isinstance(message, Ack):
                    self._stored(message.seq, *message.also)
                elif isinstance(message, Drain | Fenced):
                    self._say(Bye(reason="drained"))
                    self._link.flush_and_close(1)
                    os._exit(0)

    def _stored(self, *seqs: int) -> None:
        if not os.path.exists(f"{self._folder}/flowing"):
            open(f"{self._folder}/flowing", "wb").close()
        for seq in seqs:
            at = self._sent.pop(seq)
            self._acknowledged += 1
            self._file.write(struct.pack("dd", at, time.monotonic() - at))


def install() -> None:
    """Let the worker process be a load."""
    import bellboard.workers.__main__ as entry

    runner.Runner = entry.Runner = Load  # type: ignore[assignment,misc]
