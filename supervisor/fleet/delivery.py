"""Delivery: what waits in an exporter's outbox is brought into the engine's history, what has waited for longest first.

A history that is full, or not there, is no reason not to say what is: it is left alone for a while, and the entries
(`entries.py`) go on. What was given up on the way is said, to people here and in the machine's sign of life.
"""

import asyncio

from .engine import Engine
from .errors import EngineRefused, TooLarge
from .notices import Notices
from .outbox import Outbox


class Delivery:
    """From one outbox to one engine.

    What was refused is tried again after `refused` seconds; losses are said at most every `told` seconds.
    """

    def __init__(self, engine: Engine, outbox: Outbox, notices: Notices, *, refused: float, told: float) -> None:
        self._engine = engine
        self._outbox = outbox
        self._notices = notices
        self._refused, self._told = refused, told
        self._next_at = self._lost_at = 0.0
        self._lost_told = outbox.lost

    def begin(self) -> None:
        """The engine is another one, or was away: what it has refused it may take now."""
        self._next_at = 0.0

    async def push(self, most: int, now: float) -> bool:
        """Send some of what waits, all at once; returns whether more may wait that can be sent. Raises EngineLost."""
        if now < self._next_at or not self._outbox.rows:
            return False
        rows = self._outbox.first(most)
        if not rows:
            return False
        append = self._engine.append
        results = await asyncio.gather(*(append(row.path, row.value, row.once) for row in rows), return_exceptions=True)
        failed = next(
            (each for each in results if isinstance(each, BaseException) and not isinstance(each, TooLarge)), None
        )
        there = [row for row, each in zip(rows, results, strict=True) if each is None or isinstance(each, TooLarge)]
        self._outbox.sent(there, given_up=sum(isinstance(each, TooLarge) for each in results))
        if isinstance(failed, EngineRefused):
            self._notices.about("history", f"the history is not kept: {failed}; tried again every {self._refused:g} s")
            self._next_at = now + self._refused
            return False
        if failed is not None:
            raise failed
        self._notices.well("history")
        return True

    def tell(self, now: float) -> None:
        """Tell people what was given up, and what is wrong with the outbox."""
        lost = self._outbox.lost - self._lost_told
        if lost > 0 and now >= self._lost_at:
            self._lost_at = now + self._told
            self._lost_told = self._outbox.lost
            self._notices.news(
                f"{lost} events of the history were given up: the engine was away, or slow, for too long"
            )
        if self._outbox.trouble is not None:
            self._notices.about("outbox", self._outbox.trouble)
