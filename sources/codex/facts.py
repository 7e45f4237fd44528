"""Facts: what a state says to the board.

The best evidence speaks first: the client's lock, then the records of the newest file, then an open tool call. Waiting
for a permission is nowhere on disk, so it is never said here. The counterpart is `state.py`, where everything stands.
"""

from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, Struct

from ...protocol.session import Activity, Evidence, WaitingFor
from ...protocol.update import SourceUpdate
from ..text import when
from .state import State
from .thread import Counts
from .tokens import minus

_WHY = {
    "ended": "the turn ended",
    "interrupted": "the turn was interrupted",
    "failed": "the turn failed",
    "answered": "the last answer calls no tool",
    "rewound": "a person went back to an earlier turn",
}


class Standing(Struct, frozen=True):
    """What a session is doing, whom it waits for, how that is known, and why it ended."""

    activity: Activity
    evidence: Evidence
    waiting_for: WaitingFor | None = None
    end_reason: str | None = None


def standing(state: State) -> Standing:
    """Decide what a thread is doing."""
    if state.hidden:
        return Standing("terminal", Evidence(kind="record", detail="an internal reviewer"), None, "internal")
    if state.gone:
        return _gone(state)
    if state.sealed:
        return Standing("idle", Evidence(kind="none", detail="compressed, and no zstandard module to read it"))
    since = when(state.since)
    if state.turn == "working":
        if state.dead:
            detail = "the process of the last turn is gone, another one has the thread open"
            return Standing("waiting", Evidence(kind="lock", detail=detail), "prompt")
        if state.open:
            call = next(reversed(state.open.values()))
            detail = f"{call.name} has no result yet; it may wait for approval"
            evidence = Evidence(kind="tool", detail=detail, since=when(call.since))
        else:
            detail = "a turn has begun and not ended" if state.eventful else "the last record is not an answer"
            evidence = Evidence(kind="record", detail=detail, since=since)
        return Standing("working", evidence)
    if state.turn == "over":
        return Standing("waiting", Evidence(kind="record", detail=_WHY.get(state.why, ""), since=since), "prompt")
    if state.lock == "held":
        return Standing("idle", Evidence(kind="lock", detail="a process has the thread open, no turn yet"))
    return Standing("idle", Evidence(kind="record" if state.begun else "none", detail="no turn yet"))


def _gone(state: State) -> Standing:
    if state.left:
        evidence = Evidence(kind="process", detail="the process that had the thread open is gone")
        return Standing("terminal", evidence, None, "process gone")  # closed or killed: without a lock, who could say
    if state.lock == "free":
        detail, reason = "the client's lock is there and nobody holds it", "process gone"
    else:
        detail, reason = "the client has closed the thread", "closed"
    return Standing("terminal", Evidence(kind="lock", detail=detail), None, reason)


def update_of(
    state: State,
    thread_id: str,
    *,
    born: datetime | None = None,
    counts: Counts | None = None,
    restart: bool = False,
) -> SourceUpdate:
    """Say everything that is known; with `restart` also what is no longer known.

    `born` is when the thread was made as far as its name tells, for want of a header.
    """
    now, counts = standing(state), counts or Counts()
    working = now.activity == "working"
    call = next(reversed(state.open.values())) if working and state.open else None
    facts: dict[str, Any] = {
        "title": state.name or state.title,
        "slug": state.nickname,
        "model": state.model,
        "working_dir": state.cwd,
        "branch": state.branch,
        "max_context_tokens": state.window,
        "max_context_from": "reported" if state.window else None,
        "started_at": when(state.started) or born,
        "last_activity_at": _last_activity(state),
        "parent_id": state.parent,
        "client_version": state.version,
        **_tokens(state),
    }
    if restart:
        facts["max_context_from"] = facts["max_context_from"] or "unknown"
        facts |= {"token_estimated": False, "subagents": ()}
    else:
        facts = {name: value for name, value in facts.items() if value is not None}
    if state.context is not UNSET or restart:
        facts["context_tokens"] = None if state.context is UNSET else state.context
    if now.end_reason and not state.alive_seen:
        # It ended at some time after its last record, and nobody knows when; seen alive before, it ended just now.
        facts["ended_at"] = _last_activity(state) or UNSET
    elif restart:
        facts["ended_at"] = None if not now.end_reason else UNSET
    return SourceUpdate(
        session_id=thread_id,
        activity=now.activity,
        waiting_for=now.waiting_for,
        evidence=now.evidence,
        current_tool=call.name if call else None,
        current_tool_started_at=when(call.since) if call else None,
        terminal=now.activity == "terminal",
        end_reason=now.end_reason,
        message_count_delta=counts.messages,
        tool_call_count_delta=counts.tool_calls,
        compaction_count_delta=counts.compactions,
        unknown_records_delta=counts.unknown,
        restart=restart,
        **facts,
    )


def _tokens(state: State) -> dict[str, int | None]:
    own = minus(state.totals, state.inherited) if state.totals and state.inherited else state.totals
    return {
        "input_tokens": own.input if own else None,
        "cache_read_tokens": own.cached if own else None,
        "cache_creation_tokens": own.written if own else None,
        "output_tokens": own.output if own else None,
    }


def _last_activity(state: State) -> datetime | None:
    moment = when(state.last)
    if moment is None and state.modified is not None:
        return datetime.fromtimestamp(state.modified, UTC)
    return moment
