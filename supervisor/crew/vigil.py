"""Vigil: whether a worker that says nothing is hung, stopped, starved, or merely busy.

A worker says something at least every two seconds as long as its loop turns. Silence alone does not condemn it: a stopped
process (state T) is only marked, because whoever stopped it may let it go on; one that wants to run and gets no processor,
or waits for a disk, gets more time. Too short a patience does more harm than none on busy machines. Pure: the clock is the
board's own, in which a suspended laptop does not age anything; `guard.py` looks at the processes.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

Condition: TypeAlias = Literal["well", "suspect", "stopped", "starved", "hung"]

STARVED_SHARE = 0.25
"""A process that got less of a processor than this while it wanted to run is starved, not hung."""


class Patience(Struct, frozen=True, kw_only=True):
    """Seconds of silence: when to look closer, when a worker is hung, and when even a starved one is."""

    suspect: float = 10.0
    hung: float = 30.0
    starved: float = 120.0


class Probe(Struct, frozen=True):
    """What the system says of a process: its state, and the seconds of processor time it has used."""

    state: Literal["stopped", "runnable", "waiting"]
    cpu: float


class Watched(Struct, kw_only=True):
    """One worker under watch: when it was last heard, and what was seen of it in its present silence."""

    heard_at: float
    condition: Condition = "well"
    first: Probe | None = None
    probed_at: float = 0.0
    probes: int = 0
    runnable: int = 0


class Vigil:
    """All workers under watch, by source."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._watched: dict[str, Watched] = {}

    def begin(self, source: str, clock: float) -> None:
        """Watch a worker that was just started."""
        self._watched[source] = Watched(heard_at=clock)

    def end(self, source: str) -> None:
        """Stop watching."""
        self._watched.pop(source, None)

    def heard(self, source: str, clock: float) -> None:
        """Note that a worker said something."""
        watched = self._watched.get(source)
        if watched is not None:
            watched.heard_at, watched.condition, watched.first = clock, "well", None

    def grace(self, clock: float) -> None:
        """Begin anew with everybody: this process itself was away (suspended, stopped), so their silence proves nothing."""
        for source in self._watched:
            self._watched[source] = Watched(heard_at=clock)

    def silent(self, clock: float) -> list[str]:
        """Return the sources whose worker is to be looked at."""
        return [
            source
            for source, watched in self._watched.items()
            if watched.condition == "stopped" or clock - watched.heard_at >= self.patience.suspect
        ]

    def rest(self, clock: float) -> float:
        """How long nobody has to be looked at (seconds), if nobody says anything meanwhile."""
        if self.silent(clock):
            return 0.0
        heard = (watched.heard_at for watched in self._watched.values())
        return min(heard, default=clock) + self.patience.suspect - clock

    def condition(self, source: str) -> Condition:
        """Return what is thought of a worker; one that is not watched is well."""
        watched = self._watched.get(source)
        return "well" if watched is None else watched.condition

    def judge(self, source: str, probe: Probe | None, clock: float) -> Condition:
        """Decide about a silent worker by what the system says of its process.

        None: it says nothing. Then the worker gets the time of a starved one, because it may be stopped or starved.
        """
        watched = self._watched[source]
        if probe is not None and probe.state == "stopped":
            # Its silence counts from the moment it goes on.
            self._watched[source] = Watched(heard_at=clock, condition="stopped")
            return "stopped"
        silence = clock - watched.heard_at
        if silence < self.patience.suspect:
            watched.condition = "well"
            return "well"
        if watched.first is None:
            watched.first, watched.probed_at = probe, clock
            watched.probes = watched.runnable = 0
        watched.probes += 1
        watched.runnable += probe is not None and probe.state == "runnable"
        if silence < self.patience.hung:
            watched.condition = "suspect"
        elif silence < self.patience.starved and (probe is None or _starved(watched, probe, clock)):
            watched.condition = "starved"
        else:
            watched.condition = "hung"
        return watched.condition


def _starved(watched: Watched, probe: Probe, clock: float) -> bool:
    """Whether a process wanted to run for most of its silence and hardly could."""
    if watched.first is None or watched.runnable * 2 < watched.probes:
        return False
    return probe.cpu - watched.first.cpu < STARVED_SHARE * (clock - watched.probed_at)
