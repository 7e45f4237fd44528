"""Case: what is known of one thing that can be told, and when telling it is due. Pure.

A cause is told once, not before it has lasted a moment and no sooner than the cooldown allows. When it is over before that,
nothing is told; when it is over afterwards, what was told is taken back: at once, or later where a new supervisor may only
not know it yet. Nothing depends on how often a state is heard.
"""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from ...protocol.session import HealthState, SessionState
from ..clock import Moment
from .settings import Kind

What: TypeAlias = Literal["permission", "question", "plan", "prompt", "degraded", "failed", "gone"]


class Cause(Struct, frozen=True, kw_only=True):
    """Why somebody is to be told: what is the matter, since when, and with whom (None: the board itself).

    `asked` is a moment before which this very thing cannot have been asked for, if one is known.
    """

    kind: Kind
    what: What
    since: datetime | None = None
    asked: datetime | None = None
    subject: SessionState | HealthState | None = None


class Ring(Struct, frozen=True, kw_only=True):
    """Tell this; what was told under the same key before is replaced."""

    key: str
    causes: tuple[Cause, ...]


class Retract(Struct, frozen=True, kw_only=True):
    """Take back what was told under this key: it is no longer so."""

    key: str


Word: TypeAlias = Ring | Retract


class Case(Struct, kw_only=True):
    """One session, one source or the board.

    `ring_at` is when the cause is to be told, None if there is nothing to tell; `shown` the key under which something
    stands told, `leave_at` when that is to be taken back if its cause is not back by then; `told_at` and `rang_at` when it
    was told, by both clocks. `early` is a cause that stood already when we came.
    """

    key: str
    cause: Cause | None = None
    ring_at: float | None = None
    shown: str | None = None
    told_at: datetime | None = None
    rang_at: float | None = None
    early: bool = False
    leave_at: float | None = None

    def stand(self, cause: Cause, now: Moment, *, settle: float, cooldown: float) -> None:
        """Take what is the matter now."""
        self.leave_at = None
        if self.ring_at is None and self._is_news(cause):
            rested = now.clock if self.rang_at is None else self.rang_at + cooldown
            self.ring_at = max(now.clock + settle, rested)
        self.cause = cause

    def over(self, at: float) -> None:
        """Nothing is the matter any more: what stands told is taken back then, or when that was decided before."""
        self.ring_at = None
        self.early = False
        if self.shown is None:
            self.cause = None
        elif self.leave_at is None:
            self.leave_at = at

    def leave(self) -> str | None:
        """Forget it all but when it rang. Returns the key under which something stood told."""
        shown = self.shown
        self.cause = self.ring_at = self.shown = self.leave_at = None
        self.early = False
        return shown

    def told(self, key: str, now: Moment) -> None:
        """Note that the cause was told under a key."""
        self.shown, self.told_at, self.rang_at, self.ring_at = key, now.wall, now.clock, None
        self.early = False

    def _is_news(self, cause: Cause) -> bool:
        """Whether a cause is another one than that which stands.

        The same thing is another one if it was asked for after the first was told: between two looks at it a session may
        have been answered, gone on, and asked anew.
        """
        if self.cause is None or (cause.kind, cause.what) != (self.cause.kind, self.cause.what):
            return True
        return cause.asked is not None and self.told_at is not None and cause.asked > self.told_at
