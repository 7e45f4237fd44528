"""Exporter: carries one machine's board to a fleet's engine. A subscriber like any other: the board does not feel it.

Two tasks that never wait for each other: one hears the board and keeps what it said (`telling.py`, `outbox.py`), the other
says it to the engine, round by round and for as long as the machine's lease is ours (`lease.py`): the last state of each key
first (`entries.py`), then the history (`delivery.py`). The counterpart is `relay.py`, which hears all machines.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from ...protocol.errors import ProtocolError
from ...protocol.event import Snapshot
from ...protocol.subscriber import Item, Subscriber
from ..version import VERSION
from .delivery import Delivery
from .engine import Engine, Entry
from .entries import Entries
from .errors import Conflict, EngineLost, EngineRefused
from .lease import Lease
from .notices import Notices
from .outbox import Outbox
from .record import Presence, decode_presence
from .telling import Piece, Telling

FLUSH_SECONDS = 0.04
MOST_BUFFERED = 256
MOST_AT_ONCE = 256
"""How many writes are under way together: what a round takes is bounded, so that the sign of life is never late."""

CLOSE_SECONDS = 2.0


class Pace(Struct, frozen=True, kw_only=True):
    """How often an exporter does what, in seconds."""

    beat: float = 10.0
    standby: float = 5.0
    whole: float = 3600.0
    look: float = 0.5
    first: float = 1.0
    most: float = 30.0
    refused: float = 30.0
    told: float = 60.0


class Exporter:
    """Carries the board in `runtime_dir` to an engine; `run` it until it is cancelled."""

    def __init__(
        self,
        runtime_dir: str,
        engine: Engine,
        telling: Telling,
        outbox: Outbox,
        exporter: str,
        say: Callable[[str], None],
        *,
        pace: Pace | None = None,
    ) -> None:
        self._runtime_dir = runtime_dir
        self._engine = engine
        self._telling = telling
        self._outbox = outbox
        self._exporter = exporter
        self._pace = pace or Pace()
        self._notices = Notices(say)
        self._entries = Entries(engine.state, telling, self._verify, self._notices)
        # Who was here before is asked first: a loss that is found by that is no fault of the engine, and not said as one.
        self._lease = Lease(engine.hosts, telling.host, exporter, outbox.successor(exporter))
        self._delivery = Delivery(engine, outbox, self._notices, refused=self._pace.refused, told=self._pace.told)
        self._held = self._standing_by = False
        self._holding = asyncio.Lock()
        self._held_at = 0.0
        self._failed = 0
        self._board: Subscriber | None = None
        self._joined = False
        self._heard = (False, datetime.now(UTC))
        self._buffer: list[Piece] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0
        self._wake = asyncio.Event()
        self._beat_at = self._whole_at = 0.0

    async def run(self) -> None:
        """Carry on until cancelled; then let go of the lease."""
        hearing = asyncio.ensure_future(self._hear())
        speaking = asyncio.ensure_future(self._speak())
        try:
            done, _ = await asyncio.wait((hearing, speaking), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # neither ends by itself: what is raised here is a defect
        finally:
            for task in (hearing, speaking):
                task.cancel()
            await asyncio.gather(hearing, speaking, return_exceptions=True)
            self._flush()
            if self._held:
                with contextlib.suppress(Conflict, EngineLost, EngineRefused, TimeoutError):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await self._lease.drop()
            await self._engine.close()

    async def _hear(self) -> None:
        """Follow the board for ever, and through its restarts."""
        while True:
            try:
                async with Subscriber(self._runtime_dir) as self._board:
                    async for item in self._board:
                        self._take(item)
            except ProtocolError as error:
                self._notices.about("board", f"the board is not heard: {error}")
                await asyncio.sleep(self._pace.first)

    def _take(self, item: Item) -> None:
        if isinstance(item, Snapshot):
            self._joined = True
            self._telling.whole(item, datetime.now(UTC))
            self._entries.doubt()
            self._wake.set()
            return
        piece = self._telling.event(item)
        self._entries.changed(piece.key)
        if not self._standing_by:
            self._buffer.append(piece)
        if len(self._buffer) >= MOST_BUFFERED:
            self._flush()
        elif self._flushing is None:
            loop = asyncio.get_running_loop()
            self._flushing = loop.call_at(max(loop.time(), self._flushed_at + FLUSH_SECONDS), self._flush)

    def _flush(self) -> None:
        """Keep what was heard, at once after a pause, else some hundredths of a second after the last time."""
        if self._flushing is not None:
            self._flushing.cancel()
        self._flushing, self._flushed_at = None, asyncio.get_running_loop().time()
        buffer, self._buffer = self._buffer, []
        if buffer:
            self._outbox.add(buffer)
        self._wake.set()

    async def _speak(self) -> None:
        """Be connected for ever, with pauses that grow while that does not help."""
        while True:
            pause = self._pace.refused
            try:
                await self._engine.connect()
                self._begin()
                while True:
                    await self._round()
                    self._failed = 0
            except EngineRefused as error:
                self._notices.about("engine", f"{error}; tried again every {self._pace.refused:g} s")
            except EngineLost as error:
                self._notices.about("engine", f"{error}; it is tried again, and what the board says is kept meanwhile")
                pause = min(self._pace.most, self._pace.first * 2 ** min(self._failed, 16))
                pause *= 0.5 + random.random() / 2  # noqa: S311 - jitter, not a secret
                self._failed += 1
            await self._engine.close()
            await asyncio.sleep(pause)

    def _begin(self) -> None:
        self._held = False
        self._beat_at = 0.0
        self._entries.begin()
        self._delivery.begin()

    async def _round(self) -> None:
        """Say what there is to say, and wait for more. Raises EngineLost and EngineRefused."""
        loop = asyncio.get_running_loop()
        self._wake.clear()
        more = False
        await self._beat(loop.time())
        if self._held:
            if self._heard[0] and (self._entries.in_doubt or loop.time() >= self._whole_at):
                await self._entries.compare()
                self._whole_at = loop.time() + self._pace.whole
            await self._entries.push(MOST_AT_ONCE)  # which may find that the lease is another's
            more = self._held and await self._delivery.push(MOST_AT_ONCE, loop.time())
        self._delivery.tell(loop.time())
        if self._held and (self._entries.owed or more):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(self._pace.look, max(0.01, self._beat_at - loop.time()))):
                await self._wake.wait()

    async def _beat(self, now: float) -> None:
        """Say that the machine is there, when it is time or when the board fell silent or was heard again."""
        heard = self._joined and self._board is not None and self._board.connected
        if heard != self._heard[0]:
            self._heard = heard, datetime.now(UTC)
        elif now < self._beat_at:
            return
        await self._hold()
        self._beat_at = now + (self._pace.beat if self._held else self._pace.standby)

    async def _hold(self) -> bool:
        """Take, or keep, the lease; returns whether it is ours."""
        host = self._telling.host
        self._held_at = asyncio.get_running_loop().time()
        said = Presence(
            host=host,
            exporter=self._exporter,
            bellboard=VERSION,
            privacy=self._telling.level,
            at=datetime.now(UTC),
            since=self._heard[1],
            heard=self._heard[0],
            lost=self._outbox.lost,
        )
        try:
            other = await self._lease.hold(said)
        except (EngineLost, EngineRefused):
            self._held = False  # whoever waited for this answer has no right to write, either
            raise
        if other is None:
            if not self._held:
                self._entries.doubt()
                self._notices.about("engine", f"{host} is told to the fleet (privacy: {self._telling.level})")
            self._held, self._standing_by = True, False
        else:
            self._held = False
            self._stand_by(other)
        return self._held

    async def _verify(self) -> bool:
        """Say whether the lease is ours at this moment, or a later one; many who ask at once cause one question."""
        asked = asyncio.get_running_loop().time()
        async with self._holding:
            return self._held if self._held_at > asked else await self._hold()

    def _stand_by(self, other: Entry) -> None:
        """Leave it to another exporter to speak for this machine, until he is not heard any more."""
        if not self._standing_by:
            presence = decode_presence(other.value or b"")
            who = f"{presence.exporter}, there since {presence.since:%Y-%m-%d %H:%M:%S} UTC" if presence else "unknown"
            self._notices.about(
                "engine",
                f"another exporter writes for {self._telling.host} ({who}): give this machine a name of its own with "
                "--host-name; it is waited for",
            )
            self._outbox.clear()
        self._standing_by = True
        self._buffer.clear()
