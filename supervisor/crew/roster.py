"""Roster: which workers are wanted, which are there, and what follows from the difference.

Pure: it is told what happened and returns what to do; `crew.py` does it. A source without a worker is either waiting for
its next start, paused by command, or absent (its agent is not installed, `looked` says what to wait for, and `there` which
of it existed already when the worker gave up).
"""

from typing import Literal

from msgspec import Struct, structs

from ...protocol.recorder import Note
from .quarantine import Quarantine
from .restart import Backoff, Fate, Policy, after_death
from .vigil import Patience, Vigil

DRAIN_SECONDS = 4.0
TERM_SECONDS = 2.0
ABORT_SECONDS = 1.0
UNUSABLE_SECONDS = 60.0

Stage = Literal["none", "drain", "term", "abort", "kill"]
How = Literal["drain", "term", "abort", "kill"]
Blame = Literal["hung", "memory", "garbage"]

CONDEMNED: dict[Blame, tuple[How, float]] = {
    "hung": ("abort", ABORT_SECONDS),
    "memory": ("kill", 0.0),
    "garbage": ("drain", DRAIN_SECONDS),
}
"""How the end of a worker that must not live on begins, and how long that has (seconds)."""

FIRMER: dict[Stage, tuple[How, float]] = {
    "drain": ("term", TERM_SECONDS),
    "term": ("kill", 0.0),
    "abort": ("kill", 0.0),
}
"""What follows when a worker was asked to end and has not, and how long that then has (seconds)."""


class Member(Struct, kw_only=True):
    """One source's place in the crew.

    `stage` is how far ending its worker has gone, `stage_until` when the next begins; `blame` is why we end it although
    nobody asked for it. `wanted` turns false when the source was taken out of the settings while its worker ran.
    """

    pid: int | None = None
    inc: int = 0
    started_at: float = 0.0
    progressed: bool = False
    ready: bool = False
    backoff: Backoff = Backoff()
    paused: bool = False
    looked: tuple[str, ...] | None = None
    there: frozenset[str] | None = None
    there_at: float = 0.0
    stage: Stage = "none"
    stage_until: float = 0.0
    blame: Blame | None = None
    wanted: bool = True


class Push(Struct, frozen=True):
    """End a worker a little more firmly: ask it to drain, terminate it, make it say where it stands, kill it."""

    source: str
    how: How


class Roster:
    """All members, who of them is silent, and which sessions ended them. `clock` is the board's own time in seconds."""

    def __init__(self, policy: Policy, patience: Patience | None = None) -> None:
        self.members: dict[str, Member] = {}
        self.vigil = Vigil(patience or Patience())
        self.quarantine = Quarantine()
        self.policy = policy
        self._leaving = False

    def add(self, source: str, *, paused: bool = False) -> None:
        """Want a worker for this source."""
        known = self.members.get(source)
        if known is None:
            self.members[source] = Member(paused=paused)
        else:
            known.wanted, known.paused = True, paused

    def remove(self, source: str, clock: float) -> list[Push]:
        """Want no worker for this source any more; it is forgotten when its worker has ended."""
        member = self.members[source]
        member.wanted = False
        if member.pid is None:
            self._forget(source)
            return []
        return self.stop(source, clock)

    def due(self, clock: float) -> list[str]:
        """Return the sources whose worker is to be started now."""
        if self._leaving:
            return []
        return [
            source
            for source, member in self.members.items()
            if member.pid is None and not member.paused and member.looked is None and member.backoff.not_before <= clock
        ]

    def started(self, source: str, pid: int, inc: int, clock: float) -> None:
        """Note a start."""
        member = self.members[source]
        member.pid, member.inc, member.started_at = pid, inc, clock
        member.progressed = member.ready = False
        member.stage, member.blame, member.looked, member.there = "none", None, None, None
        self.vigil.begin(source, clock)

    def postpone(self, source: str, clock: float, seconds: float) -> None:
        """Start a source later, because now it cannot be."""
        member = self.members[source]
        member.backoff = structs.replace(member.backoff, not_before=clock + seconds)

    def progress(self, source: str) -> None:
        """Note that a worker got somewhere."""
        self.members[source].progressed = True

    def absent(self, source: str, looked: tuple[str, ...]) -> None:
        """Note that the agent is not installed: no start before one of these paths appears."""
        self.members[source].looked = looked

    def sought(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the sources whose agent is not installed, with the places in which it would be."""
        return [
            (source, member.looked)
            for source, member in self.members.items()
            if member.pid is None and member.looked is not None
        ]

    def found(self, source: str, there: frozenset[str], clock: float) -> None:
        """Note which of those places exist. A new one lets the source start.

        One that was there when the worker gave up could not be used: it is tried again now and then. An agent that is
        nowhere costs no worker at all.
        """
        member = self.members[source]
        if member.there is None:
            member.there, member.there_at = there, clock
        elif there - member.there or (there and clock - member.there_at >= UNUSABLE_SECONDS):
            member.looked = member.there = None

    def ended(
        self, source: str, clock: float, jitter: float, *, killed: bool = False, note: Note | None = None
    ) -> bool:
        """Note the end of a worker; returns whether it was a death that nobody asked for.

        `killed`: by a signal that somebody sends by hand; `note`: what it was doing.
        """
        member = self.members[source]
        planned = (member.stage != "none" and member.blame is None) or member.looked is not None
        member.pid = None
        self.vigil.end(source)
        if planned:
            member.backoff = Backoff(deaths=0, not_before=clock)
        else:
            if member.progressed:
                fate: Fate = "progressed"
            elif self.quarantine.excuses(source, note):
                fate = "excused"
            else:
                fate = "killed" if killed and member.blame is None else "fruitless"
            member.backoff = after_death(
                member.backoff, self.policy, fate, started_at=member.started_at, clock=clock, jitter=jitter
            )
        member.stage = "none"
        if not member.wanted:
            self._forget(source)
        return not planned

    def _forget(self, source: str) -> None:
        del self.members[source]
        self.quarantine.forget(source)

    def pause(self, source: str, clock: float) -> list[Push]:
        """Stop a source until it is resumed."""
        self.members[source].paused = True
        return self.stop(source, clock)

    def resume(self, source: str, clock: float) -> None:
        """Let a source work again, at once."""
        member = self.members[source]
        member.paused = False
        self.reset(source, clock)

    def reset(self, source: str, clock: float) -> None:
        """Forget the deaths of a source and whatever it waits for."""
        member = self.members[source]
        member.backoff, member.looked = Backoff(deaths=0, not_before=clock), None

    def stop(self, source: str, clock: float) -> list[Push]:
        """Begin to end a worker; a start follows unless the source is paused or the crew leaves."""
        member = self.members[source]
        if member.pid is None or member.stage != "none":
            return []
        member.stage, member.stage_until = "drain", clock + DRAIN_SECONDS
        return [Push(source, "drain")]

    def condemn(self, source: str, blame: Blame, clock: float) -> list[Push]:
        """Begin to end a worker that must not live on: a hung one says where it stands first, if it still can."""
        member = self.members[source]
        if member.pid is None or member.stage != "none":
            return []
        how, seconds = CONDEMNED[blame]
        member.blame, member.stage, member.stage_until = blame, how, clock + seconds
        return [Push(source, how)]

    def leave(self, clock: float) -> list[Push]:
        """Begin to end all workers for good."""
        self._leaving = True
        return [push for source in self.members for push in self.stop(source, clock)]

    def insist(self, clock: float) -> list[Push]:
        """Return how to be firmer with workers that were asked to end and have not."""
        pushes: list[Push] = []
        for source, member in self.members.items():
            if member.pid is None or member.stage not in FIRMER or clock < member.stage_until:
                continue
            member.stage, seconds = FIRMER[member.stage]
            member.stage_until = clock + seconds
            pushes.append(Push(source, member.stage))
        return pushes

    def rest(self, clock: float) -> float:
        """How long nothing has to be done about any worker (seconds), if nothing happens meanwhile."""
        times = [clock + self.vigil.rest(clock)]
        for member in self.members.values():
            if member.pid is not None and member.stage in FIRMER:
                times.append(member.stage_until)
            elif member.pid is None and not member.paused and member.looked is None:
                times.append(member.backoff.not_before)
        return max(0.0, min(times) - clock)

    @property
    def settled(self) -> bool:
        """Whether no worker is still on its way to its first step."""
        return all(member.pid is None or member.progressed for member in self.members.values())

    @property
    def empty(self) -> bool:
        """Whether no worker is left."""
        return all(member.pid is None for member in self.members.values())
