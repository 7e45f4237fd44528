"""Aggregator: the board's mind. It joins ledger, merge and lifecycle, and owns the sequence numbers.

Pure: updates and the time go in, a `Plan` comes out; nothing has happened until the plan was stored and `adopt` is
called. So memory, store and events can never disagree: commit, then memory, then publish, then acknowledge.
"""

import heapq
from datetime import datetime

from msgspec import Struct, field, structs

from ...protocol.event import SESSION_EVENTS, BoardEvent, EventKind, HealthChanged, Heartbeat
from ...protocol.order import Ack, Downward, Fenced, Nack
from ...protocol.session import HealthState, SessionState
from ...protocol.update import Update
from .ledger import Entry, HandleKey, Ledger
from .lifecycle import State, Step, Trigger, step
from .merge import merge

SessionKey = tuple[str, str]
"""(source, session id)."""


class Rules(Struct, frozen=True, kw_only=True):
    """Seconds: after how long without data a session is stale, and how long an ended one is kept. None: for ever."""

    stale_after: float | None = 3600.0
    retention: float | None = 86400.0


class Tracked(Struct, frozen=True, kw_only=True):
    """A session as the board keeps it: its public state, and what lifecycle needs besides.

    `moved_at` is when it last said something or ended (seconds of the board's own clock); `live` whether live evidence
    stood behind it then. A session that is `gone` is not shown any more, but its counts are kept with its cursor.
    """

    state: SessionState
    lifecycle: State
    moved_at: float
    live: bool = False


class Plan(Struct, kw_only=True):
    """What is to be stored and published. `answers` has one answer for each update, in order."""

    entries: dict[HandleKey, Entry] = field(default_factory=dict)
    sessions: dict[SessionKey, Tracked] = field(default_factory=dict)
    events: list[BoardEvent] = field(default_factory=list)
    answers: list[Downward] = field(default_factory=list)
    unknown_records: dict[str, int] = field(default_factory=dict)
    seq: int = 0
    source_seqs: dict[str, int] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether there is anything to store."""
        return bool(self.entries or self.sessions)


class Aggregator:
    """All sessions of the board. `clock` arguments are seconds of a clock that stands still while the machine sleeps."""

    def __init__(self, epoch: str, rules: Rules) -> None:
        self.epoch = epoch
        self.seq = 0
        self.source_seqs: dict[str, int] = {}
        self.ledger = Ledger()
        self._rules = rules
        self._tracked: dict[SessionKey, Tracked] = {}
        self._due: list[tuple[float, SessionKey]] = []
        self._scheduled: dict[SessionKey, float] = {}

    def load(self, state: SessionState, *, gone: bool, live: bool, now: datetime, clock: float) -> None:
        """Take over a stored session; how long it has been silent is known from its times."""
        last = state.completed_at if state.lifecycle == "terminal" else state.last_data_received_at
        silent = max(0.0, (now - last).total_seconds()) if last is not None else 0.0
        lifecycle: State = "gone" if gone else state.lifecycle
        tracked = Tracked(state=state, lifecycle=lifecycle, moved_at=clock - silent, live=live)
        self._keep((state.source, state.id), tracked, clock)

    def sessions(self) -> list[SessionState]:
        """Return all sessions that are shown."""
        return [each.state for each in self._tracked.values() if each.lifecycle != "gone"]

    def heartbeat(self, now: datetime) -> Heartbeat:
        """Return the sequence numbers as of now."""
        return Heartbeat(epoch=self.epoch, seq=self.seq, source_seqs=dict(self.source_seqs), at=now)

    def health_event(self, health: HealthState, now: datetime) -> HealthChanged:
        """Number a change of health. It is not stored, so it counts at once."""
        plan = self._begin()
        seq, source_seq = _number(plan, health.source)
        self.seq, self.source_seqs = plan.seq, plan.source_seqs
        return HealthChanged(
            epoch=self.epoch, seq=seq, source=health.source, source_seq=source_seq, at=now, health=health
        )  # fmt: skip

    def plan(self, batch: list[tuple[str, Update]], now: datetime, clock: float) -> Plan:
        """Decide about a batch of (source, update), in order."""
        plan = self._begin()
        for source, update in batch:
            plan.answers.append(self._apply(plan, source, update, now, clock))
        return plan

    def tick(self, now: datetime, clock: float) -> Plan:
        """Decide what the mere passing of time changes: stale sessions, and the end of retention."""
        plan = self._begin()
        while self._due and self._due[0][0] <= clock:
            due, key = heapq.heappop(self._due)
            if self._scheduled.get(key) != due:
                continue  # superseded by an earlier look, which has been taken
            del self._scheduled[key]
            tracked = self._tracked[key]
            if self._due_at(tracked, clock) > clock:
                self._schedule(key, tracked, clock)
            elif tracked.lifecycle == "active":
                self._move(plan, key, tracked, "silence", now, clock)
            elif tracked.lifecycle == "terminal":
                self._move(plan, key, tracked, "retention over", now, clock)
        return plan

    def adopt(self, plan: Plan, clock: float) -> None:
        """Take over a plan that was stored."""
        self.ledger.adopt(plan.entries)
        self.seq, self.source_seqs = plan.seq, plan.source_seqs
        for key, tracked in plan.sessions.items():
            self._keep(key, tracked, clock)

    def retry(self, plan: Plan, clock: float) -> None:
        """Give back what a plan of `tick` took off the schedule, because it could not be stored."""
        for key in plan.sessions:
            self._schedule(key, self._tracked[key], clock)

    def _begin(self) -> Plan:
        return Plan(seq=self.seq, source_seqs=dict(self.source_seqs))

    def _apply(self, plan: Plan, source: str, update: Update, now: datetime, clock: float) -> Downward:
        verdict = self.ledger.judge(source, update, plan.entries)
        if verdict.kind == "fenced":
            return Fenced()
        if verdict.kind == "stale":
            return Nack(seq=update.seq, code="stale_cursor", handle=update.handle, have=verdict.have)
        if verdict.kind == "apply":
            plan.entries[source, update.handle] = self.ledger.entry(source, update, plan.entries)
            if update.facts is not None:
                self._data(plan, source, update, now, clock)
        return Ack(seq=update.seq)

    def _data(self, plan: Plan, source: str, update: Update, now: datetime, clock: float) -> None:
        facts = update.facts
        assert facts is not None  # noqa: S101 - for the type checker: the caller looked
        if facts.unknown_records_delta:
            plan.unknown_records[source] = plan.unknown_records.get(source, 0) + facts.unknown_records_delta
        key = (source, facts.session_id)
        known = plan.sessions.get(key) or self._tracked.get(key)
        state = known.state if known is not None else SessionState(id=facts.session_id, source=source)
        merged = merge(state, facts, now)
        trigger: Trigger = "terminal data" if facts.terminal or facts.activity == "terminal" else "data"
        if known is None and not update.live and self._silent(merged, update.modified_at, now):
            trigger = "silent data"
        ended_at = facts.ended_at if isinstance(facts.ended_at, datetime) else None
        lifecycle: State = known.lifecycle if known is not None else "untracked"
        base = Tracked(state=merged, lifecycle=lifecycle, moved_at=clock, live=update.live)
        self._move(plan, key, base, trigger, now, clock, ended_at=ended_at)

    def _silent(self, state: SessionState, modified_at: float | None, now: datetime) -> bool:
        threshold = self._rules.stale_after
        if threshold is None:
            return False
        times = [now.timestamp() - modified_at] if modified_at is not None else []
        if state.last_activity_at is not None:
            times.append((now - state.last_activity_at).total_seconds())
        return bool(times) and min(times) > threshold

    def _move(
        self, plan: Plan, key: SessionKey, tracked: Tracked, trigger: Trigger, now: datetime, clock: float,
        ended_at: datetime | None = None,
    ) -> None:  # fmt: skip
        then = step(tracked.lifecycle, trigger)
        state = _ended(tracked.state, trigger, now, ended_at) if then.then == "terminal" else tracked.state
        if then.then == "active":
            state = structs.replace(state, lifecycle="active", completed_at=None, end_reason=None)
        state = self._publish(plan, key, state, then, now)
        plan.sessions[key] = structs.replace(tracked, state=state, lifecycle=then.then, moved_at=clock)

    def _publish(self, plan: Plan, key: SessionKey, state: SessionState, then: Step, now: datetime) -> SessionState:
        for kind in then.events:
            state = structs.replace(state, version=state.version + 1)
            seq, source_seq = _number(plan, key[0])
            plan.events.append(_event(kind, self.epoch, seq, source_seq, now, state))
        return state

    def _keep(self, key: SessionKey, tracked: Tracked, clock: float) -> None:
        self._tracked[key] = tracked
        self._schedule(key, tracked, clock)

    def _schedule(self, key: SessionKey, tracked: Tracked, clock: float) -> None:
        due = self._due_at(tracked, clock)
        # A later look than the one that is planned already can wait: that one will find out.
        if due < self._scheduled.get(key, float("inf")):
            self._scheduled[key] = due
            heapq.heappush(self._due, (due, key))

    def _due_at(self, tracked: Tracked, clock: float) -> float:
        """When the passing of time is to be looked at again for this session."""
        if tracked.lifecycle == "active" and self._rules.stale_after is not None:
            # Live evidence outlives any silence: a permission prompt may wait overnight.
            return (clock if tracked.live else tracked.moved_at) + self._rules.stale_after
        if tracked.lifecycle == "terminal" and self._rules.retention is not None:
            return tracked.moved_at + self._rules.retention
        return float("inf")


def _ended(state: SessionState, trigger: Trigger, now: datetime, ended_at: datetime | None) -> SessionState:
    """Return the state of a session that is over, with when and why."""
    already = state.lifecycle == "terminal" and state.completed_at is not None
    at = min(ended_at, now) if ended_at is not None else state.completed_at if already else now
    if trigger == "silent data":
        at = state.last_activity_at or at
    reason = "stale" if trigger == "silence" else state.end_reason or ("stale" if trigger == "silent data" else "ended")
    return structs.replace(state, lifecycle="terminal", completed_at=at, end_reason=reason)


def _number(plan: Plan, source: str) -> tuple[int, int]:
    plan.seq += 1
    plan.source_seqs[source] = plan.source_seqs.get(source, 0) + 1
    return plan.seq, plan.source_seqs[source]


def _event(
    kind: EventKind, epoch: str, seq: int, source_seq: int, now: datetime, state: SessionState
) -> BoardEvent:  # fmt: skip
    return SESSION_EVENTS[kind](
        epoch=epoch, seq=seq, source=state.source, source_seq=source_seq, id=state.id, version=state.version, at=now, session=state
    )  # fmt: skip

