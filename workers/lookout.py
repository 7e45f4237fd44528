"""Lookout: which sessions a worker is to look at again: those of which a watch or the pulse tells, and all in a sweep.

It asks the source and queues in the round (`round.py`) what is told; which folders rang is `watches.py`'s affair, when it is
time for a sweep or a pulse `pace.py`'s. The counterpart is `runner.py`, which waits in between and parses.
"""

import time
from collections.abc import Callable, Iterable
from typing import Literal

from ..protocol.order import Order
from ..protocol.update import Changed, Fault
from ..sources.contract import Resting, SessionHandle, Source, Watching
from ..sources.errors import SourceUnavailable
from .faults import of_discover
from .pace import Pace
from .round import Round
from .watches import Watches

NESTED = 5
"""Folders that may appear one inside the other between two looks: a year, a month and a day are three."""


class Lookout:
    """The eyes of one worker; `say` tells the board what goes wrong. Close it when done."""

    def __init__(self, order: Order, source: Source, work: Round, say: Callable[[Fault | Changed], object]) -> None:
        self._work = work
        self._say = say
        self._watching = source if isinstance(source, Watching) else None
        self._resting = source if isinstance(source, Resting) else None
        self._watches = Watches(enabled=order.watch and self._watching is not None)
        self._pace = Pace(sweep=order.sweep, watched=order.sweep_watched, pulse=order.pulse)
        self._opening: Literal["list", "watch", "over"] = "list"

    @property
    def fd(self) -> int | None:
        """The descriptor to poll, None where nothing is watched."""
        return self._watches.fd

    @property
    def due(self) -> float:
        """When to look again even if nothing rings (monotonic seconds)."""
        return self._pace.due

    def close(self) -> None:
        """Watch nothing any more."""
        self._watches.close()

    def look(self, now: float) -> bool:
        """Find out what may have changed. Returns whether everything was looked at. Raises SourceUnavailable."""
        changes, watching = self._watches.read(), self._watching
        swept = False
        if now >= self._pace.sweep_at or changes.everything:
            swept = self._sweep()
        elif changes.paths and watching is not None:
            self._ask(lambda: watching.touched(changes.paths))
        if now >= self._pace.pulse_at:
            if watching is not None:
                self._ask(watching.pulse)
            self._pace.pulsed(now, self._rest())
        if self._work.backlog:
            self._pace.stirred(now)
        return swept

    def _ask(self, question: Callable[[], Iterable[SessionHandle]]) -> None:
        self._tell(self._work.ask(question, time.time()))

    def _tell(self, fault: Fault | None) -> None:
        """Say what went wrong, and which sessions that are set aside have changed."""
        if fault is not None:
            self._say(fault)
        for handle in self._work.changed():
            self._say(Changed(handle=handle))

    def _rest(self) -> float:
        """How long the source says that no pulse is needed; it is asked only where everything is watched."""
        if self._resting is None or not self._watches.complete:
            return 0.0
        try:
            return max(0.0, self._resting.rest())
        except Exception as error:  # noqa: BLE001 - a source may raise anything, and each error becomes a Fault
            self._say(of_discover(error))
            return 0.0

    def _sweep(self) -> bool:
        """Look at everything; False if not all of it has been yet.

        The first time of all, what changed last is read and told before folders are watched.
        """
        fault = None if self._opening == "watch" else self._work.discover(time.time())
        if self._opening == "list" and fault is None and self._watching is not None:
            self._opening = "watch"
            return False  # it goes on in the next turn
        self._opening = "over"
        if self._watching is not None:
            fault = self._watch(self._watching) or fault
        self._tell(fault)
        self._pace.swept(time.monotonic(), watched=self._watches.complete and fault is None)
        return True

    def _watch(self, watching: Watching) -> Fault | None:
        """Watch the folders that the source names now."""
        fault: Fault | None = None
        for _ in range(NESTED):
            try:
                new = self._watches.sync(watching.watch())
            except SourceUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - a source may raise anything, and each error becomes a Fault
                return of_discover(error)
            if not new:
                break
            # Between the listing and a new watch something may have come, and in that folder another one: look again.
            fault = self._work.discover(time.time())
        return fault
