"""Memory: how much of it a worker may use. Pure; performed by `guard.py`, and by a limit of the system in the worker."""

from typing import Literal

from msgspec import Struct

RECYCLE_SECONDS = 60.0
MOST_RECYCLE_SECONDS = 3600.0
"""A worker is not recycled before an age that doubles each time: one that needs so much from the start has no leak."""


class Memory(Struct, frozen=True, kw_only=True):
    """Bytes: above `soft` a worker is drained and started anew, above `hard` it is killed. None: no bound."""

    soft: int | None = None
    hard: int | None = None

    def judge(self, rss: int | None, age: float, recycled: int = 0) -> Literal["well", "recycle", "kill"]:
        """Decide about a worker by its memory, its age in seconds, and how often its kind was recycled before."""
        if rss is None:
            return "well"
        if self.hard is not None and rss > self.hard:
            return "kill"
        least = min(RECYCLE_SECONDS * 2 ** min(recycled, 10), MOST_RECYCLE_SECONDS)
        if self.soft is not None and rss > self.soft and age >= least:
            return "recycle"
        return "well"
