import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bellboard.protocol.channel import Answering, Poll
from bellboard.protocol.codec import DOWNWARD, ORDER, UPWARD, DecodeFault
from bellboard.protocol.cursor import digest
from bellboard.protocol.order import Ack, Downward, Drain, Fenced, Grant, Nack, Order, Ping
from bellboard.protocol.update import Beat, Bye, Fault, Hello, SourceUpdate, Update, Upward
from bellboard.workers import outbox, runner
from bellboard.workers.leash import Leash
from bellboard.workers.runner import EXIT_FAILED, EXIT_OK, EXIT_UNAVAILABLE, Runner

PATIENCE = 10.0
PROOF = "t"
NEVER = 3600.0
HERE = os.path.dirname(__file__)

M = TypeVar("M", Hello, Update, Beat, Fault, Bye)


class Board:
    """The board's end of the line: it hears everything, and says what it is told to say."""

    def __init__(self, endpoint: str) -> None:
        self.channel = Answering(endpoint)
        self.heard: list[Upward] = []
        self._inbox: deque[Upward] = deque()

    def say(self, *messages: Downward) -> None:
        assert self.channel.send(b"lines:1", [DOWNWARD.encode(message) for message in messages])

    def grant(self, credit: int = 8, **fields: Any) -> None:
        """Wait for the worker and let it begin."""
        self.hear(Hello)
        self.say(Grant(inc=1, epoch="e", credit=credit, **fields))

    def hear(self, kind: type[M]) -> M:
        """Return the next message of a kind; what comes before it is passed over."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.listen(deadline)
            message = self._inbox.popleft()
            if isinstance(message, kind):
                return message

    def listen(self, deadline: float = 0.0) -> None:
        """Take what has come; with a deadline, wait for at least one message."""
        poll = Poll()
        poll.add(self.channel)
        while (received := self.channel.receive()) is not None or (deadline and not self._inbox):
            if received is None:
                assert time.monotonic() < deadline, f"it did not come, only {self.heard}"
                poll.wait(0.05)
                continue
            peer, frames = received
            assert peer == b"lines:1"
            for frame in frames:
                message = UPWARD.decode(frame)
                assert not isinstance(message, DecodeFault)
                self.heard.append(message)
                self._inbox.append(message)

    def settle(self) -> Beat:
        """Wait until the worker has got round its loop a few times; returns its last beat."""
        for _ in range(3):
            self.listen()
            self._inbox = deque(message for message in self._inbox if not isinstance(message, Beat))
            waiting = list(self._inbox)
            self.say(Ping())
            beat = self.hear(Beat)
            self._inbox.extendleft(reversed([*waiting, *[each for each in self._inbox if each not in waiting]]))
        return beat
