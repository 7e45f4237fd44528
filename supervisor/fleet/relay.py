"""Relay: the board of a fleet for whoever started it: it reads an engine and speaks the protocol of a board.

Everything that shows a board shows a fleet's so, and knows nothing of engines. It is a child process with a folder of its
own, without a control socket: nothing can be told to other machines from here. The counterpart that starts it is
`lodging.py`; what is on the board is decided in `roll.py`. While the engine is away there is no heartbeat: a dead engine
must look like a dead supervisor, never like a quiet day.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime

from ...protocol.addresses import EVENTS, SNAPSHOT, address
from ...protocol.ask import HistoryAnswer, PulsesAnswer, SnapshotRequest
from ...protocol.codec import HISTORY_ANSWER, PULSES_ANSWER
from ...protocol.event import BoardEvent
from ..answers import PULSES_LOOKED_AT
from ..clock import Moment
from ..errors import UsageError
from ..folders import private_folder
from ..pictures import Pictures
from ..voice import Voice
from . import condition
from .condition import Condition
from .engine import Engine, Entry, Told, Whole
from .errors import EngineLost, EngineRefused
from .roll import Roll

SOCKETS = (EVENTS, SNAPSHOT)

STEP_SECONDS = 0.25
PENDING_SECONDS = 0.01
"""While somebody waits for pages of a snapshot that could not be sent at once."""

TICK_SECONDS = 0.5
FIRST_PAUSE, MOST_PAUSE = 0.5, 10.0
REFUSED_SECONDS = 30.0
"""Who is refused tries again so much later: a wrong credential may be mended."""

MOST_AT_ONCE = 200
"""Entries that are taken before others have their turn."""

Take = Callable[[Entry, Moment], list[BoardEvent]]


class Relay:
    """Keeps the board of an engine in a folder. `run` ends when it is cancelled."""

    def __init__(self, folder: str, engine: Engine, epoch: str) -> None:
        self.roll = Roll(epoch)
        self.condition = Condition()
        self._folder = folder
        self._engine = engine
        self._told_whole = 0
        self._held: list[BoardEvent] = []
        before = os.umask(0o177)
        try:
            self._voice = Voice(address(folder, EVENTS))
            self._pictures = Pictures(
                address(folder, SNAPSHOT), lambda: self.roll.seq, self.roll.snapshot, self._remembered
            )
        finally:
            os.umask(before)

    @property
    def live(self) -> bool:
        """Whether the board is that of now."""
        return self.condition.stage == "live"

    async def run(self) -> None:
        """Follow the engine and serve those who listen, until cancelled. Raises UsageError if it can never be followed."""
        tasks = [asyncio.create_task(each) for each in (self._follow(), self._serve())]
        try:
            await asyncio.gather(*tasks)
        finally:
            await _ended(tasks)
            await self._engine.close()

    def close(self) -> None:
        """Close the sockets, and leave none in the folder."""
        self._voice.channel.close()
        self._pictures.channel.close()
        for name in (*SOCKETS, condition.FILE):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._folder, name))

    async def _follow(self) -> None:
        tries = 0
        while True:
            pause = REFUSED_SECONDS
            try:
                await self._engine.connect()
                self._say(Condition(stage="reading"))
                await self._watch()
            except EngineRefused as error:
                self._say(Condition(stage="refused", text=str(error)))
            except EngineLost as error:
                tries = 0 if self.live else tries + 1
                self._say(Condition(stage="lost", text=str(error)))
                pause = min(MOST_PAUSE, FIRST_PAUSE * 2 ** min(tries, 8)) * (0.5 + random.random() / 2)  # noqa: S311
            except UsageError as error:
                self._say(Condition(stage="unusable", text=str(error)))
                raise
            await asyncio.sleep(pause)

    async def _watch(self) -> None:
        """Take what stands and what changes, until something may have been missed. Raises EngineLost, EngineRefused."""
        self._told_whole = 0
        self.roll.begin()
        watches = (
            (self._engine.hosts.watch(), self.roll.meet),
            (self._engine.state.watch(), self.roll.take),
        )
        tasks = [asyncio.create_task(self._take(*each)) for each in watches]
        try:
            await asyncio.gather(*tasks)
        finally:
            await _ended(tasks)
        raise EngineLost("it has nothing more to tell")

    async def _take(self, watch: AsyncGenerator[Told], take: Take) -> None:
        async with contextlib.aclosing(watch):
            count = 0
            async for told in watch:
                if isinstance(told, Whole):
                    self._told_whole += 1
                    if self._told_whole == 2:
                        self._caught_up()
                else:
                    self._publish(take(told, _now()))
                count += 1
                if count % MOST_AT_ONCE == 0:
                    await asyncio.sleep(0)

    def _caught_up(self) -> None:
        self._publish(self.roll.whole(_now()))
        self._say(Condition(stage="live"))
        self._publish([])

    def _publish(self, events: list[BoardEvent]) -> None:
        """Tell what happened; what is found while all that stands is told anew goes out together at the end."""
        self._held += events
        if self.live and self._held:
            self._voice.say(self._held)
            self._held = []
        if self.live and len(self.roll.odd) != self.condition.odd:
            self._say(self.condition)

    def _say(self, said: Condition) -> None:
        self.condition = Condition(stage=said.stage, text=said.text, odd=len(self.roll.odd))
        condition.write(self._folder, self.condition)

    async def _serve(self) -> None:
        """Answer, say heartbeats, and notice who has fallen silent."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        descriptors = (self._voice.channel.fd, self._pictures.channel.fd)
        for fd in descriptors:
            loop.add_reader(fd, ready.set)
        tick_at = 0.0
        try:
            while True:
                # The descriptors are edge-triggered: clear first, then drain, or a wake-up could be lost.
                ready.clear()
                now = _now()
                self._voice.listen()
                if self.live and now.clock >= tick_at:
                    tick_at = now.clock + TICK_SECONDS
                    self._publish(self.roll.tick(now))
                if self.live and self._voice.heartbeat_due(now.clock):
                    self._voice.heartbeat(self.roll.heartbeat(now), now.clock)
                if self._pictures.serve(now.clock):
                    await asyncio.sleep(0)
                    continue
                rest = max(0.0, min(STEP_SECONDS, self._voice.due - now.clock)) if self.live else STEP_SECONDS
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PENDING_SECONDS if self._pictures.pending else rest):
                        await ready.wait()
        finally:
            for fd in descriptors:
                loop.remove_reader(fd)

    def _remembered(self, request: SnapshotRequest) -> bytes:
        """Answer a question about the last hour."""
        now = _now().wall
        if request.want == "history":
            history = self.roll.history(request.source, request.id, now)
            return HISTORY_ANSWER.encode(HistoryAnswer(request=request.request, history=history))
        found, after = self.roll.histories.pulses(request.sources, request.after, PULSES_LOOKED_AT, now)
        return PULSES_ANSWER.encode(PulsesAnswer(request=request.request, pulses=tuple(found), after=after))


def serve(folder: str, engine: Engine) -> None:
    """Keep a fleet's board for whoever started us: say on stdout where it is, and end when stdin does. Raises UsageError."""
    private_folder(folder, "runtime")
    relay = Relay(folder, engine, os.urandom(8).hex())
    try:
        sys.stdout.write(folder + "\n")
        sys.stdout.flush()
        asyncio.run(_until_stdin_ends(relay))
    finally:
        relay.close()
        with contextlib.suppress(OSError):
            os.rmdir(folder)


async def _until_stdin_ends(relay: Relay) -> None:
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(relay.run())

    def end() -> None:
        loop.remove_reader(sys.stdin.fileno())
        running.cancel()

    # Nobody ever writes to it: that it can be read means that it has ended.
    loop.add_reader(sys.stdin.fileno(), end)
    loop.add_signal_handler(signal.SIGTERM, end)
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _ended(tasks: "list[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _now() -> Moment:
    return Moment(datetime.now(UTC), time.monotonic())
