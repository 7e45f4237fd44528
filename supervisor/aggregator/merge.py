"""Merge: what a source found out becomes part of a session's state.

Counts add, everything else replaces, and what the source does not say (`UNSET`) stays as it was. Written out field by
field: nothing is done as often as this, and going through names instead takes three times as long.
"""

from datetime import UTC, datetime

from msgspec import UNSET, UnsetType, structs

from ...protocol.session import Evidence, SessionState, Subagent
from ...protocol.update import SourceUpdate


def merge(state: SessionState, facts: SourceUpdate, now: datetime) -> SessionState:
    """Return the state with what the source said. Lifecycle, version and times of the board are not decided here."""
    old, new, fresh = state, facts, facts.restart
    used = old.context_tokens if new.context_tokens is UNSET else new.context_tokens
    most = old.max_context_tokens if new.max_context_tokens is UNSET else new.max_context_tokens
    return SessionState(
        id=old.id,
        source=old.source,
        slug=old.slug if new.slug is UNSET else new.slug,
        title=old.title if new.title is UNSET else new.title,
        activity=old.activity if new.activity is UNSET else new.activity,
        waiting_for=old.waiting_for if new.waiting_for is UNSET else new.waiting_for,
        evidence=old.evidence if new.evidence is UNSET else _evidence(new.evidence, now),
        lifecycle=old.lifecycle,
        end_reason=old.end_reason if new.end_reason is UNSET else new.end_reason,
        model=old.model if new.model is UNSET else new.model,
        working_dir=old.working_dir if new.working_dir is UNSET else new.working_dir,
        branch=old.branch if new.branch is UNSET else new.branch,
        context_tokens=used,
        max_context_tokens=most,
        max_context_from=old.max_context_from if new.max_context_from is UNSET else new.max_context_from,
        context_utilization=None if used is None or not most else round(used / most, 4),
        input_tokens=old.input_tokens if new.input_tokens is UNSET else new.input_tokens,
        cache_read_tokens=old.cache_read_tokens if new.cache_read_tokens is UNSET else new.cache_read_tokens,
        cache_creation_tokens=(
            old.cache_creation_tokens if new.cache_creation_tokens is UNSET else new.cache_creation_tokens
        ),
        output_tokens=old.output_tokens if new.output_tokens is UNSET else new.output_tokens,
        token_estimated=old.token_estimated if new.token_estimated is UNSET else new.token_estimated,
        message_count=_count(old.message_count, new.message_count_delta, fresh),
        tool_call_count=_count(old.tool_call_count, new.tool_call_count_delta, fresh),
        compaction_count=_count(old.compaction_count, new.compaction_count_delta, fresh),
        current_tool=old.current_tool if new.current_tool is UNSET else new.current_tool,
        current_tool_started_at=_time(old.current_tool_started_at, new.current_tool_started_at, now),
        parent_id=old.parent_id if new.parent_id is UNSET else new.parent_id,
        subagents=old.subagents if new.subagents is UNSET else _subagents(new.subagents, now),
        client_version=old.client_version if new.client_version is UNSET else new.client_version,
        started_at=_time(old.started_at, new.started_at, now),
        last_activity_at=_time(old.last_activity_at, new.last_activity_at, now),
        last_data_received_at=now,
        completed_at=old.completed_at,
        version=old.version,
    )


def _count(known: int, delta: int, fresh: bool) -> int:
    """Return a count with what a step adds; `fresh`: it begins anew. It never goes down by itself."""
    if delta <= 0:
        return 0 if fresh else known
    return delta if fresh else known + delta


def _time(known: datetime | None, said: datetime | UnsetType | None, now: datetime) -> datetime | None:
    return known if said is UNSET else None if said is None else _past(said, now)


def _past(time: datetime, now: datetime) -> datetime:
    """Return a time from an artifact in UTC; the future is a wrong clock."""
    moment = time if time.tzinfo is UTC else time.astimezone(UTC)
    return moment if moment <= now else now  # noqa: FURB136 - four calls of `min` cost as much as the copy


def _evidence(evidence: Evidence | None, now: datetime) -> Evidence | None:
    if evidence is None or evidence.since is None:
        return evidence
    since = _past(evidence.since, now)
    return evidence if since is evidence.since else structs.replace(evidence, since=since)


def _subagents(agents: tuple[Subagent, ...], now: datetime) -> tuple[Subagent, ...]:
    return tuple([_subagent(agent, now) for agent in agents])


def _subagent(agent: Subagent, now: datetime) -> Subagent:
    times = {name: getattr(agent, name) for name in ("started_at", "last_activity_at", "completed_at")}
    mended = {name: _past(time, now) for name, time in times.items() if time is not None}
    return agent if mended.items() <= times.items() else structs.replace(agent, **mended)
