"""Clock: the board's own time, in which a suspended laptop does not age anything.

Durations are counted in ticks. Each adds at most what this process meant to sleep and half a second, whatever the machine's
clock says in between: suspend, SIGSTOP or a debugger neither kill a worker nor make a session stale.
"""

from datetime import datetime

from msgspec import Struct

MOST_PER_TICK = 0.5
EARLY_SECONDS = 0.05
"""Ticks come a little early to fall together with other things: so may what is due then, or it would wait for another."""

AWAY_SECONDS = 2.0
"""A pause so much longer than it was meant to be means that this process was away: suspended, stopped, or starved."""


class Moment(Struct, frozen=True, gc=False):
    """Now, twice: `wall` for what people read (UTC), `clock` (seconds of `Ticks`) for everything that is measured."""

    wall: datetime
    clock: float


class Ticks:
    """Counts seconds of being awake; fed with the monotonic clock. `was_away` is about the last reading."""

    def __init__(self, monotonic: float) -> None:
        self.now = 0.0
        self.was_away = False
        self._last = monotonic

    def advance(self, monotonic: float, rest: float = 0.0) -> float:
        """Take a reading of the monotonic clock, after a sleep of `rest` seconds; returns the board's time."""
        passed = max(0.0, monotonic - self._last)
        self.now += min(passed, rest + MOST_PER_TICK)
        self.was_away = passed > rest + AWAY_SECONDS
        self._last = monotonic
        return self.now
