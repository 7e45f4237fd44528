"""Health: how each source is doing, from faults, beats, starts and deaths.

Pure; one `HealthBook` for all sources. What it says is a fact that subscribers get like any other. What follows from all
that is known of a source is `diagnosis.py`'s word.
"""

from collections import Counter
from datetime import datetime

from msgspec import structs

from ...protocol.privacy import Level
from ...protocol.privacy import health as as_told
from ...protocol.session import HealthState, Status
from ...protocol.update import Beat, Fault
from ..crew.death import Death
from .diagnosis import Record, Thresholds, judge
from .privacy import redact


class HealthBook:
    """The health of all sources, and which of it is news. `home` is the user's own folder, which no text names."""

    def __init__(self, thresholds: Thresholds, home: str = "", level: Level = "full") -> None:
        self.thresholds = thresholds
        self._home = home
        self._level: Level = level
        self._records: dict[str, Record] = {}
        self._published: dict[str, HealthState] = {}
        self._storage: str | None = None

    def open(self, source: str) -> None:
        """Begin a page for a source."""
        known = self._records.get(source)
        if known is None or known.closed:
            self._records[source] = Record(state=HealthState(source=source))

    def place(self, source: str, home: str, home_from: str, *, named: bool = False) -> None:
        """Note in which folder a source reads, and why there; `named`: somebody said so, who expects it to be there."""
        record = self._records[source]
        home = redact(home, self._home, shorten=False)
        if home != record.state.home:
            # That nothing was found elsewhere says nothing of this place.
            record.missing = False
            record.state = structs.replace(record.state, absent=())
        record.named = named
        record.state = structs.replace(record.state, home=home, home_from=home_from)

    def close(self, source: str) -> None:
        """Note that a source was taken out of the settings; its page stays, so that nobody shows an older one."""
        self._records[source] = Record(state=HealthState(source=source), closed=True)

    def states(self) -> tuple[HealthState, ...]:
        """Return the health of all sources, by name."""
        return tuple(self._state(record) for _, record in sorted(self._records.items()))

    def summary(self) -> str:
        """Say in a line how all of them do."""
        counts = Counter(self._judge(record)[0] for record in self._records.values())
        return ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "no sources"

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
        if record.settled:
            return True
        return record.missing or record.condition == "stopped" or self._judge(record)[0] in {"failed", "paused"}

    def started(self, source: str, pid: int, inc: int) -> None:
        """Note that a worker was started."""
        record = self._records[source]
        record.missing = False
        record.beat = None
        record.trouble = record.retry = None
        record.state = structs.replace(record.state, pid=pid, incarnation=inc, absent=())

    def ended(self, source: str, death: Death | None, *, progressed: bool) -> None:
        """Note that a worker ended; `death` is None for an end that was asked for."""
        record = self._records[source]
        record.condition = "well"
        record.state = structs.replace(record.state, pid=None, rss_bytes=None, cpu_percent=None)
        if death is None:
            return
        record.deaths = 1 if progressed else record.deaths + 1
        words = death.words if death.stand is None else f"{death.words}, at {death.stand.partition(' < ')[0]}"
        record.state = structs.replace(
            record.state,
            restarts=record.state.restarts + 1,
            last_error=self._plain(words),
            traceback=record.state.traceback if death.stand is None else death.stand,
        )

    def broken(self, source: str, seconds: float | None) -> None:
        """Note for how long a source that keeps dying is left alone; None: it is not."""
        self._records[source].retry = seconds

    def trouble(self, source: str, words: str) -> None:
        """Note that a worker cannot be started now, and why."""
        self._records[source].trouble = self._plain(words)

    def condition(self, source: str, condition: str) -> None:
        """Note what is thought of a worker: well, suspect, starved, stopped or hung."""
        self._records[source].condition = condition

    def quarantined(self, source: str, handles: tuple[str, ...], why: str | None) -> None:
        """Note which sessions of a source are set aside, and how the last of them ended its workers."""
        record = self._records[source]
        record.deaths, record.retry = 0, None
        record.why_held = why
        record.state = structs.replace(record.state, quarantined=handles)

    def absent(self, source: str, looked: tuple[str, ...]) -> None:
        """Note that the agent is not installed."""
        record = self._records[source]
        record.deaths, record.unloadable = 0, None
        record.missing = True
        # Its worker is about to end: one piece of news, not two.
        absent = tuple(redact(path, self._home, shorten=False) for path in looked)
        record.state = structs.replace(record.state, pid=None, absent=absent)

    def paused(self, source: str, *, paused: bool) -> None:
        """Note that somebody paused or resumed a source."""
        self._records[source].paused = paused

    def beat(self, source: str, beat: Beat) -> bool:
        """Take a beat; a completed pass shows that the worker works. Returns whether it says more than that it turns."""
        record = self._records[source]
        before, record.beat = record.beat, beat
        if before is not None and structs.replace(before, progress=beat.progress) == beat:
            return False
        record.state = structs.replace(record.state, lag_seconds=beat.lag_seconds, left_out=beat.left_out)
        if beat.passes > 0:
            record.unloadable = None
            if not beat.discover_failures:
                record.deaths = 0
        return True

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

    def rebuilt(self, reason: str, now: datetime) -> None:
        """Note that what was stored had to be made anew, and why."""
        text = self._plain(reason)
        for record in self._records.values():
            record.state = structs.replace(record.state, rebuilt_at=now, rebuilt=text)

    @property
    def troubled(self) -> bool:
        """Whether the store does not work."""
        return self._storage is not None

    def storage(self, problem: str | None) -> None:
        """Note that the store does not work (nothing is acknowledged then), or works again."""
        self._storage = None if problem is None else self._plain(problem)

    def _plain(self, text: str) -> str:
        return redact(text, self._home)

    def _state(self, record: Record) -> HealthState:
        status, reason = self._judge(record)
        told = structs.replace(record.state, status=status, reason=reason, settled=record.settled)
        return as_told(told, self._level)

    def _judge(self, record: Record) -> tuple[Status, str | None]:
        return judge(record, self.thresholds, self._storage)
