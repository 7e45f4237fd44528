"""Store: what survives a restart. Sessions and cursors change in one transaction, or not at all.

SQLite in WAL mode with `synchronous=NORMAL`: a killed process loses nothing, a power cut rolls sessions and cursors back
together, which costs a re-read and never a number. A database that cannot be read is moved aside and everything is
rebuilt from the artifacts. The counterpart in memory is `aggregator/aggregator.py`.
"""

import os
import sqlite3
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import msgspec

from ..protocol.session import SessionState
from .aggregator.aggregator import Plan
from .errors import StorageError

SCHEMA = 1
FILE = "board.sqlite"
FORGET_SECONDS = 30 * 86400.0
"""How long the counts of a removed session are kept, so that it can go on where it was."""

_TABLES = """
CREATE TABLE IF NOT EXISTS sessions (
  source TEXT, id TEXT, gone INTEGER, live INTEGER, moved REAL, body BLOB, PRIMARY KEY (source, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursors (
  source TEXT, handle TEXT, session_id TEXT, cursor TEXT, PRIMARY KEY (source, handle)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS workers (source TEXT PRIMARY KEY, inc INTEGER, paused INTEGER) WITHOUT ROWID;
"""


class Stored(msgspec.Struct, frozen=True):
    """One stored session."""

    state: SessionState
    gone: bool
    live: bool
    moved: float


class Store:
    """The database of one supervisor. `rebuilt` says why an older one had to be moved aside, None if it had not."""

    def __init__(self, folder: str | None) -> None:
        self.rebuilt: str | None = None
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(SessionState)
        self._path = ":memory:" if folder is None else os.path.join(folder, FILE)
        with _translated("open"):
            self._database = self._open(self._path)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def sessions(self) -> Iterator[Stored]:
        """Yield all stored sessions, forgetting those removed long ago."""
        with _translated("read"):
            old = time.time() - FORGET_SECONDS
            gone = "SELECT source, id FROM sessions WHERE gone AND moved < ?"
            self._database.execute(f"DELETE FROM cursors WHERE (source, session_id) IN ({gone})", (old,))  # noqa: S608 - our own constant
            self._database.execute("DELETE FROM sessions WHERE gone AND moved < ?", (old,))
            self._database.commit()
            rows = self._database.execute("SELECT source, id, gone, live, moved, body FROM sessions").fetchall()
        for source, name, gone_now, live, moved, body in rows:
            try:
                state = self._decoder.decode(body)
            except msgspec.MsgspecError as error:
                self._forget(source, name, error)
            else:
                yield Stored(state, bool(gone_now), bool(live), moved)

    def _forget(self, source: str, name: str, error: Exception) -> None:
        """Drop a session that cannot be read (another release wrote it) with its cursors: it is counted anew."""
        self.rebuilt = f"a stored session of {source} was unreadable ({error}) and is read again"
        with self._transaction():
            self._database.execute("DELETE FROM cursors WHERE source = ? AND session_id = ?", (source, name))
            self._database.execute("DELETE FROM sessions WHERE source = ? AND id = ?", (source, name))

    def cursors(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield (source, handle, session id, cursor) of all handles."""
        with _translated("read"):
            yield from self._database.execute("SELECT source, handle, session_id, cursor FROM cursors")

    def commit(self, plan: Plan) -> None:
        """Store what a plan changes. Raises StorageError, and then nothing was changed."""
        now = time.time()
        sessions = [
            (source, name, each.lifecycle == "gone", each.live, now, self._encoder.encode(each.state))
            for (source, name), each in plan.sessions.items()
        ]
        cursors = [(source, handle, each.session_id, each.cursor) for (source, handle), each in plan.entries.items()]
        with self._transaction():
            self._database.executemany("REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)", sessions)
            self._database.executemany("REPLACE INTO cursors VALUES (?, ?, ?, ?)", cursors)

    def next_incarnation(self, source: str) -> int:
        """Count up a source's incarnation and return it; stored before a worker is started under it."""
        with self._transaction():
            row = self._database.execute(
                "INSERT INTO workers VALUES (?, 1, 0) ON CONFLICT (source) DO UPDATE SET inc = inc + 1 RETURNING inc",
                (source,),
            ).fetchone()
        return int(row[0])

    def paused(self) -> set[str]:
        """Return the sources that were paused by command."""
        with _translated("read"):
            return {row[0] for row in self._database.execute("SELECT source FROM workers WHERE paused")}

    def pause(self, source: str, *, paused: bool) -> None:
        """Remember that a source was paused or resumed by command."""
        with self._transaction():
            self._database.execute(
                "INSERT INTO workers VALUES (?, 0, ?) ON CONFLICT (source) DO UPDATE SET paused = excluded.paused",
                (source, paused),
            )

    def _open(self, path: str) -> sqlite3.Connection:
        # No waiting for anybody: this thread serves everyone, and a failed write is tried again.
        database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            return self._prepare(database)
        except sqlite3.DatabaseError as error:
            database.close()
            if path == ":memory:" or isinstance(error, sqlite3.OperationalError):
                raise
            aside = f"{path}.corrupt-{int(time.time())}"
            for suffix in ("", "-wal", "-shm"):
                if os.path.exists(path + suffix):
                    os.replace(path + suffix, aside + suffix)
            self.rebuilt = f"the database was unreadable ({error}) and was moved aside as {os.path.basename(aside)}"
            return self._prepare(sqlite3.connect(path, timeout=0, isolation_level=None))

    def _prepare(self, database: sqlite3.Connection) -> sqlite3.Connection:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, SCHEMA}:
            raise sqlite3.DatabaseError(f"schema version {version}, this release knows {SCHEMA}")
        database.executescript(_TABLES)
        database.execute(f"PRAGMA user_version={SCHEMA}")
        return database

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with _translated("write"):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise


@contextmanager
def _translated(doing: str) -> Generator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
        raise StorageError(f"cannot {doing} the database: {error}") from error
