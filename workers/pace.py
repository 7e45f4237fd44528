"""Pace: when a worker looks of its own accord, besides what it is told by watches. Pure; performed by `lookout.py`.

A *sweep* looks at everything. Beside watches it is the net below them, and hangs lower the longer nothing happens at all. A
*pulse* looks at what no file tells; a source that has nothing of the kind says for how long it may rest.
"""

import math

SELDOMER = 5
"""By how much seldomer at most there are sweeps beside watches while nothing happens."""


class Pace:
    """When the next sweep and the next pulse are due. Everything in seconds of one clock; both are due at the start."""

    def __init__(self, *, sweep: float, watched: float, pulse: float) -> None:
        self.sweep_at = self.pulse_at = -math.inf
        self._sweep = sweep
        self._watched = watched
        self._pulse = pulse
        self._quiet = 0

    @property
    def due(self) -> float:
        """When the next of them is."""
        return min(self.sweep_at, self.pulse_at)

    def swept(self, now: float, *, watched: bool) -> None:
        """Note a sweep; `watched`: changes are told by watches from now on."""
        self.sweep_at = now + (self._watched * min(2**self._quiet, SELDOMER) if watched else self._sweep)
        self._quiet = min(self._quiet + 1, SELDOMER)

    def pulsed(self, now: float, rest: float = 0.0) -> None:
        """Note a pulse; the next one may wait for `rest` seconds, unless something stirs."""
        self.pulse_at = now + max(self._pulse, rest)

    def stirred(self, now: float) -> None:
        """Note that something has changed: look more often again."""
        self._quiet = 0
        self.sweep_at = min(self.sweep_at, now + self._watched)
        self.pulse_at = min(self.pulse_at, now + self._pulse)


def together(now: float, every: float) -> float:
    """Return the next moment at which all do what they do `every` so many seconds: the machine wakes up once for them."""
    return (now // every + 1) * every
