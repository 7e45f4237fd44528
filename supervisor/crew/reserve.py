"""Reserve: whether a spare worker is wanted, a process that has imported everything and waits for its order.

Starting Python and importing is the larger part of a restart. A calm board pays nothing for that: a spare is kept only from
the first death that nobody asked for, until nothing has died for an hour. Pure: `clock` is the board's own time in seconds;
performed by `crew.py`.
"""

KEEP_SECONDS = 3600.0
SETTLE_SECONDS = 5.0
"""So long after a death the next spare waits for the worker that took the place: that one is in a hurry."""


class Reserve:
    """What has died lately, as far as a spare depends on it."""

    def __init__(self) -> None:
        self._died_at: float | None = None

    def died(self, clock: float) -> None:
        """Note that a worker died."""
        self._died_at = clock

    def close(self) -> None:
        """Want none before the next death: the crew leaves, or a spare died or cannot be started."""
        self._died_at = None

    def wanted(self, clock: float) -> bool:
        """Whether a spare is kept."""
        return self._died_at is not None and clock - self._died_at < KEEP_SECONDS

    def begins(self, clock: float, *, settled: bool) -> bool:
        """Whether one is to be started now; `settled`: every worker has got somewhere."""
        if self._died_at is None or not self.wanted(clock):
            return False
        return settled or clock - self._died_at >= SETTLE_SECONDS
