"""Mirror: the gateway's own copy of the board, at the privacy level at which it may be told.

A subscriber like any other. What it hears is first made as private as it has to be, and only then kept, counted and handed
to the `feed`: nothing behind this file ever sees more.
"""

import asyncio
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, Struct, structs

from ...protocol import privacy
from ...protocol.errors import ProtocolError
from ...protocol.event import SCHEMA_VERSION, BoardEvent, HealthChanged, Removed, Snapshot
from ...protocol.replica import Key
from ...protocol.session import HealthState, SessionState, Time
from ...protocol.subscriber import Item, Subscriber
from ..views.document import SessionsDocument
from ..views.text import hearing
from .feed import Feed, Piece, numbered, unnumbered
from .tally import Tally

FLUSH_SECONDS = 0.04
LOOK_SECONDS = 0.25
RETRY_SECONDS = 1.0


class Board(Struct, frozen=True, kw_only=True):
    """Whether the board is heard. `since` is when that began or ended, `heard_at` when it was heard last."""

    connected: bool
    since: Time
    heard_at: Time | None


class Mirror:
    """Follows the board in `runtime_dir`, or that of `fleet`, and tells it to `feed` at a privacy level."""

    def __init__(self, runtime_dir: str, level: privacy.Level, feed: Feed, fleet: str | None = None) -> None:
        self.sessions: dict[Key, SessionState] = {}
        self.health: dict[str, HealthState] = {}
        self.tally = Tally()
        self.status = Board(connected=False, since=datetime.now(UTC), heard_at=None)
        self.joined = False
        self._runtime_dir = runtime_dir
        self._level: privacy.Level = level
        self._feed = feed
        self._named = fleet
        self._document: tuple[str, bytes] = ("", b"")
        self._board: Subscriber | None = None
        self._flushing: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0

    async def follow(self) -> None:
        """Follow the board for ever, and through its restarts."""
        looking = asyncio.ensure_future(self._look())
        try:
            while True:
                try:
                    async with Subscriber(self._runtime_dir) as self._board:
                        async for item in self._board:
                            self.take(item)
                            self._flush_soon()
                except ProtocolError:
                    await asyncio.sleep(RETRY_SECONDS)  # `status` says that nobody is heard
        finally:
            looking.cancel()

    def take(self, item: Item) -> None:
        """Take over what the board said; it goes out with the feed's next flush."""
        if isinstance(item, Snapshot):
            self._whole(item)
            return
        told = self._told(item)
        self.tally.event(told.kind, (datetime.now(UTC) - told.at).total_seconds())
        if isinstance(told, HealthChanged):
            self.health[told.origin] = told.health
        elif isinstance(told, Removed):
            self.sessions.pop((told.origin, told.id), None)
        else:
            self.tally.moved(self.sessions.get((told.origin, told.id)), told.session)
            self.sessions[told.origin, told.id] = told.session
        self._feed.add(told)

    @property
    def fleet(self) -> bool:
        """Whether this is the board of several machines."""
        return any(state.host is not UNSET for state in (*self.health.values(), *self.sessions.values()))

    def sources(self) -> list[str]:
        """Return the names of all sources that are heard of."""
        return sorted({*self.health, *(source for source, _ in self.sessions)})

    def whole(self, sessions: Iterable[SessionState]) -> SessionsDocument:
        """Return the board as a document, with only these sessions in it."""
        return SessionsDocument(
            schema_version=SCHEMA_VERSION,
            epoch=self._feed.epoch,
            seq=self._feed.seq,
            sessions=tuple(sessions),
            health=tuple(self.health[name] for name in sorted(self.health)),
        )

    def document(self) -> bytes:
        """Return the whole board as JSON, as `bellboard sessions --json` prints it; made once for all who ask meanwhile."""
        if self._document[0] != self._feed.place:
            self._document = self._feed.place, msgspec.json.encode(self.whole(self.sessions.values()))
        return self._document[1]

    def picture(self) -> Piece:
        """Return the whole board and whether it is heard, for whoever begins to read."""
        whole, status = self.document(), msgspec.json.encode(self.status)
        return Piece(
            numbered(self._feed.place, "snapshot", whole) + unnumbered("board", status),
            (b'{"kind":"snapshot","snapshot":' + whole + b"}", b'{"kind":"board","board":' + status + b"}"),
        )

    def present(self) -> Piece:
        """Return whether the board is heard."""
        status = msgspec.json.encode(self.status)
        return Piece(unnumbered("board", status), (b'{"kind":"board","board":' + status + b"}",))

    def _whole(self, snapshot: Snapshot) -> None:
        sessions = {(each.origin, each.id): privacy.session(each, self._level) for each in snapshot.sessions}
        if self.joined:
            for key, session in sessions.items():
                self.tally.moved(self.sessions.get(key), session)
        self.sessions = sessions
        self.health = {each.origin: privacy.health(each, self._level) for each in snapshot.health}
        self._feed.begin(snapshot.epoch, snapshot.seq)
        self.joined = True
        self._heard(connected=True)
        self._feed.say(self.picture())

    def _told(self, event: BoardEvent) -> BoardEvent:
        if self._level == "full":
            return event
        if isinstance(event, HealthChanged):
            return structs.replace(event, health=privacy.health(event.health, self._level))
        return structs.replace(event, session=privacy.session(event.session, self._level))

    def _heard(self, *, connected: bool) -> None:
        now = datetime.now(UTC)
        since = self.status.since if connected == self.status.connected else now
        heard_at = now if connected else self.status.heard_at
        self.status = Board(connected=connected, since=since, heard_at=heard_at)

    def _flush_soon(self) -> None:
        """Hand over what is new: at once after a pause, else some hundredths of a second after the last time."""
        if self._flushing is None:
            loop = asyncio.get_running_loop()
            self._flushing = loop.call_at(max(loop.time(), self._flushed_at + FLUSH_SECONDS), self._flush)

    def _flush(self) -> None:
        self._flushing, self._flushed_at = None, asyncio.get_running_loop().time()
        self._feed.flush()

    async def _look(self) -> None:
        """Tell everybody when the board falls silent, and when it is heard again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before = self.status.connected
            self._heard(connected=self.joined and self._board is not None and self._board.connected)
            if self.status.connected != before:
                sys.stderr.write(hearing(datetime.now(UTC), self._named, heard=self.status.connected))
                self._feed.say(self.present())
