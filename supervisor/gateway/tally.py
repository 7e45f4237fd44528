"""Tally: what happened since the gateway began, for counters that only go up. The states themselves are in `mirror.py`."""

from bisect import bisect_left
from collections import Counter

from ...protocol.session import SessionState

LAG_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds."""

COUNTED: dict[str, str] = {
    "messages": "message_count",
    "tool_calls": "tool_call_count",
    "compactions": "compaction_count",
}
TOKENS: dict[str, str] = {
    "input": "input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_creation": "cache_creation_tokens",
    "output": "output_tokens",
}


class Tally:
    """Sums by source: of what is counted in sessions, of events by kind, and of how late events came."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[str, str]] = Counter()
        self.tokens: Counter[tuple[str, str]] = Counter()
        self.events: Counter[str] = Counter()
        self.lags = [0] * (len(LAG_BOUNDS) + 1)
        self.lag_sum = 0.0

    def event(self, kind: str, lag: float) -> None:
        """Count an event that came `lag` seconds after it was made."""
        self.events[kind] += 1
        self.lags[bisect_left(LAG_BOUNDS, lag)] += 1
        self.lag_sum += max(0.0, lag)

    def moved(self, before: SessionState | None, after: SessionState) -> None:
        """Count what a session has done. One that is new here may have done it long ago: then nothing is counted."""
        if before is None:
            return
        for name, field in COUNTED.items():
            self.counted[after.origin, name] += max(0, getattr(after, field) - getattr(before, field))
        for name, field in TOKENS.items():
            self.tokens[after.origin, name] += max(0, (getattr(after, field) or 0) - (getattr(before, field) or 0))
