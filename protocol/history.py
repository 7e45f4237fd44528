"""History: what a session did in the last hour, as the board remembers it.

A `Mark` is one moment at which something changed; a `Pulse` says how much happened in each minute. Both are kept in memory
alone: a restart of the supervisor begins anew. They are asked for on the snapshot socket (`ask.py`); the counterpart on
the board's side is `supervisor/aggregator/history.py`; what both it and a mock board (`mock.py`) count is here. Pure.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from .session import Activity, SessionState, Time, WaitingFor

KEPT_MINUTES = 60


class Mark(Struct, frozen=True, kw_only=True, gc=False):
    """From `at` on the session was like this, until the next mark. The counts are totals, as they were then."""

    at: Time
    activity: Activity
    waiting_for: WaitingFor | None = None
    tool: str | None = None
    messages: int = 0
    calls: int = 0
    compactions: int = 0
    context_tokens: int | None = None


class History(Struct, frozen=True, kw_only=True, gc=False):
    """What one session did, oldest first. Empty if nothing is remembered of it."""

    source: str
    id: str
    marks: tuple[Mark, ...] = ()


class Pulse(Struct, frozen=True, kw_only=True, gc=False):
    """Messages and tool calls of one session in each of the last 60 minutes, the present one last."""

    source: str
    id: str
    counts: tuple[int, ...]


def mark_of(state: SessionState, at: datetime) -> Mark:
    """Return what a session is, as a mark."""
    return Mark(
        at=at,
        activity=state.activity,
        waiting_for=state.waiting_for,
        tool=state.current_tool,
        messages=state.message_count,
        calls=state.tool_call_count,
        compactions=state.compaction_count,
        context_tokens=state.context_tokens,
    )


def still(state: SessionState, now: datetime) -> History:
    """Return the history of a session to which nothing happened: it is as it is."""
    at = max(min(now, state.last_activity_at or now), now - timedelta(minutes=KEPT_MINUTES))
    return History(source=state.origin, id=state.id, marks=(mark_of(state, at),))


def by_minute(marks: Iterable[Mark], now: datetime) -> tuple[int, ...]:
    """Return the messages and tool calls of each of the last 60 minutes until `now`."""
    counts = [0] * KEPT_MINUTES
    for before, mark in pairwise(marks):
        minute = int((now - mark.at).total_seconds() // 60)
        done = mark.messages + mark.calls - before.messages - before.calls
        if 0 <= minute < KEPT_MINUTES and done > 0:  # a file that was replaced counts from zero again
            counts[KEPT_MINUTES - 1 - minute] += done
    return tuple(counts)
