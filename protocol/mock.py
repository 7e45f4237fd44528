"""Mock: what is on a mock board, and how its changes are said. The counterpart of `testing.py`, which has the sockets."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec import structs

from .ask import HistoryAnswer, PulsesAnswer, SnapshotPage, SnapshotRequest
from .codec import HISTORY_ANSWER, PULSES_ANSWER, SNAPSHOT_PAGE
from .event import BoardEvent, EventKind, HealthChanged, Heartbeat, session_event
from .history import History, Mark, Pulse, by_minute, mark_of, still
from .session import HealthState, SessionState

PAGE_SESSIONS = 50


class MockState:
    """What is on the board, and the numbers of what was said."""

    def __init__(self) -> None:
        self.sessions: dict[tuple[str, str], SessionState] = {}
        self.states: dict[str, HealthState] = {}
        self.marks: dict[tuple[str, str], list[Mark]] = {}
        self.begin(empty=True)

    def begin(self, *, empty: bool) -> None:
        """Begin another epoch; `empty`: with nothing on the board."""
        self.epoch, self.seq = os.urandom(8).hex(), 0
        self.source_seqs: dict[str, int] = {}
        self.marks.clear()  # kept in memory alone, as on a real board
        if empty:
            self.sessions.clear()
            self.states.clear()

    def change(self, source: str, name: str, fields: dict[str, Any]) -> tuple[BoardEvent, SessionState]:
        """Change what is given of a session, or add it; returns what a board would say of it."""
        before = self.sessions.get((source, name))
        now = datetime.now(UTC)
        if (activity := fields.get("activity")) is not None:
            ended = activity == "terminal"
            fields = {"lifecycle": "terminal" if ended else "active", "completed_at": now if ended else None, **fields}
            if activity != "waiting":
                fields = {"waiting_for": None, **fields}
        base = before or SessionState(id=name, source=source, started_at=now)
        moved = {"last_activity_at": now, "last_data_received_at": now}
        return self.put(structs.replace(base, **{**moved, **fields}))

    def put(self, state: SessionState) -> tuple[BoardEvent, SessionState]:
        """Put a whole session on the board, with the next version unless it has a later one."""
        before = self.sessions.get((state.origin, state.id))
        session = structs.replace(state, version=max(state.version, 1 if before is None else before.version + 1))
        kind: EventKind = "updated"
        if before is None:
            kind = "discovered"
        elif session.lifecycle != before.lifecycle:
            kind = "terminal" if session.lifecycle == "terminal" else "resumed"
        self.sessions[session.origin, session.id] = session
        marks = self.marks.setdefault((session.origin, session.id), [])
        marks.append(mark_of(session, datetime.now(UTC)))
        return self._event(kind, session), session

    def end(self, source: str, name: str, kind: EventKind) -> tuple[BoardEvent, SessionState]:
        """Let a session end as the board ends one: stale or removed."""
        before = self.sessions[source, name]
        changes = {"lifecycle": "terminal", "end_reason": kind} if kind == "stale" else {}
        session = structs.replace(before, version=before.version + 1, **changes)
        self.sessions[source, name] = session
        if kind == "removed":
            del self.sessions[source, name]
            self.marks.pop((source, name), None)
        return self._event(kind, session), session

    def sicken(self, source: str, fields: dict[str, Any]) -> tuple[BoardEvent, HealthState]:
        """Change what is given of a source's health."""
        now = datetime.now(UTC)
        before = self.states.get(source, HealthState(source=source))
        return self.put_health(structs.replace(before, **{"updated_at": now, **fields}))

    def put_health(self, state: HealthState) -> tuple[BoardEvent, HealthState]:
        """Let a source do as is given."""
        self.states[state.origin] = state
        seq, source_seq = self._count(state.origin)
        at = datetime.now(UTC)
        event = HealthChanged(
            epoch=self.epoch, seq=seq, source=state.source, source_seq=source_seq, at=at, health=state, host=state.host
        )
        return event, state

    def remember(self, source: str, name: str, marks: Iterable[Mark]) -> None:
        """Give a session a past in place of the one that it has."""
        self.marks[source, name] = list(marks)

    def heartbeat(self) -> Heartbeat:
        """Return the heartbeat of this moment."""
        return Heartbeat(epoch=self.epoch, seq=self.seq, source_seqs=dict(self.source_seqs), at=datetime.now(UTC))

    def answers(self, asked: SnapshotRequest) -> list[bytes]:
        """Return the messages that answer a question."""
        if asked.want == "history":
            history = self._history(asked.source, asked.id)
            return [HISTORY_ANSWER.encode(HistoryAnswer(request=asked.request, history=history))]
        if asked.want == "pulses":
            pulses = tuple(each for each in self._pulses() if asked.sources is None or each.source in asked.sources)
            return [PULSES_ANSWER.encode(PulsesAnswer(request=asked.request, pulses=pulses))]
        return [SNAPSHOT_PAGE.encode(page) for page in self._pages(asked.request, asked.sources)]

    def _pages(self, request: int, sources: tuple[str, ...] | None) -> list[SnapshotPage]:
        wanted = [each for each in self.sessions.values() if sources is None or each.origin in sources]
        health = tuple(each for each in self.states.values() if sources is None or each.origin in sources)
        starts = range(0, max(1, len(wanted)), PAGE_SESSIONS)
        return [
            SnapshotPage(
                request=request,
                page=number,
                last=number == len(starts) - 1,
                epoch=self.epoch,
                seq=self.seq,
                source_seqs=dict(self.source_seqs),
                sessions=tuple(wanted[start : start + PAGE_SESSIONS]),
                health=health if number == 0 else (),
            )
            for number, start in enumerate(starts)
        ]

    def _event(self, kind: EventKind, session: SessionState) -> BoardEvent:
        seq, source_seq = self._count(session.origin)
        now = datetime.now(UTC)
        return session_event(kind, session, epoch=self.epoch, seq=seq, source_seq=source_seq, at=now)

    def _count(self, source: str) -> tuple[int, int]:
        self.seq += 1
        self.source_seqs[source] = self.source_seqs.get(source, 0) + 1
        return self.seq, self.source_seqs[source]

    def _history(self, source: str, name: str) -> History:
        if marks := self.marks.get((source, name)):
            return History(source=source, id=name, marks=tuple(marks))
        state = self.sessions.get((source, name))
        return History(source=source, id=name) if state is None else still(state, datetime.now(UTC))

    def _pulses(self) -> Iterator[Pulse]:
        now = datetime.now(UTC)
        for (source, name), marks in self.marks.items():
            counts = by_minute(marks, now)
            if any(counts):
                yield Pulse(source=source, id=name, counts=counts)
