"""A worker under test: the board's end of its line, a real runner in a thread, and what one line of a session makes."""

import threading
import time
from pathlib import Path
from typing import Any, TypeVar

from bellboard.protocol.channel import Answering, Poll
from bellboard.protocol.codec import DOWNWARD, UPWARD, DecodeFault
from bellboard.protocol.cursor import digest
from bellboard.protocol.order import Downward, Grant, Order, Ping
from bellboard.protocol.update import Beat, Bye, Fault, Hello, SourceUpdate, Update, Upward
from bellboard.workers.leash import Leash
from bellboard.workers.runner import Runner

PATIENCE = 10.0
PROOF = "t"
WORKER = b"lines:1"

M = TypeVar("M", Hello, Update, Beat, Fault, Bye)


class Board:
    """The board's end of the line: it hears everything, and says what it is told to say."""

    def __init__(self, endpoint: str) -> None:
        self.channel = Answering(endpoint)
        self.heard: list[Upward] = []
        self._told: dict[type[Upward], int] = {}

    @property
    def updates(self) -> list[Update]:
        """All updates that were heard so far."""
        self.listen()
        return [message for message in self.heard if isinstance(message, Update)]

    def say(self, *messages: Downward) -> None:
        assert self.channel.send(WORKER, [DOWNWARD.encode(message) for message in messages])

    def grant(self, credit: int = 8, **fields: Any) -> None:
        """Wait for the worker and let it begin."""
        self.hear(Hello)
        self.say(Grant(inc=1, epoch="e", credit=credit, **fields))

    def hear(self, kind: type[M]) -> M:
        """Return the next message of this kind, waiting for it if need be."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for number in range(self._told.get(kind, 0), len(self.heard)):
                message = self.heard[number]
                if isinstance(message, kind):
                    self._told[kind] = number + 1
                    return message
            self._told[kind] = len(self.heard)
            assert time.monotonic() < deadline, f"no {kind.__name__} came, only {self.heard}"
            self.listen(0.05)

    def listen(self, seconds: float = 0) -> None:
        """Take what has come; wait at most so long for something to come."""
        poll = Poll()
        poll.add(self.channel)
        poll.wait(seconds)
        while (received := self.channel.receive()) is not None:
            peer, frames = received
            assert peer == WORKER
            for frame in frames:
                message = UPWARD.decode(frame)
                assert not isinstance(message, DecodeFault)
                self.heard.append(message)

    def settle(self) -> Beat:
        """Wait until the worker has got round its loop a few times; returns what it said last of its progress."""
        return [self._ping() for _ in range(3)][-1]

    def _ping(self) -> Beat:
        self.listen()
        self._told[Beat] = len(self.heard)
        self.say(Ping())
        return self.hear(Beat)

    def beat(self, passes: int) -> Beat:
        """Wait for the beat that ends this pass."""
        while (beat := self.hear(Beat)).passes < passes:
            pass
        return beat


class Slack(Leash):
    """A leash that ties nobody: the parent of these tests is not to be followed to its end."""

    def __init__(self) -> None:
        self.renewed = 0

    def renew(self) -> None:
        self.renewed += 1


class Worker(threading.Thread):
    """A real runner in a thread."""

    def __init__(self, order: Order) -> None:
        super().__init__(name="worker", daemon=True)
        self.leash = Slack()
        self.runner: Runner | None = None
        self._order = order
        self._code: int | None = None

    def run(self) -> None:
        self.runner = Runner(self._order, self.leash)
        self._code = self.runner.run()

    def exit(self) -> int | None:
        """Wait for the end; returns the exit code."""
        self.join(PATIENCE)
        assert not self.is_alive(), "the worker did not end"
        return self._code


def write(path: Path, *lines: str) -> None:
    """Add lines to a session, all at once."""
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def update(seq: int, name: str, read: int, line: str) -> Update:
    """The update of one line, after so many others."""
    return Update(
        inc=1,
        seq=seq,
        handle=name,
        before=digest(str(read) if read else ""),
        after=str(read + 1),
        facts=SourceUpdate(session_id=name, title=line, message_count_delta=1),
    )
