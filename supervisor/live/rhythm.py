"""Rhythm: when the live board is drawn: soon after something changed, and at most ten times a second.

The counterparts are the wire, whose thread says that something changed, and `app.py`, which draws.
"""

import asyncio
import contextlib
from collections.abc import Callable

DRAW_SECONDS = 0.1


class Rhythm:
    """Calls `draw` in its loop, where it is told of each drawing; only `wake` may be called from anywhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop, draw: Callable[[], None]) -> None:
        self._loop = loop
        self._draw = draw
        self._due = False
        self._drawn_at = 0.0

    def wake(self) -> None:
        """Draw soon: another thread has something new."""
        if not self._due:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody looks any more
                self._loop.call_soon_threadsafe(self.soon)

    def soon(self) -> None:
        """Draw as soon as it may be."""
        if self._due:
            return
        self._due = True
        self._loop.call_later(max(0.0, self._drawn_at + DRAW_SECONDS - self._loop.time()), self._beat)

    def _beat(self) -> None:
        self._due = False
        self._draw()

    def drawn(self) -> None:
        """Note that it is drawn now, for whatever reason."""
        self._due = False
        self._drawn_at = self._loop.time()
