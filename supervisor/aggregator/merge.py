"""Merge: what a source found out becomes part of a session's state.

Counts add, everything else replaces, and what the source does not say (`UNSET`) stays as it was.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from msgspec import UNSET, structs

from ...protocol.session import Evidence, SessionState, Subagent
from ...protocol.update import SourceUpdate

SAID = (
    "slug",
    "title",
    "activity",
    "evidence",
    "model",
    "working_dir",
    "branch",
    "context_tokens",
    "output_tokens",
    "max_context_tokens",
    "max_context_from",
    "token_estimated",
    "current_tool",
    "current_tool_started_at",
    "waiting_for",
    "input_tokens",
    "cache_read_tokens",
    "cache_creation_tokens",
    "started_at",
    "last_activity_at",
    "subagents",
    "parent_id",
    "client_version",
    "end_reason",
)
"""Fields that a source says outright: set means replace."""

COUNTED = {
    "message_count": "message_count_delta",
    "tool_call_count": "tool_call_count_delta",
    "compaction_count": "compaction_count_delta",
}
"""Fields that a source adds to, and what it adds."""

CLAMPED = ("started_at", "last_activity_at", "current_tool_started_at")
"""Times that come from artifacts: the future is a wrong clock."""

_said: Callable[[SourceUpdate], tuple[Any, ...]] = attrgetter(*SAID)
_deltas: Callable[[SourceUpdate], tuple[int, ...]] = attrgetter(*COUNTED.values())


def merge(state: SessionState, facts: SourceUpdate, now: datetime) -> SessionState:
    """Return the state with what the source said. Lifecycle, version and times of the board are not decided here."""
    changes = {field: value for field, value in zip(SAID, _said(facts), strict=True) if value is not UNSET}
    for field in CLAMPED:
        value = changes.get(field)
        if isinstance(value, datetime):
            changes[field] = _past(value, now)
    evidence = facts.evidence
    if isinstance(evidence, Evidence) and evidence.since is not None:
        since = _past(evidence.since, now)
        if since is not evidence.since:
            changes["evidence"] = structs.replace(evidence, since=since)
    if facts.subagents is not UNSET and facts.subagents:
        changes["subagents"] = tuple(_subagent(agent, now) for agent in facts.subagents)
    for field, delta in zip(COUNTED, _deltas(facts), strict=True):
        if facts.restart:
            changes[field] = max(0, delta)
        elif delta > 0:
            changes[field] = getattr(state, field) + delta
    changes["context_utilization"] = _utilization(
        changes.get("context_tokens", state.context_tokens),
        changes.get("max_context_tokens", state.max_context_tokens),
    )
    changes["last_data_received_at"] = now
    # One copy for all of it: a state has forty fields.
    return structs.replace(state, **changes)


def _past(time: datetime, now: datetime) -> datetime:
    """Return a time from an artifact in UTC; the future is a wrong clock."""
    moment = time if time.tzinfo is UTC else time.astimezone(UTC)
    return min(moment, now)


def _subagent(agent: Subagent, now: datetime) -> Subagent:
    times = {name: getattr(agent, name) for name in ("started_at", "last_activity_at", "completed_at")}
    mended = {name: _past(time, now) for name, time in times.items() if time is not None}
    return agent if mended.items() <= times.items() else structs.replace(agent, **mended)


def _utilization(used: int | None, most: int | None) -> float | None:
    return None if used is None or not most else round(used / most, 4)
