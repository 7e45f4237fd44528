"""Memory: how much of it a worker may use. Pure; performed by `guard.py`, and by a limit of the system in the worker."""

from typing import Literal

from msgspec import Struct

RECYCLE_SECONDS = 60.0
"""A worker is not recycled before this age: what it needs from the start is not a leak."""


class Memory(Struct, frozen=True, kw_only=True):
    """Bytes: above `soft` a worker is drained and started anew, above `hard` it is killed. None: no bound."""

    soft: int | None = None
    hard: int | None = None

    def judge(self, rss: int | None, age: float) -> Literal["well", "recycle", "kill"]:
        """Decide about a worker by its memory and its age in seconds."""
        if rss is None:
            return "well"
        if self.hard is not None and rss > self.hard:
            return "kill"
        if self.soft is not None and rss > self.soft and age >= RECYCLE_SECONDS:
            return "recycle"
        return "well"
