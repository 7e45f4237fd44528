"""Store: what survives a restart. Sessions and cursors change in one transaction, or not at all.

A killed process loses nothing, a power cut rolls sessions and cursors back together, which costs a re-read and never a
number. What a transaction changes goes into a journal (`journal.py`), and now and then from there into the tables
(`tables.py`). A database that cannot be read is moved aside and everything is rebuilt: from the agents' files at a start,
from memory while running. The file itself is `database.py`'s affair, the counterpart in memory `aggregator/aggregator.py`.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence

from . import tables
from .aggregator.ledger import Entry, HandleKey
from .aggregator.plan import Plan
from .aggregator.tracked import Kept, Tracked
from .damage import translated
from .database import Database, take_away
from .errors import StorageError
from .journal import NOTHING, Held, Journal, Page, Stored

FILE = "board.sqlite"
FORGET_SECONDS = 30 * 86400.0
"""How long the counts of a removed session are kept, so that it can go on where it was."""


class Store:
    """The database of one supervisor. `rebuilt` says why an older one had to be moved aside, None if it had not.

    Not `kept`: sessions and cursors stay in memory, and what an older file holds of them is removed.
    """

    def __init__(self, folder: str | None, *, kept: bool = True) -> None:
        self._journal = Journal()
        path = None if folder is None else os.path.join(folder, FILE)
        workers = [] if kept or path is None else take_away(path, tables.WORKERS)
        self._make = tables.prepare if kept else tables.prepare_in_memory
        self._file = Database(path, self._prepare)
        self.rebuilt = self._file.aside
        self._unstored: dict[str, bool] = {}
        if workers:
            with self._file.transaction() as database:
                tables.put_workers(database, workers)

    def _prepare(self, database: sqlite3.Connection) -> None:
        """Make or check the tables of a new connection, and find what stands in its journal. Raises Damaged."""
        self._make(database)
        self._journal.load(database)

    @property
    def _database(self) -> sqlite3.Connection:
        return self._file.connection

    def close(self) -> None:
        """Close the database."""
        self._try_to_settle()
        self._file.close()

    def sessions(self) -> Iterator[Stored]:
        """Yield all stored sessions, forgetting those removed long ago."""
        if self._try_to_settle():
            with self._file.transaction() as database:
                tables.forget_gone(database, time.time() - FORGET_SECONDS)
        with translated("read"):
            stored = tables.sessions(self._database)
        newer = {(each.state.source, each.state.id): each for each in self._journal.last.sessions}
        yield from newer.values()
        for (source, name), each in stored:
            if (source, name) in newer:
                continue
            if isinstance(each, Stored):
                yield each
            else:
                self._forget(source, name, each)

    def _forget(self, source: str, name: str, error: Exception) -> None:
        """Drop a session that cannot be read (another release wrote it) with its cursors: it is counted anew."""
        self.rebuilt = f"a stored session of {source} was unreadable ({error}) and is read again"
        with self._file.transaction() as database:
            tables.forget(database, [(source, name)])

    def cursors(self) -> Iterator[Held]:
        """Yield (source, handle, session id, cursor) of all handles."""
        self._try_to_settle()
        newer = {held[:2]: held for held in self._journal.last.cursors}
        with translated("read"):
            stored = [held for held in tables.cursors(self._database) if held[:2] not in newer]
        yield from [*stored, *newer.values()]

    def commit(self, plan: Plan) -> None:
        """Store what a plan changes. Raises StorageError, and then nothing was changed."""
        now = time.time()
        page = Page([_stored(each, now) for each in plan.sessions.values()], _held(plan.entries))
        if plan.forgotten:
            self._settle(page, plan.forgotten)
            return
        with self._file.transaction() as database:
            end = self._journal.write(database, page)
        self._journal.add(page, end)
        if self._journal.full:
            self._try_to_settle()

    def _try_to_settle(self) -> bool:
        """Bring the journal into the tables if that is possible now, as it may not be on a full disk; else it stays."""
        try:
            self._settle()
        except StorageError:
            self._journal.postpone()
            return False
        return True

    def _settle(self, page: Page = NOTHING, forgotten: Sequence[tuple[str, str]] = ()) -> None:
        """Bring the journal, and a page behind it, into the tables, and forget sessions there. Raises StorageError."""
        if not (self._journal.slots or forgotten):
            return
        with self._file.transaction() as database:
            for each in (self._journal.last, page):
                tables.put(database, each)
            self._journal.erase(database)
            tables.forget(database, forgotten)
        self._journal.clear()

    def check(self) -> None:
        """Raise StorageLost if the file is not as it was left: two stats, and nothing is read."""
        self._file.check()

    def probe(self) -> None:
        """Find out whether writing works. Raises StorageError; StorageLost if only `renew` can help."""
        self._file.probe()

    def renew(
        self, sessions: Iterable[Kept], entries: dict[HandleKey, Entry], workers: dict[str, tuple[int, bool]]
    ) -> None:
        """Begin a new database with all that is in memory; `workers` are incarnation and pause of each source.

        Raises StorageError, and then it is to be tried again.
        """
        with self._file.renewal() as database:
            tables.put(database, Page([_stored(each.tracked, each.moved) for each in sessions], _held(entries)))
            tables.put_workers(database, [(source, *each) for source, each in workers.items()])

    def next_incarnation(self, source: str) -> int:
        """Count up a source's incarnation and return it; stored before a worker is started under it."""
        with self._file.transaction() as database:
            return tables.count_up(database, source)

    def paused(self) -> set[str]:
        """Return the sources that were paused by command, also those of which that could not be stored yet."""
        with translated("read"):
            stored = tables.paused(self._database)
        return {source for source, paused in (stored | self._unstored).items() if paused}

    def pause(self, source: str, *, paused: bool) -> None:
        """Remember that a source was paused or resumed by command.

        Raises StorageError if that holds for this process only, until `catch_up` can store it.
        """
        self._unstored[source] = paused
        self.catch_up()

    def catch_up(self) -> None:
        """Store what was commanded while nothing could be stored. Raises StorageError: try again."""
        if not self._unstored:
            return
        with self._file.transaction() as database:
            tables.pause(database, self._unstored)
        self._unstored.clear()


def _stored(tracked: Tracked, moved: float) -> Stored:
    return Stored(tracked.state, tracked.lifecycle == "gone", tracked.live, moved)


def _held(entries: dict[HandleKey, Entry]) -> list[Held]:
    return [(source, handle, each.session_id, each.cursor) for (source, handle), each in entries.items()]
