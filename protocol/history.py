"""History: what a session did in the last hour, as the board remembers it.

A `Mark` is one moment at which something changed; a `Pulse` says how much happened in each minute. Both are kept in memory
alone: a restart of the supervisor begins anew. They are asked for on the snapshot socket (`ask.py`); the counterpart on
the board's side is `supervisor/aggregator/history.py`.
"""

from msgspec import Struct

from .session import Activity, Time, WaitingFor

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
