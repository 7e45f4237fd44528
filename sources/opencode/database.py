"""Database: read the client's SQLite store while the client writes it. The only file that knows sqlite3.

It is opened read-only, asked in one short transaction and closed again, so that the client's own housekeeping never waits
for us. Most of what is new stands in the write-ahead log beside the file, so the file alone is never read. Columns have
grown over the releases; those that are missing say nothing. The counterpart for the older store is `tree.py`.
"""

import os
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from ..errors import SourceError
from ..files import look
from .fold import LATEST
from .rows import ID_LIMIT, TEXT_LIMIT, Key, Message, Part, Session, message_in, number, part_in

PATIENCE_SECONDS = 1.0
"""How long the store may be locked before this reading gives up."""

PARTS_LIMIT = 4096
"""Parts of one message that are looked at."""

# Only the size is asked for, where SQLite can: it stands before the text, which is then not read.
_SIZE = "octet_length(data)" if sqlite3.sqlite_version_info >= (3, 43) else "length(CAST(data AS blob))"
_SANE = f"{_SIZE} <= {TEXT_LIMIT} AND json_valid(data)"

_OPTIONAL = ("parent_id", "slug", "directory", "title", "version", "time_compacting", "time_archived", "revert")

# What of a session can change without its own row: how many messages there are, and the newest ones with their parts.
_SHAPE = """
    (SELECT count(*) FROM message WHERE session_id = s.id),
    (SELECT group_concat(id || ':' || time_updated) FROM (
        SELECT id, time_updated FROM message WHERE session_id = s.id
        ORDER BY time_created DESC, id DESC LIMIT :latest)),
    (SELECT count(*) FROM part WHERE message_id IN (
        SELECT id FROM message WHERE session_id = s.id ORDER BY time_created DESC, id DESC LIMIT :latest)),
    (SELECT max(time_updated) FROM (
        SELECT time_updated FROM message WHERE session_id = s.id
        ORDER BY time_created DESC, id DESC LIMIT :latest)),
    (SELECT max(time_updated) FROM part WHERE message_id IN (
        SELECT id FROM message WHERE session_id = s.id ORDER BY time_created DESC, id DESC LIMIT :latest))
"""

# Rows whose place or name is none of the client's are left out: reading could not go on behind them. And never a whole
# text: it may hold a diff or the output of a tool.
_LATEST_MESSAGES = f"""
    SELECT id, time_created,
        CASE WHEN {_SANE} THEN json_remove(data, '$.summary.diffs', '$.error.data', '$.system') END
    FROM message
    WHERE session_id = :session AND typeof(time_created) = 'integer' AND typeof(id) = 'text' AND length(id) <= :longest
    ORDER BY time_created DESC, id DESC LIMIT :latest
"""  # noqa: S608 - constants only

_PAGE = f"""
    SELECT id, time_created,
        CASE WHEN {_SANE} THEN json_remove(data, '$.summary.diffs', '$.error.data', '$.system') END
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

_SOUND = "typeof(s.id) = 'text' AND length(s.id) BETWEEN 1 AND :longest"


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

    def shape(self) -> str:
        """Describe the store's files: as long as this is the same nothing was written. "" if there is none."""
        status = look(self.path)
        if status is None:
            return ""
        log = look(f"{self.path}-wal")
        # An empty log is as good as none: a reader makes one, and the last writer to leave removes it.
        written = f"{log.st_mtime_ns:x}.{log.st_size:x}.{log.st_ino:x}" if log is not None and log.st_size else ""
        return f"{status.st_mtime_ns:x}.{status.st_size:x}.{status.st_ino:x}+{written}"

    def glance(self, since: int | None = None, named: Sequence[str] = ()) -> tuple[int, list[Seen]]:
        """Return how many sessions there are, and those written since then, or named; all of them with None.

        Raises SourceError if the store cannot be read now.
        """
        with self._asking() as connection:
            columns = _columns(connection)
            if not columns:
                return 0, []  # made a moment ago, and still without tables
            asked = {"latest": LATEST, "longest": ID_LIMIT}
            (total,) = connection.execute(f"SELECT count(*) FROM session s WHERE {_SOUND}", asked).fetchone()  # noqa: S608 - a constant
            if since is None:
                rows = connection.execute(_sessions(columns, "1"), asked)
            else:
                besides = msgspec.json.encode(named).decode()
                which = "(s.time_updated >= :since OR s.id IN (SELECT value FROM json_each(:besides)))"
                rows = connection.execute(_sessions(columns, which), asked | {"since": since, "besides": besides})
            return total, [_seen(row) for row in rows]

    @contextmanager
    def reading(self, session: str) -> Generator[Reading | None]:
        """Read one session; None if it is not there. Raises SourceError if the store cannot be read now."""
        with self._asking() as connection:
            columns = _columns(connection)
            asked = {"session": session, "latest": LATEST, "longest": ID_LIMIT}
            rows = connection.execute(_sessions(columns, "s.id = :session"), asked).fetchall() if columns else []
            yield Reading(connection, _seen(rows[0])) if rows else None

    @contextmanager
    def _asking(self) -> Generator[sqlite3.Connection]:
        # Read-only, but never "immutable": that would leave out the log.
        address = f"file:{quote(os.fsencode(self.path))}?mode=ro"
        try:
            with closing(
                sqlite3.connect(address, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None)
            ) as connection:
                connection.text_factory = _text
                connection.execute("PRAGMA query_only = 1")
                connection.execute("BEGIN")
                yield connection
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", type(error).__name__)
            raise SourceError(f"the database cannot be read now ({code})") from error


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


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
    modified = max(session.updated, number(row[-2]) or 0, number(row[-1]) or 0)
    return Seen(session, modified, blake2b(repr(row).encode(), digest_size=12).hexdigest())


def _messages(rows: Iterable[tuple[Any, ...]]) -> list[Message]:
    return [message_in(text.encode() if isinstance(text, str) else b"", name, at) for name, at, text in rows]


def _part(name: object, text: object) -> Part:
    return part_in(text.encode() if isinstance(text, str) else b"", str(name))
