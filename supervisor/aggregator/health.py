"""Health: how each source is doing, from faults, beats, starts and deaths.

Pure; one `HealthBook` for all sources. What it says is a fact that subscribers get like any other. A source is `degraded`
while something of it fails and the rest works, `failed` while nothing of it works, and healthy again as soon as it does.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct, structs

from ...protocol.session import HealthState
from ...protocol.update import Beat, Fault
from .privacy import redact


class Thresholds(Struct, frozen=True, kw_only=True):
    """How many failures in a row (of discover, or starts without progress) make a source degraded or failed."""

    degraded: int = 1
    failed: int = 5


class Record(Struct, kw_only=True):
    """What the book knows of one source besides its published state."""

    state: HealthState
    beat: Beat | None = None
    deaths: int = 0
    unloadable: str | None = None
    absent: tuple[str, ...] | None = None
    paused: bool = False


class HealthBook:
    """The health of all sources, and which of it is news. `home` is the user's own folder, which no text names."""

    def __init__(self, thresholds: Thresholds, home: str = "") -> None:
        self._thresholds = thresholds
        self._home = home
        self._records: dict[str, Record] = {}
        self._published: dict[str, HealthState] = {}
        self._storage: str | None = None

    def open(self, source: str) -> None:
        """Begin a page for a source."""
        self._records.setdefault(source, Record(state=HealthState(source=source)))

    def states(self) -> tuple[HealthState, ...]:
        """Return the health of all sources, by name."""
        return tuple(self._state(record) for _, record in sorted(self._records.items()))

    def news(self, now: datetime) -> list[HealthState]:
        """Return the states that differ from what was returned last (memory, load and lag alone are no news)."""
        found: list[HealthState] = []
        for source, record in sorted(self._records.items()):
            state = self._state(record)
            plain = structs.replace(
                state,
                updated_at=None,
                rss_bytes=None,
                cpu_percent=None,
                lag_seconds=None,
                discover_failures=0,
                parse_failures=0,
            )
            if plain != self._published.get(source):
                self._published[source] = plain
                record.state = structs.replace(record.state, updated_at=now)
                found.append(self._state(record))
        return found

    def settled(self, source: str) -> bool:
        """Whether a source has shown all it has: a completed pass, or a reason why there will be none."""
        record = self._records[source]
        if record.beat is not None and record.beat.passes > 0:
            return True
        return record.absent is not None or self._judge(record)[0] in {"failed", "paused"}

    def started(self, source: str, pid: int, inc: int) -> None:
        """Note that a worker was started."""
        record = self._records[source]
        record.absent = None
        record.beat = None
        record.state = structs.replace(record.state, pid=pid, incarnation=inc)

    def ended(self, source: str, error: str | None, *, progressed: bool) -> None:
        """Note that a worker ended; `error` is None for an end that was asked for."""
        record = self._records[source]
        record.state = structs.replace(record.state, pid=None, rss_bytes=None, cpu_percent=None)
        if error is None:
            return
        record.deaths = 1 if progressed else record.deaths + 1
        restarts = record.state.restarts + 1
        record.state = structs.replace(record.state, restarts=restarts, last_error=self._plain(error))

    def absent(self, source: str, looked: tuple[str, ...]) -> None:
        """Note that the agent is not installed."""
        record = self._records[source]
        record.deaths, record.unloadable = 0, None
        # Its worker is about to end: one piece of news, not two.
        record.state = structs.replace(record.state, pid=None)
        record.absent = tuple(redact(path, self._home, shorten=False) for path in looked)

    def paused(self, source: str, *, paused: bool) -> None:
        """Note that somebody paused or resumed a source."""
        self._records[source].paused = paused

    def beat(self, source: str, beat: Beat) -> None:
        """Take a beat; a completed pass shows that the worker works."""
        record = self._records[source]
        record.beat = beat
        record.state = structs.replace(record.state, lag_seconds=beat.lag_seconds)
        if beat.passes > 0:
            record.unloadable = None
            if not beat.discover_failures:
                record.deaths = 0

    def fault(self, source: str, fault: Fault) -> None:
        """Count a fault."""
        record = self._records[source]
        text = self._plain(fault.detail)
        state = structs.replace(record.state, last_error=text)
        if fault.scope == "source":
            record.unloadable = text
        elif fault.scope == "discover":
            state = structs.replace(state, discover_failures=state.discover_failures + 1)
        elif fault.scope == "handle":
            state = structs.replace(state, parse_failures=state.parse_failures + 1)
        record.state = state

    def unknown(self, source: str, count: int, client: str | None, now: datetime) -> None:
        """Count records of a shape that the source does not know, with the client's version that wrote the last of them."""
        record = self._records[source]
        record.state = structs.replace(
            record.state,
            unknown_records=record.state.unknown_records + count,
            unknown_since=record.state.unknown_since or now,
            unknown_client=client or record.state.unknown_client,
        )

    def measured(self, source: str, rss_bytes: int | None, cpu_percent: float | None) -> None:
        """Note what a worker uses."""
        record = self._records[source]
        record.state = structs.replace(record.state, rss_bytes=rss_bytes, cpu_percent=cpu_percent)

    def storage(self, problem: str | None) -> None:
        """Note that the store does not work (nothing is acknowledged then), or works again."""
        self._storage = None if problem is None else self._plain(problem)

    def _plain(self, text: str) -> str:
        return redact(text, self._home)

    def _state(self, record: Record) -> HealthState:
        status, reason = self._judge(record)
        return structs.replace(record.state, status=status, reason=reason)

    def _judge(self, record: Record) -> tuple[Literal["healthy", "degraded", "failed", "paused"], str | None]:
        failed, degraded = self._thresholds.failed, self._thresholds.degraded
        beat = record.beat
        discover = beat.discover_failures if beat is not None else 0
        if record.paused:
            return "paused", "paused by command"
        if record.unloadable is not None:
            return "failed", f"the source cannot be loaded: {record.unloadable}"
        if record.deaths >= failed:
            return (
                "failed",
                f"the worker died {record.deaths} times without getting anywhere: {record.state.last_error}",
            )
        if discover >= failed:
            return "failed", f"discover has failed {discover} times in a row: {record.state.last_error}"
        if self._storage is not None:
            return "degraded", f"nothing can be stored: {self._storage}"
        if record.deaths >= degraded:
            return "degraded", f"the worker died and is starting again: {record.state.last_error}"
        if discover >= degraded:
            return "degraded", f"discover failed: {record.state.last_error}"
        if beat is not None and beat.failing:
            return "degraded", f"{beat.failing} session(s) cannot be read: {record.state.last_error}"
        if record.absent is not None:
            return "healthy", "not found: looked in " + ", ".join(record.absent)
        return "healthy", None
