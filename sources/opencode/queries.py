"""Queries: what is asked of the client's SQLite store, as text. The counterpart that asks is `database.py`."""

import sqlite3

from .fold import LATEST
from .rows import TEXT_LIMIT
from .state import WINDOW

SMALL = 4096
"""Bytes of a text that is taken as it is: to have it cut would take longer than to read it."""

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

TOPS = "SELECT (SELECT max(rowid) FROM session), (SELECT max(rowid) FROM message), (SELECT max(rowid) FROM part)"
ADDED = " UNION ALL ".join(
    f"SELECT * FROM (SELECT {name} FROM {table} ORDER BY rowid DESC LIMIT ?)"  # noqa: S608 - constants only
    for name, table in (("id", "session"), ("session_id", "message"), ("session_id", "part"))
)

# Rows whose place or name is none of the client's are left out: reading could not go on behind them. And never a whole
# text: it may hold a diff or the output of a tool.
_TEXT = (
    f"CASE WHEN {_SIZE} <= {SMALL} THEN data"
    f" WHEN {_SANE} THEN json_remove(data, '$.summary.diffs', '$.error.data', '$.system') END"
)
LATEST_MESSAGES = f"""
    SELECT id, time_created,
        {_TEXT}
    FROM message
    WHERE session_id = :session AND typeof(time_created) = 'integer' AND typeof(id) = 'text' AND length(id) <= :longest
    ORDER BY time_created DESC, id DESC LIMIT :latest
"""  # noqa: S608 - constants only

PAGE = f"""
    SELECT id, time_created,
        {_TEXT}
    FROM message
    WHERE session_id = :session AND (time_created, id) > (:at, :id)
        AND typeof(time_created) = 'integer' AND typeof(id) = 'text' AND length(id) <= :longest
    ORDER BY time_created, id LIMIT :limit
"""  # noqa: S608 - constants only

PARTS = f"""
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
TOTAL = f"SELECT count(*) FROM session s WHERE {_SOUND}"  # noqa: S608 - a constant


def sessions(columns: frozenset[str], which: str) -> str:
    """Return the question after the sessions of which `which` holds; columns that are missing say nothing."""
    optional = ", ".join(f"s.{name}" if name in columns else "NULL" for name in _OPTIONAL[:-1])
    # Its text is long (a diff) and says only that there is one.
    revert = "coalesce(s.revert, 'null') <> 'null'" if _OPTIONAL[-1] in columns else "0"
    return (
        f"SELECT s.id, s.time_created, s.time_updated, {optional}, {revert}, {_SHAPE}"  # noqa: S608 - constants only
        f" FROM session s WHERE {_SOUND} AND {which}"
    )
