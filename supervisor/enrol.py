"""Enrolment: brings sources onto the board with all that is stored of them, and takes them off again.

What is stored of a source that is taken off stays: it comes back with its counts. Cursors and counts always come and go
together, because one without the other would count twice or not at all.
"""

import os
from collections.abc import Iterable, Iterator, Mapping

from ..protocol.event import BoardEvent
from .aggregator.aggregator import Aggregator
from .aggregator.health import HealthBook
from .clock import Moment
from .config import SourceConfig
from .crew.roster import Roster
from .places import named, place
from .store import Store


class Enrolment:
    """Who is on the board."""

    def __init__(self, store: Store, aggregator: Aggregator, book: HealthBook, roster: Roster) -> None:
        self._store = store
        self._aggregator = aggregator
        self._book = book
        self._roster = roster

    def admit(self, sources: Iterable[str], now: Moment) -> Iterator[BoardEvent]:
        """Want these sources, and take over what is stored of those that are new here; returns what to publish.

        The events are numbered as they are taken: at a start nobody is there to be told, and none is.
        Raises StorageError, and then nothing was changed.
        """
        wanted = frozenset(sources)
        # One whose worker is only just ending has never left.
        new = wanted - self._roster.members.keys()
        sessions = [stored for stored in self._store.sessions() if stored.state.source in new]
        cursors = [row for row in self._store.cursors() if row[0] in new]
        paused = self._store.paused()
        for stored in sessions:
            self._aggregator.load(stored.state, gone=stored.gone, live=stored.live, moved=stored.moved, now=now)
        for row in cursors:
            self._aggregator.ledger.load(*row)
        for source in sorted(wanted):
            self._book.open(source)
            self._roster.add(source, paused=source in paused)
            self._book.paused(source, paused=source in paused)
        return (event for source in sorted(new) for event in self._aggregator.show(source, now))

    def tell_places(self, sources: Mapping[str, SourceConfig]) -> None:
        """Say of each source in which folder it reads, and why there."""
        for name, config in sources.items():
            if (found := place(name, config, os.environ)) is not None:
                self._book.place(name, found.path, found.why, named=named(found.why))

    def dismiss(self, source: str, now: Moment) -> list[BoardEvent]:
        """Take a source off whose worker has ended; returns what to publish."""
        self._book.close(source)
        return self._aggregator.part(source, now)
