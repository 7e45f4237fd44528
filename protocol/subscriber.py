"""Subscriber: attach to a running board and follow it, whatever happens to it or to you.

This is what programs import. It keeps a `Replica` (replica.py), which finds out what was missed, and does the talking:
it listens, asks for snapshots, and starts over by itself when the supervisor was restarted.

    with Subscriber() as board:
        for event in board:
            ...
"""

import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import Self, TypeAlias

from . import recall
from .addresses import EVENTS, SNAPSHOT, address, default_runtime_dir
from .ask import SnapshotRequest
from .channel import Asking, Listening, Poll
from .codec import EVENT, SNAPSHOT_PAGE, SNAPSHOT_REQUEST, DecodeFault
from .errors import NotRunning
from .event import HEARTBEAT_TOPIC, BoardEvent, Snapshot
from .history import History
from .replica import Key, Replica
from .session import HealthState, SessionState

Item: TypeAlias = Snapshot | BoardEvent
"""What iterating yields: a `Snapshot` after joining and after each resynchronisation, events in between."""

STEP_SECONDS = 0.25


class Subscriber:
    """A live copy of the board. Usable as a sync or async iterator and context manager; not from several threads.

    `sources` limits what is followed. Raises `NotRunning` if no supervisor answers within `patience` seconds of joining;
    once joined it waits for a lost supervisor to come back, and `connected` tells the difference.
    """

    def __init__(
        self, runtime_dir: str | None = None, *, sources: Iterable[str] | None = None, patience: float = 5.0
    ) -> None:
        self.runtime_dir = runtime_dir or default_runtime_dir()
        self.undecodable = 0
        self._sources = None if sources is None else tuple(sorted(sources))
        self._patience = patience
        self._replica = Replica(None if self._sources is None else frozenset(self._sources))
        events, snapshot = address(self.runtime_dir, EVENTS), address(self.runtime_dir, SNAPSHOT)
        if not os.path.exists(os.path.join(self.runtime_dir, EVENTS)):
            raise NotRunning(f"no supervisor in {self.runtime_dir}: start one with `bellboard run`")
        self._listening = Listening(events, self._topics())
        self._asking = Asking(snapshot)
        self._poll = Poll()
        self._poll.add(self._listening)
        self._poll.add(self._asking)

    @property
    def sessions(self) -> dict[Key, SessionState]:
        """The sessions on the board, by (source, id)."""
        return self._replica.sessions

    @property
    def health(self) -> dict[str, HealthState]:
        """How each source's worker is doing, by source."""
        return self._replica.health

    @property
    def connected(self) -> bool:
        """Whether the supervisor was heard in the last five seconds."""
        return self._replica.connected(time.monotonic())

    @property
    def silence(self) -> float | None:
        """For how many seconds the supervisor was not heard, None if it never was: so old is the picture."""
        return self._replica.silence(time.monotonic())

    @property
    def resyncs(self) -> int:
        """How often this subscriber found itself behind and fetched the whole picture again."""
        return self._replica.resyncs

    def join(self) -> Snapshot:
        """Wait for the first whole picture. Raises NotRunning if none comes within `patience` seconds."""
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            for item in self.receive(STEP_SECONDS):
                if isinstance(item, Snapshot):
                    return item
        raise NotRunning(f"the supervisor in {self.runtime_dir} does not answer: is it running? (`bellboard run`)")

    def receive(self, timeout: float) -> list[Item]:
        """Return what has come, waiting at most `timeout` seconds for something to come."""
        # First what came while nobody looked: asking again makes an answer that is here already worthless.
        items = self._drain()
        if not items:
            self._poll.wait(timeout)
            items = self._drain()
        return items

    def history(self, source: str, name: str) -> History:
        """Return what a session did in the last hour, see `recall.history`."""
        return recall.history(self.runtime_dir, source, name)

    def pulses(self) -> dict[Key, tuple[int, ...]]:
        """Return messages and tool calls of each of the last 60 minutes by session, see `recall.pulses`."""
        return {(pulse.source, pulse.id): pulse.counts for pulse in recall.pulses(self.runtime_dir, self._sources)}

    def close(self) -> None:
        """Leave the board."""
        self._listening.close()
        self._asking.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Item]:
        if not self._replica.joined:
            yield self.join()
        while True:
            yield from self.receive(STEP_SECONDS)

    async def __aiter__(self) -> AsyncIterator[Item]:
        import asyncio  # noqa: PLC0415 - as heavy as all the rest, and most programs iterate without it

        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        descriptors = (self._listening.fd, self._asking.fd)
        for fd in descriptors:
            loop.add_reader(fd, ready.set)
        deadline = time.monotonic() + self._patience
        try:
            while True:
                # The descriptors are edge-triggered: clear first, then drain, or a wake-up could be lost.
                ready.clear()
                for item in self.receive(0):
                    yield item
                if not self._replica.joined and time.monotonic() > deadline:
                    raise NotRunning(f"the supervisor in {self.runtime_dir} does not answer: is it running?")
                # Not `wait_for`: until Python 3.12 that loses a cancellation which meets an event.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STEP_SECONDS):
                        await ready.wait()
        finally:
            for fd in descriptors:
                loop.remove_reader(fd)

    def _topics(self) -> list[bytes]:
        if self._sources is None:
            return [b""]
        topics = [HEARTBEAT_TOPIC]
        for source in self._sources:
            topics += [f"session.{source}.".encode(), f"health.{source}".encode()]
        return topics

    def _ask(self) -> None:
        number = self._replica.ask(time.monotonic())
        if number is not None:
            request = SnapshotRequest(request=number, sources=self._sources, seen=self._replica.seen)
            if not self._asking.send([SNAPSHOT_REQUEST.encode(request)]):
                self._replica.unsent(time.monotonic())

    def _drain(self) -> list[Item]:
        items: list[Item] = []
        while (data := self._listening.receive()) is not None:
            event = EVENT.decode(data)
            if isinstance(event, DecodeFault):
                self.undecodable += 1
                continue
            applied = self._replica.feed(event, time.monotonic(), random.random())  # noqa: S311 - jitter, not a secret
            if applied is not None:
                items.append(applied)
        while (frames := self._asking.receive()) is not None:
            page = SNAPSHOT_PAGE.decode(frames[-1])
            if isinstance(page, DecodeFault):
                self.undecodable += 1
                continue
            whole = self._replica.answer(page, time.monotonic(), random.random())  # noqa: S311 - jitter, not a secret
            if whole is not None:
                items.append(whole)
        self._ask()
        return items
