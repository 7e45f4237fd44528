"""Guard: looks after the workers that run. What it sees is judged in `vigil.py`, `memory.py` and `quarantine.py`.

It performs what they decide: it ends a hung worker, recycles one that has grown, and sets aside the session that kills.
"""

import logging
from collections.abc import Callable

from ...protocol.order import Downward, Ping, Release
from ..aggregator.health import HealthBook
from .crew import Crew, Ended
from .memory import Memory

log = logging.getLogger("bellboard")


class Guard:
    """Watches a crew. `say` sends to the present worker of a source."""

    def __init__(self, crew: Crew, book: HealthBook, memory: Memory, say: Callable[[str, Downward], bool]) -> None:
        self.memory = memory
        self._crew = crew
        self._roster = crew.roster
        self._book = book
        self._say = say
        self._recycled: dict[str, int] = {}

    def look(self, clock: float) -> None:
        """Look at the workers that have been silent, and end the hung ones."""
        vigil = self._roster.vigil
        for source in vigil.silent(clock):
            before = vigil.condition(source)
            condition = vigil.judge(source, self._crew.probe(source), clock)
            if condition == "suspect" and before != "suspect":
                self._say(source, Ping())
            if condition == "hung":
                self._crew.push(self._roster.condemn(source, "hung", clock))
        for source in self._roster.members:
            self._book.condition(source, vigil.condition(source))
        for source, handle in self._roster.quarantine.due(clock):
            self.released(source, handle)

    def measure(self, clock: float) -> None:
        """Look at what the workers use, and end those that use too much."""
        for source, rss, cpu in self._crew.usage():
            self._book.measured(source, rss, cpu)
            verdict = self.memory.judge(
                rss, clock - self._roster.members[source].started_at, self._recycled.get(source, 0)
            )
            if verdict == "kill":
                self._crew.push(self._roster.condemn(source, "memory", clock))
            elif verdict == "recycle":
                self._recycled[source] = self._recycled.get(source, 0) + 1
                log.warning("%s: the worker uses %d MiB and is started anew", source, (rss or 0) >> 20)
                self._crew.push(self._roster.stop(source, clock))

    def parted(self, ended: Ended, clock: float) -> None:
        """Take note of the end of a worker: what it says of its source, and of the session it was reading."""
        source, death = ended.source, ended.death
        if source not in self._roster.members:
            return  # taken out of the settings meanwhile
        self._book.ended(source, death, progressed=ended.progressed)
        if death is None:
            return
        if self._roster.quarantine.died(source, death.note, death.cause, death.words, clock):
            handle = death.note.handle if death.note is not None else ""
            log.warning("%s: session %s is set aside: %s", source, handle, death.words)
            self.held(source)
        backoff = self._roster.members[source].backoff
        self._book.broken(source, backoff.not_before - clock if backoff.opened else None)

    def released(self, source: str, handle: str) -> None:
        """Tell the worker and everybody that a session is not set aside any more."""
        self._say(source, Release(handle=handle))
        self.held(source)

    def release(self, source: str, handle: str) -> bool:
        """Let a session be tried again by command; returns whether it was set aside."""
        found = self._roster.quarantine.release(source, handle)
        if found:
            self.released(source, handle)
        return found

    def held(self, source: str) -> None:
        """Say which sessions of a source are set aside."""
        self._book.quarantined(source, *self._roster.quarantine.summary(source))
