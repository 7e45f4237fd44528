"""Replica: a subscriber's copy of the board, and the knowledge of being behind.

Pure: events, snapshot pages and the time go in, what to do comes out. The joining order matters: subscribe, wait for a
first heartbeat, then ask for the snapshot, then apply what is newer. (Asking before the subscription is known to work
leaves a gap in most joins.) The counterpart on the board's side is `supervisor/aggregator`.
"""

from typing import Literal, TypeAlias

from .ask import SnapshotPage
from .event import BoardEvent, Event, HealthChanged, Heartbeat, Removed, Snapshot
from .session import HealthState, SessionState

Key: TypeAlias = tuple[str, str]
"""(source, session id): two sources may use the same id. On the board of a fleet the source is `<source>@<host>`."""

Phase: TypeAlias = Literal["joining", "asking", "live"]

BUFFER_LIMIT = 20_000
ANSWER_SECONDS = 2.0
UNSENT_SECONDS = 0.05
SILENCE_SECONDS = 5.0
RESYNC_FIRST_SECONDS = 0.2
RESYNC_MOST_SECONDS = 30.0
CALM_SECONDS = 60.0


class Replica:
    """The state of a board as its subscriber knows it.

    `sessions` and `health` are the picture; `phase` says how good it is: only `live` is known to be whole. While
    resynchronising the last picture stays.
    """

    def __init__(self, sources: frozenset[str] | None = None) -> None:
        self.sessions: dict[Key, SessionState] = {}
        self.health: dict[str, HealthState] = {}
        self.phase: Phase = "joining"
        self.epoch = ""
        self.seq = 0
        self.resyncs = 0
        self._sources = sources
        self._seqs: dict[str, int] = {}
        self._buffer: list[BoardEvent] = []
        self._pages: list[SnapshotPage] = []
        self._request = 0
        self._ask_at: float | None = None
        self._live_since = 0.0
        self._eager = 0
        self._heard_at: float | None = None
        self._heard: tuple[str, int] = ("", 0)
        self._seen = 0

    @property
    def joined(self) -> bool:
        """Whether there is a picture at all, however old."""
        return bool(self.epoch)

    @property
    def seen(self) -> int:
        """The sequence number at which listening began: a picture as new as that has no gap to what is heard."""
        return self._seen

    def connected(self, now: float) -> bool:
        """Whether the board was heard in the last five seconds (`now`: monotonic seconds)."""
        return self._heard_at is not None and now - self._heard_at < SILENCE_SECONDS

    def silence(self, now: float) -> float | None:
        """Return for how many seconds the board was not heard, None if it never was (`now`: monotonic seconds)."""
        return None if self._heard_at is None else now - self._heard_at

    def feed(self, event: Event, now: float, jitter: float) -> BoardEvent | None:
        """Take one event; returns it if it changed the picture. `jitter` in [0, 1) spreads resynchronisations."""
        self._heard_at = now
        epoch, seq = self._heard
        self._heard = (event.epoch, max(seq, event.seq) if event.epoch == epoch else event.seq)
        if isinstance(event, Heartbeat):
            self._heartbeat(event, now, jitter)
            return None
        if not self._wanted(event.origin):
            return None
        if self.phase == "live":
            return self._live(event, now, jitter)
        if len(self._buffer) >= BUFFER_LIMIT:
            self._buffer.clear()
            self._behind(now, jitter)
        self._buffer.append(event)
        return None

    def ask(self, now: float) -> int | None:
        """Return the number of the snapshot request to send now, or None if nothing is to be asked."""
        if self.phase != "asking" or self._ask_at is None or now < self._ask_at:
            return None
        self._request += 1
        self._pages.clear()
        self._ask_at = now + ANSWER_SECONDS
        return self._request

    def unsent(self, now: float) -> None:
        """Note that the question could not be sent (the line is not there yet): it is asked again soon."""
        self._ask_at = now + UNSENT_SECONDS

    def answer(self, page: SnapshotPage, now: float, jitter: float) -> Snapshot | None:
        """Take one page of a snapshot; returns the whole once the picture is live again."""
        if self.phase != "asking" or page.request != self._request or page.page != len(self._pages):
            return None
        self._pages.append(page)
        self._ask_at = now + ANSWER_SECONDS  # as long as pages come, nothing is asked again
        if not page.last:
            return None
        return self._adopt(page, now, jitter)

    def _wanted(self, source: str) -> bool:
        return self._sources is None or source in self._sources

    def _heartbeat(self, beat: Heartbeat, now: float, jitter: float) -> None:
        if self.phase == "joining":
            self.phase, self._ask_at, self._seen = "asking", now, self._heard[1]
        elif self.phase == "live" and (beat.epoch != self.epoch or self._lost(beat)):
            self._behind(now, jitter, reborn=beat.epoch != self.epoch)

    def _lost(self, beat: Heartbeat) -> bool:
        # A heartbeat may be older than the snapshot that overtook it: only a number that is ahead of ours tells of a loss.
        return any(
            self._seqs.get(source, 0) < last for source, last in beat.source_seqs.items() if self._wanted(source)
        )

    def _live(self, event: BoardEvent, now: float, jitter: float) -> BoardEvent | None:
        last = self._seqs.get(event.origin, 0)
        if event.epoch == self.epoch and event.source_seq <= last:
            return None
        if event.epoch != self.epoch or event.source_seq != last + 1:
            self._behind(now, jitter, reborn=event.epoch != self.epoch)
            self._buffer.append(event)
            return None
        self._apply(event)
        return event

    def _apply(self, event: BoardEvent) -> None:
        self._seqs[event.origin] = event.source_seq
        self.seq = max(self.seq, event.seq)
        if isinstance(event, HealthChanged):
            self.health[event.origin] = event.health
        elif isinstance(event, Removed):
            self.sessions.pop((event.origin, event.id), None)
        else:
            self.sessions[event.origin, event.id] = event.session

    def _behind(self, now: float, jitter: float, *, reborn: bool = False) -> None:
        """Ask again, after a pause that doubles while resynchronising does not help. Another epoch is no such sign."""
        if reborn or now - self._live_since > CALM_SECONDS:
            self._eager = 0
        pause = min(RESYNC_MOST_SECONDS, RESYNC_FIRST_SECONDS * 2**self._eager) * jitter
        self._eager = min(self._eager + 1, 16)
        self.resyncs += 1
        self.phase, self._ask_at, self._seen = "asking", now + pause, self._heard[1]
        self._buffer.clear()
        self._pages.clear()

    def _adopt(self, page: SnapshotPage, now: float, jitter: float) -> Snapshot | None:
        sessions = tuple(session for each in self._pages for session in each.sessions)
        health = tuple(state for each in self._pages for state in each.health)
        waiting, self._buffer, self._pages = self._buffer, [], []
        self.epoch, self.seq, self._seqs = page.epoch, page.seq, dict(page.source_seqs)
        self.sessions = {(session.origin, session.id): session for session in sessions}
        self.health = {state.origin: state for state in health}
        self.phase, self._ask_at, self._live_since = "live", None, now
        for event in waiting:
            if event.epoch == self.epoch and self.phase == "live":
                self._live(event, now, jitter)
        return self.snapshot() if self.phase == "live" else None

    def snapshot(self) -> Snapshot:
        """Return the present picture as one value."""
        return Snapshot(
            epoch=self.epoch,
            seq=self.seq,
            source_seqs=dict(self._seqs),
            sessions=tuple(self.sessions.values()),
            health=tuple(self.health.values()),
        )
