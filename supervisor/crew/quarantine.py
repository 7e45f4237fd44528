"""Quarantine: the unit of failure is one session, not its worker.

A worker that dies notes beforehand what it is about to parse (`protocol/recorder.py`). Two deaths on the same cursor of the
same handle set that one session aside; its siblings go on. It comes back when its file changes, after a time, or by command,
and each time it proves poisonous again the pause before the next try doubles. Pure; performed by `guard.py`.
"""

from typing import Literal, TypeAlias

from msgspec import Struct, structs

from ...protocol.recorder import Note

Cause: TypeAlias = Literal["crash", "hung", "memory", "killed"]
"""How a worker died. `killed`: by a signal that somebody sends by hand, which is seldom the session's fault."""

WEIGHT: dict[Cause, int] = {"crash": 2, "hung": 2, "memory": 2, "killed": 1}
ENOUGH = 4
"""Two crashes, or four kills from outside, at the very same place."""

FORGET_SECONDS = 3600.0
HOLD_SECONDS = 3600.0
MOST_HOLD_SECONDS = 86400.0
CHANGED_HOLD_SECONDS = 60.0
MOST_SUSPECTS = 1000
FEW = 20
"""Sessions of one source that may be to blame for deaths; beyond that it is the source that is at fault."""


class Suspect(Struct, frozen=True, kw_only=True):
    """A session on which workers died: where, how heavily it weighs, and how often it was set aside.

    While it is set aside `until` (board's clock) is when it is tried again, and `why` says how it ended its workers.
    """

    cursor: str
    shape: str
    weight: int
    died_at: float
    times: int = 0
    until: float | None = None
    since: float = 0.0
    why: str = ""


class Quarantine:
    """The suspects of all sources, by (source, handle)."""

    def __init__(self) -> None:
        self._suspects: dict[tuple[str, str], Suspect] = {}

    def died(self, source: str, note: Note | None, cause: Cause, why: str, clock: float) -> bool:
        """Note a death; returns whether it set a session aside."""
        if note is None or note.phase != "parse" or not note.handle:
            return False
        key = source, note.handle
        known = self._suspects.pop(key, None)
        weight, times = WEIGHT[cause], 0
        if known is not None:
            same = known.cursor == note.cursor and clock - known.died_at < FORGET_SECONDS + _hold(known.times)
            weight += known.weight if same else 0
            times = known.times if same else 0
        suspect = Suspect(cursor=note.cursor, shape=note.shape, weight=weight, died_at=clock, times=times)
        if weight >= ENOUGH:
            times += 1
            until = clock + _hold(times)
            suspect = structs.replace(suspect, weight=ENOUGH, times=times, since=clock, until=until, why=why)
        self._suspects[key] = suspect
        self._bound()
        return suspect.until is not None

    def excuses(self, source: str, note: Note | None) -> bool:
        """Whether a death now is one session's fault, so that it says nothing against its source."""
        if note is None or note.phase != "parse" or not note.handle:
            return False
        known = self._suspects.get((source, note.handle))
        if known is not None:
            return known.until is None
        return sum(name == source for name, _ in self._suspects) < FEW

    def forget(self, source: str) -> None:
        """Forget all of a source that is not on the board any more."""
        self._suspects = {key: each for key, each in self._suspects.items() if key[0] != source}

    def passed(self, source: str, handle: str, before: str) -> None:
        """Note that a step from the cursor with this digest was stored: it was not the session's fault."""
        if not self._suspects:
            return
        known = self._suspects.get((source, handle))
        if known is not None and known.cursor == before:
            del self._suspects[source, handle]

    def changed(self, source: str, handle: str, clock: float) -> bool:
        """Note that the file of a session that is set aside has changed; returns whether to try it now.

        The first time at once. One that was set aside again before has to wait a little longer each time.
        """
        key = source, handle
        known = self._suspects.get(key)
        if known is None or known.until is None:
            return True  # nobody holds it any more
        hold = 0.0 if known.times == 1 else min(CHANGED_HOLD_SECONDS * 2 ** (known.times - 2), HOLD_SECONDS)
        at = known.since + hold
        if clock >= at:
            return self.release(source, handle)
        self._suspects[key] = structs.replace(known, until=min(known.until, at))
        return False

    def due(self, clock: float) -> list[tuple[str, str]]:
        """Release the sessions whose time is over and return them."""
        over = [key for key, suspect in self._suspects.items() if suspect.until is not None and clock >= suspect.until]
        for key in over:
            self.release(*key)
        return over

    def release(self, source: str, handle: str) -> bool:
        """Let a session be tried again; returns whether it was set aside. One more death sets it aside again."""
        known = self._suspects.get((source, handle))
        if known is None or known.until is None:
            return False
        self._suspects[source, handle] = structs.replace(known, until=None)
        return True

    def held(self, source: str) -> dict[str, str]:
        """Return the handles of a source that are set aside, with the shape in which each was poisonous."""
        return {handle: each.shape for (name, handle), each in self._suspects.items() if name == source and each.until}

    def suspects(self, source: str) -> tuple[str, ...]:
        """Return the handles of a source that are to be parsed last, because a worker died on each once."""
        return tuple(handle for (name, handle), each in self._suspects.items() if name == source and not each.until)

    def summary(self, source: str) -> tuple[tuple[str, ...], str | None]:
        """Return the handles of a source that are set aside, and how the last of them ended its workers."""
        held = [(handle, each.why) for (name, handle), each in self._suspects.items() if name == source and each.until]
        return tuple(handle for handle, _ in held), held[-1][1] if held else None

    def _bound(self) -> None:
        """Forget the oldest suspects beyond a bound; those that are set aside stay longest."""
        if len(self._suspects) > MOST_SUSPECTS:
            oldest = min(self._suspects, key=lambda key: (bool(self._suspects[key].until), self._suspects[key].died_at))
            del self._suspects[oldest]


def _hold(times: int) -> float:
    """Seconds for which a session is set aside for the `times`-th time."""
    return min(HOLD_SECONDS * 2 ** (times - 1), MOST_HOLD_SECONDS) if times else 0.0
