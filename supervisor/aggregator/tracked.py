"""Tracked: a session as the board keeps it, and the rules by which the passing of time changes it.

Pure values. `aggregator.py` makes them, `schedule.py` remembers when to look at one again, `store.py` keeps them on disk.
"""

from typing import TypeAlias

from msgspec import Struct

from ...protocol.session import SessionState
from ..clock import Moment
from .lifecycle import State

SessionKey: TypeAlias = tuple[str, str]
"""(source, session id)."""


class Tracked(Struct, frozen=True, kw_only=True, gc=False):
    """A session as the board keeps it: its public state, and what lifecycle needs besides.

    `moved_at` is when it last said something or ended (seconds of the board's own clock); `live` whether live evidence
    stood behind it then. A session that is `gone` is not shown any more, but its counts are kept with its cursor.
    """

    state: SessionState
    lifecycle: State
    moved_at: float
    live: bool = False


class Kept(Struct, frozen=True, gc=False):
    """A session as it is stored: `moved` is its `moved_at` by the wall clock (epoch seconds)."""

    tracked: Tracked
    moved: float


class Rules(Struct, frozen=True, kw_only=True):
    """Seconds; None: for ever.

    After how long without data a session is stale, how long an ended one is shown, and how long the counts of one that is
    not shown any more are kept.
    """

    stale_after: float | None = 3600.0
    retention: float | None = 86400.0
    forget_after: float | None = 30 * 86400.0

    def due_at(self, tracked: Tracked, clock: float) -> float:
        """Return when the passing of time is to be looked at again for a session (seconds of the board's own clock)."""
        if tracked.lifecycle == "active" and self.stale_after is not None:
            # Live evidence outlives any silence: a permission prompt may wait overnight.
            return (clock if tracked.live else tracked.moved_at) + self.stale_after
        if tracked.lifecycle == "terminal" and self.retention is not None:
            return tracked.moved_at + self.retention
        if tracked.lifecycle == "gone" and self.forget_after is not None:
            return tracked.moved_at + self.forget_after
        return float("inf")

    def silent(self, state: SessionState, modified_at: float | None, now: Moment) -> bool:
        """Whether what was read is history: neither the artifact nor its last record is younger than the threshold."""
        if self.stale_after is None:
            return False
        ages = [] if modified_at is None else [now.wall.timestamp() - modified_at]
        if state.last_activity_at is not None:
            ages.append((now.wall - state.last_activity_at).total_seconds())
        return bool(ages) and min(ages) > self.stale_after
