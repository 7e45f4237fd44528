"""Chaos: what is done to the workers of a demo, to whom and when, and how long each of them was away.

Pure: it is told the time and what the board says of the workers, and returns the next deed; `stage.py` does it. A source is
left alone until it is back, so that what happened to it can be told.
"""

import random
from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

from ...protocol.session import HealthState

Deed: TypeAlias = Literal["kill", "hang"]

FIRST_SECONDS = 3.0
LEAST_SECONDS, MOST_SECONDS = 2.0, 4.5
"""When the first worker is hit, and the pauses between two deeds."""

SETTLED_SECONDS = 2.0
"""A worker is hit only after it has run for so long: one that gets nowhere before it dies would prove nothing."""

HANG_EACH = 4
"""Each so many-th deed is a hang, the others are kills. The second one is, so that a short demo shows both."""

KEPT = 6
"""Deeds that are told on the screen."""


class Hit(Struct):
    """One deed: to whom, when (seconds since the beginning), and after how long the source was back."""

    deed: Deed
    source: str
    pid: int
    incarnation: int
    at: float
    away: float | None = None

    @property
    def words(self) -> str:
        """The deed in a line."""
        done = "killed (SIGKILL)" if self.deed == "kill" else "made to hang"
        if self.away is None:
            state = "away" if self.deed == "kill" else "waiting to be found"
        else:
            found = "" if self.deed == "kill" else "found, ended and "
            state = f"{found}back after {self.away:.1f} s"
        return f"{self.at:6.1f} s  {self.source}'s worker {self.pid} {done}: {state}"


class Chaos:
    """The deeds so far, and when the next is due."""

    def __init__(self, seed: int = 1) -> None:
        self.hits: list[Hit] = []
        self._random = random.Random(seed)  # noqa: S311 - a script, not a secret
        self._next_at = FIRST_SECONDS
        self._since: dict[str, tuple[int, float]] = {}

    def watch(self, clock: float, health: Iterable[HealthState]) -> None:
        """Note who runs since when, and who is back: another worker runs, and the board says that it is well."""
        states = {state.source: state for state in health}
        for state in states.values():
            if self._since.get(state.source, (-1, 0.0))[0] != state.incarnation:
                self._since[state.source] = state.incarnation, clock
        for hit in self.hits:
            state = states.get(hit.source)
            if hit.away is None and state is not None and _well(state) and state.incarnation > hit.incarnation:
                hit.away = clock - hit.at

    def next(self, clock: float, health: Iterable[HealthState]) -> Hit | None:
        """Return what is to be done now, if anything; it counts only once it is `done`."""
        if clock < self._next_at:
            return None
        away = {hit.source for hit in self.hits if hit.away is None}
        ready = [state for state in health if state.source not in away and _well(state) and self._settled(state, clock)]
        if not ready:
            return None
        self._next_at = clock + self._random.uniform(LEAST_SECONDS, MOST_SECONDS)
        # The one that was left alone the longest; chance decides among the others.
        last = {hit.source: number for number, hit in enumerate(self.hits)}
        self._random.shuffle(ready)
        state = min(ready, key=lambda each: last.get(each.source, -1))
        deed: Deed = "hang" if len(self.hits) % HANG_EACH == 1 else "kill"
        return Hit(deed, state.source, state.pid or 0, state.incarnation, clock)

    def done(self, hit: Hit) -> None:
        """Note that a deed was really done."""
        self.hits.append(hit)

    def _settled(self, state: HealthState, clock: float) -> bool:
        incarnation, since = self._since.get(state.source, (-1, clock))
        return incarnation == state.incarnation and clock - since >= SETTLED_SECONDS

    @property
    def killed(self) -> int:
        """How many workers were killed."""
        return sum(hit.deed == "kill" for hit in self.hits)

    @property
    def hung(self) -> int:
        """How many were made to hang."""
        return len(self.hits) - self.killed

    def lines(self) -> list[str]:
        """Return the newest deeds, a line each."""
        return [hit.words for hit in self.hits[-KEPT:]]


def _well(state: HealthState) -> bool:
    return state.pid is not None and state.status == "healthy"
