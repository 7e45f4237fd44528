"""Database: one SQLite file that is ours alone, and what is done when it is damaged, changed behind our back, or gone.

Opened in WAL mode with an exclusive lock: nobody else can hold it up, and there is no shared-memory file, whose truncation
would kill this process (SIGBUS). As nobody else may write, a file that is not as we left it was tampered with; that costs
two stats a transaction to know. The rows are `tables.py`'s affair.
"""

import contextlib
import glob
import os
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

from .damage import Damaged, is_damage, is_refusal, sane, translated
from .errors import StorageError, StorageLost

SUFFIXES = ("", "-wal", "-shm")
ASIDE_KEPT = 3
"""How many damaged databases are kept for whoever wants to look; a disk that spoils each of them must not be filled."""

PROBE_BYTES = 65536
"""Written to find out whether writing works again: more than a page, for which there is often room on a full disk."""

PAGE_BYTES = 8192
"""Of a new file: a transaction of many changes is one long row, and each page of it costs two calls to the system."""

LOG_BYTES = 4 << 20
"""A log that is longer is brought into the file."""

Look: TypeAlias = tuple[int, int, int, int] | None
Shape: TypeAlias = tuple[Look, Look] | tuple[()]
"""How the file and its log look from outside; nothing for a database in memory."""


class Database:
    """The file. `prepare` makes or checks the tables of a fresh connection; it raises `Damaged` for what makes no sense.

    `aside` says why an older file had to be moved aside when this one was opened, None if it had not.
    """

    def __init__(self, path: str | None, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self.aside: str | None = None
        self._path = path or ":memory:"
        self._prepare = prepare
        self._shape: Shape = ()
        self._renewing = False
        self._lost: str | None = None
        with translated("open"):
            try:
                self.connection = self._open()
            except sqlite3.DatabaseError as error:
                if path is None or not is_damage(error):
                    raise
                self.aside = f"the database was unreadable ({error}) and was moved aside as {self._move_aside()}"
                self.connection = self._open()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Change everything in the block, or nothing. Raises StorageError; StorageLost if the file is not ours any more."""
        self.check()
        with translated("write"), self._watched():
            yield self.connection
        self._shorten()

    def check(self) -> None:
        """Raise StorageLost if the file is not as we left it."""
        if self._lost is None and self._look() != self._shape:
            self._lost = "the database was removed or changed by somebody else"
        if self._lost is not None:
            raise StorageLost(self._lost)

    def probe(self) -> None:
        """Find out whether writing works, on a new connection if it does not on this one. Raises StorageError."""
        try:
            self._write_probe()
        except StorageLost:
            raise
        except StorageError:
            self._reopen()
            self._write_probe()

    @contextmanager
    def renewal(self) -> Generator[sqlite3.Connection]:
        """Move what is there aside, begin a new file, and fill it in the block. Raises StorageError: try again."""
        with translated("write"):
            self.connection.close()
            if self._renewing:
                self._remove()  # an attempt that failed half-way: ours, and worth nothing
            else:
                self._move_aside()
            self._renewing = True
            self.connection = self._open()
            with self._watched():
                yield self.connection
        self._renewing, self._lost = False, None

    def _reopen(self) -> None:
        """Begin a new connection, with as short a log as can be: on a full disk the log may be what fills it."""
        with translated("open"), self._noticed():
            try:
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self.connection.close()
                self.connection = self._open()
            finally:
                self._shape = self._look()

    def _write_probe(self) -> None:
        for statement in ("INSERT INTO probe VALUES (zeroblob(?))", "DELETE FROM probe WHERE ?"):
            with self.transaction() as connection:
                connection.execute(statement, (PROBE_BYTES,))

    @contextmanager
    def _watched(self) -> Generator[None]:
        """One transaction, after which the file's shape is remembered; damage that shows is remembered too."""
        with self._noticed():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    if self.connection.in_transaction:
                        self.connection.execute("ROLLBACK")
                raise
            finally:
                self._remember()

    @contextmanager
    def _noticed(self) -> Generator[None]:
        try:
            with sane():
                yield
        except sqlite3.DatabaseError as error:
            if is_damage(error) and self._path != ":memory:":
                self._lost = f"the database is damaged ({error})"
                raise StorageLost(self._lost) from error
            raise

    def _open(self) -> sqlite3.Connection:
        # No waiting for anybody: this thread serves everyone, and a failed write is tried again.
        before = os.umask(0o077)
        try:
            connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        finally:
            os.umask(before)
        try:
            with sane():
                self._set_up(connection)
        except BaseException as error:
            connection.close()
            if is_refusal(error):
                raise Damaged(str(error)) from error
            raise
        self._shape = self._look()
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")  # `_shorten` does it, so that we know when the file changes
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise Damaged(found)
        connection.execute("CREATE TABLE IF NOT EXISTS probe (body BLOB)")
        self._prepare(connection)

    def _look(self) -> Shape:
        """Return what the file looks like from outside: which it is, its size and its time of change."""
        if self._path == ":memory:":
            return ()
        return _look(self._path), _look(self._path + "-wal")

    def _remember(self) -> None:
        """Take the present shape for ours, unless a transaction does not lead to it: then `check` is to find it.

        A transaction goes to the log and leaves the file itself alone; the log never shrinks by it.
        """
        now = self._look()
        if now and self._shape:
            (file, log), (file_now, log_now) = self._shape, now
            if file != file_now or (log is not None and (log_now is None or not _grew(log, log_now))):
                return
        self._shape = now

    def _shorten(self) -> None:
        """Bring a long log into the file. It is tried again after the next transaction if it cannot be now."""
        log = self._shape[1] if self._shape else None
        if log is not None and log[2] > LOG_BYTES:
            with contextlib.suppress(sqlite3.OperationalError, StorageLost), self._noticed():
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._shape = self._look()

    def _move_aside(self) -> str:
        """Move the file away, with its log; returns its new name."""
        aside = f"{self._path}.corrupt-{time.time_ns() // 1_000_000}"
        for suffix in SUFFIXES:
            if os.path.exists(self._path + suffix):
                os.replace(self._path + suffix, aside + suffix)
        older = sorted(path for path in glob.glob(f"{glob.escape(self._path)}.corrupt-*") if path[-4:] not in SUFFIXES)
        for path in older[:-ASIDE_KEPT]:
            _unlink(path)
        return os.path.basename(aside)

    def _remove(self) -> None:
        _unlink(self._path)


def take_away(path: str, query: str) -> list[tuple[object, ...]]:
    """Remove a database and all that was moved aside; returns what a query still finds in it. Raises StorageError."""
    found: list[tuple[object, ...]] = []
    with contextlib.suppress(sqlite3.Error), sane(), contextlib.closing(sqlite3.connect(path, timeout=0)) as database:
        found = database.execute(query).fetchall()
    with translated("remove"):
        for old in (path, *(each for each in glob.glob(f"{glob.escape(path)}.corrupt-*") if each[-4:] not in SUFFIXES)):
            _unlink(old)
    return found


def _grew(before: tuple[int, int, int, int], after: tuple[int, int, int, int]) -> bool:
    return before[:2] == after[:2] and before[2] <= after[2]


def _look(path: str) -> Look:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _unlink(path: str) -> None:
    for suffix in SUFFIXES:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + suffix)
