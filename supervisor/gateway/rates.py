"""Rates: how often and how many. Pure: the time goes in, yes or no comes out.

A bucket for each address lets a page load at once and a loop not; streams are few, because each costs something all the
time. Both are bounded themselves, so that a flood of addresses costs no memory.
"""

from collections import OrderedDict

MOST_ADDRESSES = 1000


class Rates:
    """Requests: `burst` at once, then `each_second`. Streams: `streams` at the same time."""

    def __init__(self, each_second: float = 50.0, burst: float = 200.0, streams: int = 256) -> None:
        self._each_second = each_second
        self._burst = burst
        self._most_streams = streams
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.streams = 0

    def ask(self, address: str, now: float) -> float:
        """Take note of a request (`now`: monotonic seconds). Returns 0, or after how many seconds it may come again."""
        left, at = self._buckets.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._each_second)
        allowed = left >= 1.0
        self._buckets[address] = left - allowed, now
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._each_second

    def open_stream(self) -> bool:
        """Take note of a new stream; False if there are as many as may be."""
        allowed = self.streams < self._most_streams
        self.streams += allowed
        return allowed

    def close_stream(self) -> None:
        """A stream has ended."""
        self.streams -= 1
