"""Facts: what a state says to the board.

There is no registry of living clients, and exit writes nothing: whether the process still runs is not on disk, so a
session is never called ended here, and one that was killed while a tool ran keeps its open call for ever. Nor does the
file say that a tool waits for permission. The counterpart is `state.py`, where everything stands.
"""

from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, Struct

from ...protocol.session import Activity, Evidence, WaitingFor
from ...protocol.update import SourceUpdate
from ..text import when
from .state import Call, Counts, State

_WHY = {
    "stop": "the turn ended",
    "length": "the answer reached its longest",
    "aborted": "the turn was interrupted",
    "error": "the last call failed",
    "back": "a person went back to an earlier entry",
}


class Standing(Struct, frozen=True):
    """What a session is doing, whom it waits for, and how that is known."""

    activity: Activity
    evidence: Evidence
    waiting_for: WaitingFor | None = None


def standing(state: State) -> Standing:
    """Decide what a session is doing."""
    since = when(state.since)
    call = running(state)
    if call is not None:
        detail = f"{call.name} has no result yet"
        return Standing("working", Evidence(kind="tool", detail=detail, since=when(call.since)))
    if state.turn == "asked":
        return Standing("working", Evidence(kind="record", detail="the prompt has no answer yet", since=since))
    if state.turn in {"calling", "ran"}:
        return Standing("working", Evidence(kind="record", detail="the tools have no answer yet", since=since))
    if state.turn == "over":
        return Standing("waiting", Evidence(kind="record", detail=_WHY.get(state.why, ""), since=since), "prompt")
    return Standing("idle", Evidence(kind="record" if state.begun else "none", detail="no turn yet"))


def running(state: State) -> Call | None:
    """Return the oldest call without a result: results are written in the order of the calls, so it still runs."""
    return next(iter(state.open.values()), None)


def update_of(state: State, session_id: str, *, counts: Counts | None = None, restart: bool = False) -> SourceUpdate:
    """Say everything that is known; with `restart` also what is no longer known."""
    now, counts, call = standing(state), counts or Counts(), running(state)
    facts: dict[str, Any] = {
        "title": state.name or state.title,
        "model": state.model,
        "working_dir": state.cwd,
        "started_at": when(state.started),
        "last_activity_at": _last_activity(state),
    }
    if state.begun:
        facts["input_tokens"] = state.input
        facts["cache_read_tokens"] = state.cached
        facts["cache_creation_tokens"] = state.written
        facts["output_tokens"] = state.output
    if restart:
        # All that an earlier content of the file may have said.
        blank = dict.fromkeys(("input_tokens", "cache_read_tokens", "cache_creation_tokens", "output_tokens"))
        facts = {**blank, **facts, "subagents": (), "end_reason": None, "ended_at": None}
    else:
        facts = {name: value for name, value in facts.items() if value is not None}
    if state.context is not UNSET or restart:
        facts["context_tokens"] = None if state.context is UNSET else state.context
    return SourceUpdate(
        session_id=session_id,
        activity=now.activity,
        waiting_for=now.waiting_for,
        evidence=now.evidence,
        current_tool=call.name if call else None,
        current_tool_started_at=when(call.since) if call else None,
        message_count_delta=counts.messages,
        tool_call_count_delta=counts.tool_calls,
        compaction_count_delta=counts.compactions,
        unknown_records_delta=counts.unknown,
        restart=restart,
        **facts,
    )


def _last_activity(state: State) -> datetime | None:
    moment = when(state.last) or when(state.started)
    if moment is None and state.modified is not None:
        return datetime.fromtimestamp(state.modified, UTC)
    return moment
