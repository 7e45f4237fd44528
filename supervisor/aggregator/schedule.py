"""Schedule: when each session is to be looked at again because of the mere passing of time.

Pure: the board's own clock (seconds) goes in. What is due, and what follows from it, is decided in `aggregator.py`.
"""

import heapq
from collections.abc import Iterator

from .tracked import SessionKey


class Schedule:
    """One look ahead for each session."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, SessionKey]] = []
        self._planned: dict[SessionKey, float] = {}

    def put(self, key: SessionKey, at: float) -> None:
        """Look at a session again at `at`; infinity is never.

        A later look than the one that is planned already can wait: that one will find out.
        """
        if at < self._planned.get(key, float("inf")):
            self._planned[key] = at
            heapq.heappush(self._heap, (at, key))

    def due(self, clock: float) -> Iterator[SessionKey]:
        """Take off what is due by now, earliest first; also what is put back meanwhile, if it is due."""
        while self._heap and self._heap[0][0] <= clock:
            at, key = heapq.heappop(self._heap)
            if self._planned.get(key) == at:  # else it is superseded by an earlier look, which has been taken
                del self._planned[key]
                yield key

    def forget(self, key: SessionKey) -> None:
        """Take off what is planned for a session."""
        self._planned.pop(key, None)

    def clear(self) -> None:
        """Take off what is planned for all of them."""
        self._heap.clear()
        self._planned.clear()
