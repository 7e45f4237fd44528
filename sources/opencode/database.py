"""Database: read the client's SQLite store while the client writes it.

It is opened read-only, asked in short transactions, and closed when the questions of one change are answered. A connection
that stayed open would cost less, but the last client that leaves empties and removes its log only if nobody else has the
database open. Most of what is new stands in that log, so the file alone is never read. Columns have grown over the
releases; those that are missing say nothing. What is asked stands in `queries.py`, what the answers say in `reading.py`;
the counterpart for the older store is `tree.py`.
"""

import os
import sqlite3
import weakref
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec

from ..errors import SourceError
from ..files import look
from .queries import ADDED, TOPS, TOTAL, sessions
from .reading import Reading, Seen, seen_in
from .rows import ID_LIMIT

PATIENCE_SECONDS = 1.0
"""How long the store may be locked before this reading gives up."""

MARGIN = 16
"""Newest rows that are looked at when there is none above the known top: others may have come into their places."""

BURST = 1000
"""New rows above which it is simpler to ask about all sessions."""

REMEMBERED = 64
"""Rows of sessions that are compared with those of the question before, and are not read again if they are the same."""

Tops: TypeAlias = tuple[int, int, int]
"""The highest place among the sessions, messages and parts: what is added gets a higher one."""

# Without a frame of Python's for each text.
_text = partial(str, encoding="utf-8", errors="replace")


class Database:
    """One database file of the client."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._kept: tuple[sqlite3.Connection, frozenset[str]] | None = None
        self._place: tuple[int, int] | None = None
        self._expected: set[str] = set()
        self._closed = weakref.finalize(self, int)
        self._known: dict[tuple[Any, ...], Seen] = {}
        self._answered: tuple[int, dict[str, Seen]] = (0, {})

    def shape(self) -> str:
        """Describe the store's files: as long as this is the same nothing was written. "" if there is none."""
        status = look(self.path)
        if status is None:
            return ""
        log = look(f"{self.path}-wal")
        # An empty log is as good as none: a reader makes one, and the last writer to leave removes it.
        written = f"{log.st_mtime_ns:x}.{log.st_size:x}.{log.st_ino:x}" if log is not None and log.st_size else ""
        return f"{status.st_mtime_ns:x}.{status.st_size:x}.{status.st_ino:x}+{written}"

    def everything(self) -> tuple[Tops, list[Seen]]:
        """Return all sessions. Raises SourceError if the store cannot be read now."""
        with self._asking() as (connection, columns):
            if not columns:
                return (0, 0, 0), []  # made a moment ago, and still without tables
            return _tops(connection), self._ask(connection, columns, "1")

    def news(self, tops: Tops, named: Iterable[str], else_named: Iterable[str]) -> tuple[Tops, list[Seen]] | None:
        """Return the sessions to which something was added, and those named; None if there are too many to tell.

        `else_named`: named, too, if nothing was added. Costs the same however many sessions there are. Raises SourceError if
        the store cannot be read now.
        """
        with self._asking() as (connection, columns):
            if not columns:
                return None
            now = _tops(connection)
            added = [max(0, top - known) for top, known in zip(now, tops, strict=True)]
            if sum(added) > BURST:
                return None
            names: dict[object, None] = dict.fromkeys(named)
            if not any(added):
                names |= dict.fromkeys(else_named)
                added = [MARGIN] * len(added)
            names.update((name, None) for (name,) in connection.execute(ADDED, added))
            texts = msgspec.json.encode([name for name in names if isinstance(name, str)]).decode()
            found = self._ask(connection, columns, "s.id IN (SELECT value FROM json_each(:names))", names=texts)
            self._answered = _version(connection), {seen.session.id: seen for seen in found}
            return now, found

    def written(self, since: int) -> tuple[int, list[Seen]]:
        """Return how many sessions there are, and those whose own row was written since then.

        No index knows that, so each session is looked at. Raises SourceError if the store cannot be read now.
        """
        with self._asking() as (connection, columns):
            if not columns:
                return 0, []
            total = connection.execute(TOTAL, {"longest": ID_LIMIT}).fetchone()
            return total[0], self._ask(connection, columns, "s.time_updated >= :since", since=since)

    def expect(self, sessions: Iterable[str]) -> None:
        """Stay open until these sessions were read; without any, close."""
        self._expected = set(sessions)
        if not self._expected:
            self._close()

    @contextmanager
    def reading(self, session: str) -> Generator[Reading | None]:
        """Read one session; None if it is not there. Raises SourceError if the store cannot be read now."""
        self._expected.discard(session)
        try:
            with self._asking() as (connection, columns):
                version, known = self._answered
                seen = known.get(session) if _version(connection) == version else None
                if seen is None and columns:
                    seen = next(iter(self._ask(connection, columns, "s.id = :session", session=session)), None)
                yield Reading(connection, seen) if seen is not None else None
        finally:
            self.expect(self._expected)

    @contextmanager
    def _asking(self) -> Generator[tuple[sqlite3.Connection, frozenset[str]]]:
        """Open the store if it is not, and ask in one transaction; what fails is closed."""
        try:
            connection, columns = self._opened()
            connection.execute("BEGIN")
            columns = columns or _columns(connection)
            self._kept = (connection, columns)
            yield connection, columns
            # Also what was only begun would hold the client's log.
            connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._close()
            code = getattr(error, "sqlite_errorname", type(error).__name__)
            raise SourceError(f"the database cannot be read now ({code})") from error
        except BaseException:
            self._close()
            raise

    def _ask(self, connection: sqlite3.Connection, columns: frozenset[str], which: str, **asked: object) -> list[Seen]:
        rows = connection.execute(sessions(columns, which), {"longest": ID_LIMIT, **asked}).fetchall()
        found = [self._known.get(row) or seen_in(row) for row in rows]
        if len(rows) > 1:
            self._known = dict(zip(rows[-REMEMBERED:], found[-REMEMBERED:], strict=True))
        elif rows:
            self._known[rows[0]] = found[0]
        return found

    def _opened(self) -> tuple[sqlite3.Connection, frozenset[str]]:
        status = look(self.path)
        here = (status.st_dev, status.st_ino) if status is not None else None
        if self._kept is not None and here == self._place:
            return self._kept
        self._close()
        # Read-only, but never "immutable": that would leave out the log.
        address = f"file:{quote(os.fsencode(self.path))}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None)
        self._kept, self._place = (connection, frozenset()), here
        self._closed = weakref.finalize(self, connection.close)
        connection.text_factory = _text
        connection.execute("PRAGMA query_only = 1")
        return self._kept

    def _close(self) -> None:
        self._kept = None
        self._answered = (0, {})  # versions are a connection's own
        self._closed()


def _columns(connection: sqlite3.Connection) -> frozenset[str]:
    found = frozenset(str(row[1]) for row in connection.execute("PRAGMA table_info(session)"))
    if not found and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise SourceError("the database has no table of sessions: it is of a release that is not known")
    return found


def _version(connection: sqlite3.Connection) -> int:
    """Return a number that is another one, on the same connection, once somebody else has committed something."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _tops(connection: sqlite3.Connection) -> Tops:
    session, message, part = connection.execute(TOPS).fetchone()
    return session or 0, message or 0, part or 0
