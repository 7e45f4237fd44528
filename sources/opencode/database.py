"""Database: read the client's SQLite store while the client writes it. The only file that knows sqlite3.

It is opened read-only, asked in short transactions, and closed when the questions of one change are answered. A connection
that stayed open would cost less, but the last client that leaves empties and removes its log only if nobody else has the
database open. Most of what is new stands in that log, so the file alone is never read. Columns have grown over the
releases; those that are missing say nothing. The counterpart for the older store is `tree.py`.
"""

import os
import sqlite3
import weakref
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec
from msgspec import Struct

from ..errors import SourceError
from ..files import look
from .fold import LATEST
from .rows import ID_LIMIT, TEXT_LIMIT, Key, Message, Part, Session, message_in, number, part_in
from .state import WINDOW

PATIENCE_SECONDS = 1.0
"""How long the store may be locked before this reading gives up."""

PARTS_LIMIT = 4096
"""Parts of one message that are looked at."""

# Only the size is asked for, where SQLite can: it stands before the text, which is then not read.
_SIZE = "octet_length(data)" if sqlite3.sqlite_version_info >= (3, 43) else "length(CAST(data AS blob))"
_SANE = f"{_SIZE} <= {TEXT_LIMIT} AND json_valid(data)"

_OPTIONAL = ("parent_id", "slug", "directory", "title", "version", "time_compacting", "time_archived", "revert")

# What of a session can change without its own row: which messages are there, as far back as they are read again, and the
# newest ones with their parts. Each question is answered from the end of an index, however long the session is.
_NEWEST = "FROM message WHERE session_id = s.id ORDER BY time_created DESC, id DESC LIMIT"
_SHAPE = f"""
    (SELECT group_concat(id) FROM (SELECT id {_NEWEST} {WINDOW})),
    (SELECT group_concat(id || ':' || time_updated) || '/' || max(CAST(time_updated AS integer))
        FROM (SELECT id, time_updated {_NEWEST} {LATEST})),
    (SELECT count(*) || '/' || max(CAST(time_updated AS integer))
        FROM part WHERE message_id IN (SELECT id {_NEWEST} {LATEST}))
"""  # noqa: S608 - constants only

_TOPS = "SELECT (SELECT max(rowid) FROM session), (SELECT max(rowid) FROM message), (SELECT max(rowid) FROM part)"
_ADDED = " UNION ALL ".join(
    f"SELECT * FROM (SELECT {name} FROM {table} ORDER BY rowid DESC LIMIT ?)"  # noqa: S608 - constants only
    for name, table in (("id", "session"), ("session_id", "message"), ("session_id", "part"))
)

MARGIN = 16
"""Newest rows that are looked at when there is none above the known top: others may have come into their places."""

BURST = 1000
"""New rows above which it is simpler to ask about all sessions."""

REMEMBERED = 64
"""Rows of sessions that are compared with those of the question before, and are not read again if they are the same."""

SMALL = 4096
"""Bytes of a text that is taken as it is: to have it cut would take longer than to read it."""

Tops: TypeAlias = tuple[int, int, int]
"""The highest place among the sessions, messages and parts: what is added gets a higher one."""

# Rows whose place or name is none of the client's are left out: reading could not go on behind them. And never a whole
# text: it may hold a diff or the output of a tool.
_TEXT = (
    f"CASE WHEN {_SIZE} <= {SMALL} THEN data"
    f" WHEN {_SANE} THEN json_remove(data, '$.summary.diffs', '$.error.data', '$.system') END"
)
_LATEST_MESSAGES = f"""
    SELECT id, time_created,
        {_TEXT}
    FROM message
    WHERE session_id = :session AND typeof(time_created) = 'integer' AND typeof(id) = 'text' AND length(id) <= :longest
    ORDER BY time_created DESC, id DESC LIMIT :latest
"""  # noqa: S608 - constants only

_PAGE = f"""
    SELECT id, time_created,
        {_TEXT}
    FROM message
    WHERE session_id = :session AND (time_created, id) > (:at, :id)
        AND typeof(time_created) = 'integer' AND typeof(id) = 'text' AND length(id) <= :longest
    ORDER BY time_created, id LIMIT :limit
"""  # noqa: S608 - constants only

_PARTS = f"""
    SELECT id, CASE WHEN {_SANE} THEN json_object(
        'type', json_extract(data, '$.type'),
        'tool', json_extract(data, '$.tool'),
        'state', json_object(
            'status', json_extract(data, '$.state.status'),
            'time', json_object(
                'start', json_extract(data, '$.state.time.start'),
                'end', json_extract(data, '$.state.time.end')))) END
    FROM part WHERE message_id = :message ORDER BY id LIMIT :limit
"""  # noqa: S608 - constants only

# Without a frame of Python's for each text.
_text = partial(str, encoding="utf-8", errors="replace")

_SOUND = "typeof(s.id) = 'text' AND length(s.id) BETWEEN 1 AND :longest"
_TOTAL = f"SELECT count(*) FROM session s WHERE {_SOUND}"  # noqa: S608 - a constant


class Seen(Struct, frozen=True):
    """A session as a glance shows it: `modified` (milliseconds) is its newest change, `stamp` describes all that matters."""

    session: Session
    modified: int
    stamp: str


class Reading:
    """One session at one moment: every answer is from the same transaction."""

    def __init__(self, connection: sqlite3.Connection, seen: Seen) -> None:
        self._connection = connection
        self.session = seen.session
        self.stamp = seen.stamp

    def latest(self) -> list[Message]:
        """Return the newest messages, oldest first."""
        return _messages(
            self._connection.execute(
                _LATEST_MESSAGES, {"session": self.session.id, "longest": ID_LIMIT, "latest": LATEST}
            )
        )[::-1]

    def page(self, floor: Key, limit: int) -> list[Message]:
        """Return the next messages after `floor`, oldest first."""
        asked = {"session": self.session.id, "at": floor[0], "id": floor[1], "longest": ID_LIMIT, "limit": limit}
        return _messages(self._connection.execute(_PAGE, asked))

    def parts(self, messages: Iterable[str]) -> dict[str, list[Part]]:
        """Return the parts of each of these messages."""
        return {message: self._parts(message) for message in messages}

    def _parts(self, message: str) -> list[Part]:
        return [_part(*row) for row in self._connection.execute(_PARTS, {"message": message, "limit": PARTS_LIMIT})]


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
            names.update((name, None) for (name,) in connection.execute(_ADDED, added))
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
            total = connection.execute(_TOTAL, {"longest": ID_LIMIT}).fetchone()
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
        rows = connection.execute(_sessions(columns, which), {"longest": ID_LIMIT, **asked}).fetchall()
        found = [self._known.get(row) or _seen(row) for row in rows]
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


def _sessions(columns: frozenset[str], which: str) -> str:
    optional = ", ".join(f"s.{name}" if name in columns else "NULL" for name in _OPTIONAL[:-1])
    # Its text is long (a diff) and says only that there is one.
    revert = "coalesce(s.revert, 'null') <> 'null'" if _OPTIONAL[-1] in columns else "0"
    return (
        f"SELECT s.id, s.time_created, s.time_updated, {optional}, {revert}, {_SHAPE}"  # noqa: S608 - constants only
        f" FROM session s WHERE {_SOUND} AND {which}"
    )


def _version(connection: sqlite3.Connection) -> int:
    """Return a number that is another one, on the same connection, once somebody else has committed something."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _tops(connection: sqlite3.Connection) -> Tops:
    session, message, part = connection.execute(_TOPS).fetchone()
    return session or 0, message or 0, part or 0


def _seen(row: tuple[Any, ...]) -> Seen:
    name, created, updated, parent, slug, directory, title, version, compacting, archived, reverted = row[:11]
    session = Session(
        id=name,
        parent=parent,
        slug=slug,
        directory=directory,
        title=title,
        version=version,
        created=number(created) or 0,
        updated=number(updated) or 0,
        compacting=number(compacting),
        archived=number(archived),
        reverted=bool(reverted),
    )
    modified = max(session.updated, *(_newest(shape) for shape in row[-2:]))
    return Seen(session, modified, blake2b(repr(row).encode(), digest_size=12).hexdigest())


def _newest(shape: str | None) -> int:
    return number(int((shape or "/0").rpartition("/")[2])) or 0


def _messages(rows: Iterable[tuple[Any, ...]]) -> list[Message]:
    return [_message(text if isinstance(text, str) else "", name, at) for name, at, text in rows]


def _message(text: str, name: str, at: int) -> Message:
    return (_message_again if len(text) <= SMALL else _message_once)(text, name, at)


def _message_once(text: str, name: str, at: int) -> Message:
    return message_in(text.encode(), name, at)


# The newest messages of a session are read again and again while it grows, and most of them have not changed.
_message_again = lru_cache(maxsize=1024)(_message_once)


def _part(name: object, text: object) -> Part:
    return part_in(text.encode() if isinstance(text, str) else b"", str(name))
