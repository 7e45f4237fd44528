"""Store: what survives a restart. Sessions and cursors change in one transaction, or not at all.

A killed process loses nothing, a power cut rolls sessions and cursors back together, which costs a re-read and never a
number. What a transaction changes goes into a journal (`journal.py`), and now and then from there into the tables. Each row
carries a checksum, so that a flipped bit cannot pass for a number; a database that cannot be read is moved aside and
everything is rebuilt: from the agents' files at a start, from memory while running. The file itself is `database.py`'s
affair, the counterpart in memory is `aggregator/aggregator.py`.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

import msgspec

from ..protocol.session import SessionState
from .aggregator.ledger import Entry, HandleKey
from .aggregator.plan import Plan
from .aggregator.tracked import Kept, Tracked
from .damage import Damaged, translated
from .database import Database, take_away
from .errors import StorageError
from .journal import NOTHING, PUT_SLOT, TABLE, Held, Journal, Page, Stored

SCHEMA = 4
READABLE = frozenset((0, 2, SCHEMA))
"""Versions of the tables with which this release goes on: of a new file, of one without a journal, and its own."""

FILE = "board.sqlite"
FORGET_SECONDS = 30 * 86400.0
"""How long the counts of a removed session are kept, so that it can go on where it was."""

# Sessions and cursors are rows of a kilobyte: in a table WITHOUT ROWID, whose pages hold a quarter of a page of each row,
# most of them would have a page of overflow to themselves, and each change would write it.
_TABLES = f"""
CREATE TABLE IF NOT EXISTS sessions (source TEXT, id TEXT, gone INTEGER, live INTEGER, moved REAL, body BLOB, sum INTEGER,
  PRIMARY KEY (source, id));
CREATE TABLE IF NOT EXISTS cursors (source TEXT, handle TEXT, session_id TEXT, cursor TEXT, sum INTEGER,
  PRIMARY KEY (source, handle));
{TABLE};
CREATE TABLE IF NOT EXISTS workers (source TEXT PRIMARY KEY, inc INTEGER, paused INTEGER) WITHOUT ROWID;
"""

_SESSIONS = "SELECT source, id, gone, live, moved, body, sum FROM sessions ORDER BY source, id"
_CURSORS = "SELECT source, handle, session_id, cursor, sum FROM cursors ORDER BY source, handle"

# Not REPLACE: that deletes a row and inserts it again, which costs more than twice as much.
_PUT_SESSION = """
INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, id)
DO UPDATE SET gone = excluded.gone, live = excluded.live, moved = excluded.moved, body = excluded.body, sum = excluded.sum
"""
_PUT_CURSOR = """
INSERT INTO cursors VALUES (?, ?, ?, ?, ?) ON CONFLICT (source, handle)
DO UPDATE SET session_id = excluded.session_id, cursor = excluded.cursor, sum = excluded.sum
"""
_COUNT_UP = "INSERT INTO workers VALUES (?, 1, 0) ON CONFLICT (source) DO UPDATE SET inc = inc + 1 RETURNING inc"
_PAUSE = "INSERT INTO workers VALUES (?, 0, ?) ON CONFLICT (source) DO UPDATE SET paused = excluded.paused"


class Store:
    """The database of one supervisor. `rebuilt` says why an older one had to be moved aside, None if it had not.

    Not `kept`: sessions and cursors stay in memory, and what an older file holds of them is removed.
    """

    def __init__(self, folder: str | None, *, kept: bool = True) -> None:
        self._journal = Journal()
        path = None if folder is None else os.path.join(folder, FILE)
        workers = [] if kept or path is None else take_away(path, "SELECT source, inc, paused FROM workers")
        self._make = _prepare if kept else _prepare_in_memory
        self._file = Database(path, self._prepare)
        self.rebuilt = self._file.aside
        self._unstored: dict[str, bool] = {}
        if workers:
            with self._file.transaction() as database:
                database.executemany("REPLACE INTO workers VALUES (?, ?, ?)", workers)

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
            self._forget_old()
        with translated("read"):
            rows = self._database.execute(_SESSIONS).fetchall()
        newer = {(each.state.source, each.state.id): each for each in self._journal.last.sessions}
        yield from newer.values()
        for source, name, gone_now, live, moved, body, _ in rows:
            if (source, name) in newer:
                continue
            try:
                state = _DECODER.decode(body)
            except msgspec.MsgspecError as error:
                self._forget(source, name, error)
            else:
                yield Stored(state, bool(gone_now), bool(live), moved)

    def _forget_old(self) -> None:
        with self._file.transaction() as database:
            old = time.time() - FORGET_SECONDS
            gone = "SELECT source, id FROM sessions WHERE gone AND moved < ?"
            database.execute(f"DELETE FROM cursors WHERE (source, session_id) IN ({gone})", (old,))  # noqa: S608 - our own constant
            database.execute("DELETE FROM sessions WHERE gone AND moved < ?", (old,))

    def _forget(self, source: str, name: str, error: Exception) -> None:
        """Drop a session that cannot be read (another release wrote it) with its cursors: it is counted anew."""
        self.rebuilt = f"a stored session of {source} was unreadable ({error}) and is read again"
        with self._file.transaction() as database:
            _forget(database, [(source, name)])

    def cursors(self) -> Iterator[Held]:
        """Yield (source, handle, session id, cursor) of all handles."""
        self._try_to_settle()
        newer = {held[:2]: held for held in self._journal.last.cursors}
        with translated("read"):
            stored = [row[:4] for row in self._database.execute(_CURSORS) if row[:2] not in newer]
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
                _put(database, each)
            self._journal.erase(database)
            _forget(database, forgotten)
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
            _put(database, Page([_stored(each.tracked, each.moved) for each in sessions], _held(entries)))
            database.executemany(
                "REPLACE INTO workers VALUES (?, ?, ?)", [(source, *each) for source, each in workers.items()]
            )

    def next_incarnation(self, source: str) -> int:
        """Count up a source's incarnation and return it; stored before a worker is started under it."""
        with self._file.transaction() as database:
            row = database.execute(_COUNT_UP, (source,)).fetchone()
        return int(row[0])

    def paused(self) -> set[str]:
        """Return the sources that were paused by command, also those of which that could not be stored yet."""
        with translated("read"):
            stored = dict(self._database.execute("SELECT source, paused FROM workers"))
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
            database.executemany(_PAUSE, list(self._unstored.items()))
        self._unstored.clear()


def _prepare_in_memory(database: sqlite3.Connection) -> None:
    """Make the tables; those of sessions and cursors are hidden by others of the same name that are never on disk."""
    _prepare(database)
    database.execute("PRAGMA temp_store=MEMORY")
    for line in _TABLES.split(";"):
        if any(table in line for table in ("sessions", "cursors", "slots")):
            database.execute(line.replace("TABLE IF NOT EXISTS", "TEMP TABLE"))


def _prepare(database: sqlite3.Connection) -> None:
    """Make the tables; check each row of those that are there. Raises Damaged."""
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version not in READABLE:
        raise Damaged(f"schema version {version}, this release knows {SCHEMA}")
    database.executescript(_TABLES)
    if version != SCHEMA:
        database.execute(f"PRAGMA user_version={SCHEMA}")
    for statement in (PUT_SLOT, _PUT_SESSION, _PUT_CURSOR, _COUNT_UP, _PAUSE):
        # That it can be carried out is seen now, and not when everything depends on it.
        database.execute(f"EXPLAIN {statement}", (None,) * statement.count("?"))
    for query in (_SESSIONS, _CURSORS):
        for row in database.execute(query):
            if row != _summed(row[:-1]):
                raise Damaged("a row has a wrong checksum")


def _forget(database: sqlite3.Connection, sessions: Sequence[tuple[str, str]]) -> None:
    """Drop sessions with their cursors: one is worth nothing without the other."""
    database.executemany("DELETE FROM cursors WHERE source = ? AND session_id = ?", sessions)
    database.executemany("DELETE FROM sessions WHERE source = ? AND id = ?", sessions)


def _put(database: sqlite3.Connection, page: Page) -> None:
    """Put the last word on sessions and cursors into their tables."""
    rows = [
        (
            each.state.source,
            each.state.id,
            int(each.gone),
            int(each.live),
            float(each.moved),
            _ENCODER.encode(each.state),
        )
        for each in page.sessions
    ]
    database.executemany(_PUT_SESSION, map(_summed, rows))
    database.executemany(_PUT_CURSOR, map(_summed, page.cursors))


def _stored(tracked: Tracked, moved: float) -> Stored:
    return Stored(tracked.state, tracked.lifecycle == "gone", tracked.live, moved)


def _held(entries: dict[HandleKey, Entry]) -> list[Held]:
    return [(source, handle, each.session_id, each.cursor) for (source, handle), each in entries.items()]


def _summed(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return a row with its checksum behind it: of its cells as text, and of the body, which is always the last one."""
    body = row[-1]
    if isinstance(body, bytes):
        return *row, crc32(body, crc32(_text(row[:-1])))
    return *row, crc32(_text(row))


def _text(cells: tuple[object, ...]) -> bytes:
    return ("%r\0" * len(cells) % cells).encode("utf-8", "surrogatepass")


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(SessionState)
