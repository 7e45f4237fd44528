"""Mock: what is on a mock board, and how its changes are said. The counterpart of `testing.py`, which has the sockets."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from msgspec import structs

from .ask import HistoryAnswer, PulsesAnswer, SnapshotPage, SnapshotRequest
from .codec import HISTORY_ANSWER, PULSES_ANSWER, SNAPSHOT_PAGE
from .event import SESSION_EVENTS, BoardEvent, EventKind, HealthChanged, Heartbeat
from .history import KEPT_MINUTES, History, Mark, Pulse
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
        moved = {"last_activity_at": now, "last_data_received_at": now, "version": base.version + 1}
        session = structs.replace(base, **{**moved, **fields})
        kind: EventKind = "updated"
        if before is None:
            kind = "discovered"
        elif session.lifecycle != before.lifecycle:
            kind = "terminal" if session.lifecycle == "terminal" else "resumed"
        self.sessions[source, name] = session
        self._mark(session, now)
        return self._event(kind, session), session

    def end(self, source: str, name: str, kind: EventKind) -> tuple[BoardEvent, SessionState]:
        """Let a session end as the board ends one: stale or removed."""
        before = self.sessions[source, name]
        changes = {"lifecycle": "terminal", "end_reason": kind} if kind == "stale" else {}
        session = structs.replace(before, version=before.version + 1, **changes)
        self.sessions[source, name] = session
        if kind == "removed":
            del self.sessions[source, name]
        return self._event(kind, session), session

    def sicken(self, source: str, fields: dict[str, Any]) -> tuple[BoardEvent, HealthState]:
        """Change what is given of a source's health."""
        now = datetime.now(UTC)
        before = self.states.get(source, HealthState(source=source))
        state = self.states[source] = structs.replace(before, **{"updated_at": now, **fields})
        seq, source_seq = self._count(source)
        event = HealthChanged(epoch=self.epoch, seq=seq, source=source, source_seq=source_seq, at=now, health=state)
        return event, state

    def heartbeat(self) -> Heartbeat:
        """Return the heartbeat of this moment."""
        return Heartbeat(epoch=self.epoch, seq=self.seq, source_seqs=dict(self.source_seqs), at=datetime.now(UTC))

    def answers(self, asked: SnapshotRequest) -> list[bytes]:
        """Return the messages that answer a question."""
        if asked.want == "history":
            marks = tuple(self.marks.get((asked.source, asked.id), ()))
            history = History(source=asked.source, id=asked.id, marks=marks)
            return [HISTORY_ANSWER.encode(HistoryAnswer(request=asked.request, history=history))]
        if asked.want == "pulses":
            pulses = tuple(each for each in self._pulses() if asked.sources is None or each.source in asked.sources)
            return [PULSES_ANSWER.encode(PulsesAnswer(request=asked.request, pulses=pulses))]
        return [SNAPSHOT_PAGE.encode(page) for page in self._pages(asked.request, asked.sources)]

    def _pages(self, request: int, sources: tuple[str, ...] | None) -> list[SnapshotPage]:
        wanted = [each for each in self.sessions.values() if sources is None or each.source in sources]
        health = tuple(each for each in self.states.values() if sources is None or each.source in sources)
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
        seq, source_seq = self._count(session.source)
        return SESSION_EVENTS[kind](
            epoch=self.epoch,
            seq=seq,
            source=session.source,
            source_seq=source_seq,
            id=session.id,
            version=session.version,
            at=datetime.now(UTC),
            session=session,
        )

    def _count(self, source: str) -> tuple[int, int]:
        self.seq += 1
        self.source_seqs[source] = self.source_seqs.get(source, 0) + 1
        return self.seq, self.source_seqs[source]

    def _mark(self, session: SessionState, now: datetime) -> None:
        mark = Mark(
            at=now,
            activity=session.activity,
            waiting_for=session.waiting_for,
            tool=session.current_tool,
            messages=session.message_count,
            calls=session.tool_call_count,
            compactions=session.compaction_count,
            context_tokens=session.context_tokens,
        )
        self.marks.setdefault((session.source, session.id), []).append(mark)

    def _pulses(self) -> Iterator[Pulse]:
        minute = int(datetime.now(UTC).timestamp() // 60)
        for (source, name), marks in self.marks.items():
            counts = [0] * KEPT_MINUTES
            for before, after in pairwise(marks):
                ago = minute - int(after.at.timestamp() // 60)
                gained = after.messages + after.calls - before.messages - before.calls
                if 0 <= ago < KEPT_MINUTES and gained > 0:
                    counts[-1 - ago] += gained
            if any(counts):
                yield Pulse(source=source, id=name, counts=tuple(counts))
