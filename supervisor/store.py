"""Store: what survives a restart. Sessions and cursors change in one transaction, or not at all.

A killed process loses nothing, a power cut rolls sessions and cursors back together, which costs a re-read and never a
number. Each row carries a checksum, so that a flipped bit cannot pass for a number; a database that cannot be read is moved
aside and everything is rebuilt: from the agents' files at a start, from memory while running. The file itself is
`database.py`'s affair, the counterpart in memory is `aggregator/aggregator.py`.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from zlib import crc32

import msgspec

from ..protocol.session import SessionState
from .aggregator.aggregator import Kept, Plan
from .aggregator.ledger import Entry, HandleKey
from .database import Damaged, Database, take_away, translated

SCHEMA = 2
FILE = "board.sqlite"
FORGET_SECONDS = 30 * 86400.0
"""How long the counts of a removed session are kept, so that it can go on where it was."""

# Sessions and cursors are rows of a kilobyte: in a table WITHOUT ROWID, whose pages hold a quarter of a page of each row,
# most of them would have a page of overflow to themselves, and each change would write it.
_TABLES = """
CREATE TABLE IF NOT EXISTS sessions (source TEXT, id TEXT, gone INTEGER, live INTEGER, moved REAL, body BLOB, sum INTEGER,
  PRIMARY KEY (source, id));
CREATE TABLE IF NOT EXISTS cursors (source TEXT, handle TEXT, session_id TEXT, cursor TEXT, sum INTEGER,
  PRIMARY KEY (source, handle));
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


class Stored(msgspec.Struct, frozen=True):
    """One stored session."""

    state: SessionState
    gone: bool
    live: bool
    moved: float


class Store:
    """The database of one supervisor. `rebuilt` says why an older one had to be moved aside, None if it had not.

    Not `kept`: sessions and cursors stay in memory, and what an older file holds of them is removed.
    """

    def __init__(self, folder: str | None, *, kept: bool = True) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(SessionState)
        path = None if folder is None else os.path.join(folder, FILE)
        workers = [] if kept or path is None else take_away(path, "SELECT source, inc, paused FROM workers")
        self._file = Database(path, _prepare if kept else _prepare_in_memory)
        self.rebuilt = self._file.aside
        self._unstored: dict[str, bool] = {}
        if workers:
            with self._file.transaction() as database:
                database.executemany("REPLACE INTO workers VALUES (?, ?, ?)", workers)

    @property
    def _database(self) -> sqlite3.Connection:
        return self._file.connection

    def close(self) -> None:
        """Close the database."""
        self._file.close()

    def sessions(self) -> Iterator[Stored]:
        """Yield all stored sessions, forgetting those removed long ago."""
        with self._file.transaction() as database:
            old = time.time() - FORGET_SECONDS
            gone = "SELECT source, id FROM sessions WHERE gone AND moved < ?"
            database.execute(f"DELETE FROM cursors WHERE (source, session_id) IN ({gone})", (old,))  # noqa: S608 - our own constant
            database.execute("DELETE FROM sessions WHERE gone AND moved < ?", (old,))
        with translated("read"):
            rows = self._database.execute(_SESSIONS).fetchall()
        for source, name, gone_now, live, moved, body, _ in rows:
            try:
                state = self._decoder.decode(body)
            except msgspec.MsgspecError as error:
                self._forget(source, name, error)
            else:
                yield Stored(state, bool(gone_now), bool(live), moved)

    def _forget(self, source: str, name: str, error: Exception) -> None:
        """Drop a session that cannot be read (another release wrote it) with its cursors: it is counted anew."""
        self.rebuilt = f"a stored session of {source} was unreadable ({error}) and is read again"
        with self._file.transaction() as database:
            _forget(database, [(source, name)])

    def cursors(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield (source, handle, session id, cursor) of all handles."""
        with translated("read"):
            yield from (row[:4] for row in self._database.execute(_CURSORS))

    def commit(self, plan: Plan) -> None:
        """Store what a plan changes. Raises StorageError, and then nothing was changed."""
        now = time.time()
        kept = [Kept(each, now) for each in plan.sessions.values()]
        with self._file.transaction() as database:
            self._write(database, kept, plan.entries)
            if plan.forgotten:
                _forget(database, plan.forgotten)

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
            self._write(database, sessions, entries)
            database.executemany(
                "REPLACE INTO workers VALUES (?, ?, ?)", [(source, *each) for source, each in workers.items()]
            )

    def _write(self, database: sqlite3.Connection, sessions: Iterable[Kept], entries: dict[HandleKey, Entry]) -> None:
        rows = [_summed(_session_row(each, self._encoder.encode(each.tracked.state))) for each in sessions]
        cursors = [_summed((*key, each.session_id, each.cursor)) for key, each in entries.items()]
        database.executemany(_PUT_SESSION, rows)
        database.executemany(_PUT_CURSOR, cursors)

    def next_incarnation(self, source: str) -> int:
        """Count up a source's incarnation and return it; stored before a worker is started under it."""
        with self._file.transaction() as database:
            row = database.execute(
                "INSERT INTO workers VALUES (?, 1, 0) ON CONFLICT (source) DO UPDATE SET inc = inc + 1 RETURNING inc",
                (source,),
            ).fetchone()
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
            database.executemany(
                "INSERT INTO workers VALUES (?, 0, ?) ON CONFLICT (source) DO UPDATE SET paused = excluded.paused",
                list(self._unstored.items()),
            )
        self._unstored.clear()


def _prepare_in_memory(database: sqlite3.Connection) -> None:
    """Make the tables; those of sessions and cursors are hidden by others of the same name that are never on disk."""
    _prepare(database)
    database.execute("PRAGMA temp_store=MEMORY")
    for line in _TABLES.split(";"):
        if "sessions" in line or "cursors" in line:
            database.execute(line.replace("TABLE IF NOT EXISTS", "TEMP TABLE"))


def _prepare(database: sqlite3.Connection) -> None:
    """Make the tables; check each row of those that are there. Raises Damaged."""
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version not in {0, SCHEMA}:
        raise Damaged(f"schema version {version}, this release knows {SCHEMA}")
    database.executescript(_TABLES)
    database.execute(f"PRAGMA user_version={SCHEMA}")
    for query in (_SESSIONS, _CURSORS):
        for row in database.execute(query):
            if row != _summed(row[:-1]):
                raise Damaged("a row has a wrong checksum")


def _forget(database: sqlite3.Connection, sessions: list[tuple[str, str]]) -> None:
    """Drop sessions with their cursors: one is worth nothing without the other."""
    database.executemany("DELETE FROM cursors WHERE source = ? AND session_id = ?", sessions)
    database.executemany("DELETE FROM sessions WHERE source = ? AND id = ?", sessions)


def _session_row(kept: Kept, body: bytes) -> tuple[object, ...]:
    tracked = kept.tracked
    return (
        tracked.state.source,
        tracked.state.id,
        int(tracked.lifecycle == "gone"),
        int(tracked.live),
        float(kept.moved),
        body,
    )


def _summed(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return a row with its checksum behind it: of its cells as text, and of the body, which is always the last one."""
    body = row[-1]
    if isinstance(body, bytes):
        return *row, crc32(body, crc32(_text(row[:-1])))
    return *row, crc32(_text(row))


def _text(cells: tuple[object, ...]) -> bytes:
    return ("%r\0" * len(cells) % cells).encode("utf-8", "surrogatepass")
