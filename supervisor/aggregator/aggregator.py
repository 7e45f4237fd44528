"""Aggregator: the board's mind. It joins ledger, merge and lifecycle, and owns the sequence numbers.

Pure: updates and the time go in, a `Plan` comes out; nothing has happened until the plan was stored and `adopt` is
called. So memory, store and events can never disagree: commit, then memory, then publish, then acknowledge.
"""

from datetime import datetime

from msgspec import structs

from ...protocol.event import BoardEvent, EventKind, HealthChanged, Heartbeat, session_event
from ...protocol.history import History, still
from ...protocol.order import Ack, Downward, Fenced, Nack
from ...protocol.session import HealthState, SessionState
from ...protocol.update import SourceUpdate, Update
from ..clock import Moment
from .history import Histories
from .ledger import Ledger
from .lifecycle import State, Trigger, step
from .merge import merge
from .plan import Plan
from .schedule import Schedule
from .tracked import Kept, Rules, SessionKey, Tracked


class Aggregator:
    """All sessions of the board."""

    def __init__(self, epoch: str, rules: Rules) -> None:
        self.epoch = epoch
        self.seq = 0
        self.source_seqs: dict[str, int] = {}
        self.ledger = Ledger()
        self.histories = Histories()
        self.rules = rules
        self._tracked: dict[SessionKey, Tracked] = {}
        self._schedule = Schedule()

    def load(self, state: SessionState, *, gone: bool, live: bool, moved: float, now: Moment) -> None:
        """Take over a stored session that said something last, or ended, at `moved` (epoch seconds)."""
        silent = max(0.0, now.wall.timestamp() - moved)
        lifecycle: State = "gone" if gone else state.lifecycle
        tracked = Tracked(state=state, lifecycle=lifecycle, moved_at=now.clock - silent, live=live)
        self._keep((state.source, state.id), tracked, now)

    def sessions(self) -> list[SessionState]:
        """Return all sessions that are shown."""
        return [each.state for each in self._tracked.values() if each.lifecycle != "gone"]

    def show(self, source: str, now: Moment) -> list[BoardEvent]:
        """Return events that tell of all sessions of a source that has just been loaded."""
        return self._tell("discovered", source, now)

    def part(self, source: str, now: Moment) -> list[BoardEvent]:
        """Take a source's sessions out of memory; what is stored of them stays. Returns the events that tell it."""
        events = self._tell("removed", source, now)
        for key in [key for key in self._tracked if key[0] == source]:
            del self._tracked[key]
            self._schedule.forget(key)
            self.histories.forget(key)
        self.ledger.part(source)
        return events

    def rule(self, rules: Rules, now: Moment) -> None:
        """From now on other rules hold, also for the sessions that are known."""
        self.rules = rules
        self._schedule.clear()
        for key, tracked in self._tracked.items():
            self._schedule.put(key, self.rules.due_at(tracked, now.clock))

    def _tell(self, kind: EventKind, source: str, now: Moment) -> list[BoardEvent]:
        """Number events about the sessions of a source that are shown. They change nothing that is stored."""
        plan = self._begin()
        shown = [
            each.state for each in self._tracked.values() if each.state.source == source and each.lifecycle != "gone"
        ]
        events = [self._event(plan, kind, state, now) for state in shown]
        self.seq, self.source_seqs = plan.seq, plan.source_seqs
        return events

    def history(self, source: str, name: str, now: datetime) -> History:
        """Return what a session did in the last hour; empty if it is not on the board."""
        tracked = self._tracked.get((source, name))
        if tracked is None or tracked.lifecycle == "gone":
            return History(source=source, id=name)
        return self.histories.history(source, name, now) or still(tracked.state, now)

    def kept(self, now: Moment) -> list[Kept]:
        """Return all sessions as they are stored."""
        return [
            Kept(each, now.wall.timestamp() - max(0.0, now.clock - each.moved_at)) for each in self._tracked.values()
        ]

    def heartbeat(self, now: Moment) -> Heartbeat:
        """Return the sequence numbers as of now."""
        return Heartbeat(epoch=self.epoch, seq=self.seq, source_seqs=dict(self.source_seqs), at=now.wall)

    def health_event(self, health: HealthState, now: Moment) -> HealthChanged:
        """Number a change of health. It is not stored, so it counts at once."""
        plan = self._begin()
        seq, source_seq = plan.number(health.source)
        self.seq, self.source_seqs = plan.seq, plan.source_seqs
        return HealthChanged(
            epoch=self.epoch, seq=seq, source=health.source, source_seq=source_seq, at=now.wall, health=health
        )

    def plan(self, batch: list[tuple[str, Update]], now: Moment) -> Plan:
        """Decide about a batch of (source, update), in order."""
        plan = self._begin()
        for source, update in batch:
            plan.answers.append(self._apply(plan, source, update, now))
        return plan

    def tick(self, now: Moment) -> Plan:
        """Decide what the mere passing of time changes: stale sessions, the end of retention, and what is forgotten."""
        plan = self._begin()
        for key in self._schedule.due(now.clock):
            tracked = self._tracked[key]
            due = self.rules.due_at(tracked, now.clock)
            if due > now.clock:
                self._schedule.put(key, due)
            elif tracked.lifecycle == "active":
                self._move(plan, key, tracked, "silence", now)
            elif tracked.lifecycle == "terminal":
                self._move(plan, key, tracked, "retention over", now)
            elif tracked.lifecycle == "gone":
                plan.forgotten.append(key)
        return plan

    def adopt(self, plan: Plan, now: Moment) -> None:
        """Take over a plan that was stored."""
        self.ledger.adopt(plan.entries)
        self.seq, self.source_seqs = plan.seq, plan.source_seqs
        for key, tracked in plan.sessions.items():
            before = self._tracked.get(key)
            if before is not None:
                self.histories.note(before.state, tracked.state, now.wall)
            self._keep(key, tracked, now)
        for key in plan.forgotten:
            self.histories.forget(key)
            self.ledger.forget(self.ledger.handles(*key))
            del self._tracked[key]

    def retry(self, plan: Plan, now: Moment) -> None:
        """Give back what a plan of `tick` took off the schedule, because it could not be stored."""
        for key in (*plan.sessions, *plan.forgotten):
            self._schedule.put(key, self.rules.due_at(self._tracked[key], now.clock))

    def _begin(self) -> Plan:
        return Plan(seq=self.seq, source_seqs=dict(self.source_seqs))

    def _apply(self, plan: Plan, source: str, update: Update, now: Moment) -> Downward:
        verdict = self.ledger.judge(source, update, plan.entries)
        kind, facts = verdict.kind, update.facts
        if kind == "fenced":
            return Fenced()
        if kind == "stale":
            return Nack(seq=update.seq, code="stale_cursor", handle=update.handle, have=verdict.have)
        if kind != "duplicate":
            plan.entries[source, update.handle] = self.ledger.entry(source, update, plan.entries)
        if kind == "apply" and facts is not None:
            self._data(plan, (source, facts.session_id), update, facts, now)
        return Ack(seq=update.seq)

    def _data(self, plan: Plan, key: SessionKey, update: Update, facts: SourceUpdate, now: Moment) -> None:
        source, name = key
        known = plan.sessions.get(key) or self._tracked.get(key)
        before = known.state if known is not None else SessionState(id=name, source=source)
        lifecycle: State = known.lifecycle if known is not None else "untracked"
        if lifecycle == "gone":
            # It goes on with its counts, but when and why it once ended says nothing about how it ends now.
            before = _active(before)
        merged = merge(before, facts, now.wall)
        if facts.unknown_records_delta > 0:
            plan.unknown_records[source] = plan.unknown_records.get(source, 0) + facts.unknown_records_delta
            if merged.client_version is not None:
                plan.unknown_clients[source] = merged.client_version
        trigger: Trigger = "terminal data" if facts.terminal or facts.activity == "terminal" else "data"
        if lifecycle != "active" and not update.live and self.rules.silent(merged, update.modified_at, now):
            trigger = "silent data"
        ended_at = facts.ended_at if isinstance(facts.ended_at, datetime) else None
        tracked = Tracked(state=merged, lifecycle=lifecycle, moved_at=now.clock, live=update.live)
        self._move(plan, key, tracked, trigger, now, ended_at)

    def _move(
        self,
        plan: Plan,
        key: SessionKey,
        tracked: Tracked,
        trigger: Trigger,
        now: Moment,
        ended_at: datetime | None = None,
    ) -> None:
        then = step(tracked.lifecycle, trigger)
        if then.then == "active":
            state = _active(tracked.state)
        elif then.then == "terminal":
            state = _ended(tracked.state, trigger, now.wall, ended_at)
        else:
            state = tracked.state
        for kind in then.events:
            state = structs.replace(state, version=state.version + 1)
            plan.events.append(self._event(plan, kind, state, now))
        plan.sessions[key] = Tracked(state=state, lifecycle=then.then, moved_at=now.clock, live=tracked.live)

    def _event(self, plan: Plan, kind: EventKind, state: SessionState, now: Moment) -> BoardEvent:
        seq, source_seq = plan.number(state.source)
        return session_event(kind, state, epoch=self.epoch, seq=seq, source_seq=source_seq, at=now.wall)

    def _keep(self, key: SessionKey, tracked: Tracked, now: Moment) -> None:
        self._tracked[key] = tracked
        self._schedule.put(key, self.rules.due_at(tracked, now.clock))


def _active(state: SessionState) -> SessionState:
    """Return the state of a session that goes on: most of them do all the time, and need no copy."""
    if state.lifecycle == "active" and state.completed_at is None and state.end_reason is None:
        return state
    return structs.replace(state, lifecycle="active", completed_at=None, end_reason=None)


def _ended(state: SessionState, trigger: Trigger, now: datetime, ended_at: datetime | None) -> SessionState:
    """Return the state of a session that is over, with when and why."""
    if ended_at is not None:
        at = min(ended_at, now)
    elif trigger == "silent data":
        at = state.last_activity_at or now
    else:
        at = state.completed_at if state.lifecycle == "terminal" and state.completed_at is not None else now
    stale = trigger in {"silence", "silent data"}
    reason = "stale" if trigger == "silence" else state.end_reason or ("stale" if stale else "ended")
    return structs.replace(state, lifecycle="terminal", completed_at=at, end_reason=reason)
