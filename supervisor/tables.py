"""Tables: sessions, cursors and workers as rows of the database.

Rows of sessions and cursors have a checksum: a flipped bit cannot pass for a number. The counterpart is `store.py`, which
decides when what is put here; the journal's table is `journal.py`'s affair.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

import msgspec

from ..protocol.session import SessionState
from .aggregator.tracked import SessionKey
from .damage import Damaged
from .journal import PUT_SLOT, TABLE, Held, Page, Stored

SCHEMA = 4
READABLE = frozenset((0, 2, SCHEMA))
"""Versions of the tables with which this release goes on: of a new file, of one without a journal, and its own."""

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
WORKERS = "SELECT source, inc, paused FROM workers"

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


def prepare(database: sqlite3.Connection) -> None:
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


def prepare_in_memory(database: sqlite3.Connection) -> None:
    """Make the tables; those of sessions and cursors are hidden by others of the same name that are never on disk."""
    prepare(database)
    database.execute("PRAGMA temp_store=MEMORY")
    for line in _TABLES.split(";"):
        if any(table in line for table in ("sessions", "cursors", "slots")):
            database.execute(line.replace("TABLE IF NOT EXISTS", "TEMP TABLE"))


def put(database: sqlite3.Connection, page: Page) -> None:
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


def forget(database: sqlite3.Connection, sessions: Sequence[SessionKey]) -> None:
    """Drop sessions with their cursors: one is worth nothing without the other."""
    database.executemany("DELETE FROM cursors WHERE source = ? AND session_id = ?", sessions)
    database.executemany("DELETE FROM sessions WHERE source = ? AND id = ?", sessions)


def forget_gone(database: sqlite3.Connection, before: float) -> None:
    """Drop what was removed from the board before a time (epoch seconds), with its cursors."""
    gone = "SELECT source, id FROM sessions WHERE gone AND moved < ?"
    database.execute(f"DELETE FROM cursors WHERE (source, session_id) IN ({gone})", (before,))  # noqa: S608 - our own constant
    database.execute("DELETE FROM sessions WHERE gone AND moved < ?", (before,))


def sessions(database: sqlite3.Connection) -> Iterator[tuple[SessionKey, Stored | msgspec.MsgspecError]]:
    """Return all stored sessions; an error instead of one that another release wrote in a form unknown to this one."""
    rows = database.execute(_SESSIONS).fetchall()  # the bytes, now; what they say, one after the other
    return (((row[0], row[1]), _read(*row[2:6])) for row in rows)


def _read(gone: int, live: int, moved: float, body: bytes) -> Stored | msgspec.MsgspecError:
    try:
        return Stored(_DECODER.decode(body), bool(gone), bool(live), moved)
    except msgspec.MsgspecError as error:
        return error


def cursors(database: sqlite3.Connection) -> list[Held]:
    """Return all stored cursors."""
    return [row[:4] for row in database.execute(_CURSORS)]


def put_workers(database: sqlite3.Connection, workers: Iterable[Sequence[object]]) -> None:
    """Put rows of (source, incarnation, paused)."""
    database.executemany("REPLACE INTO workers VALUES (?, ?, ?)", workers)


def count_up(database: sqlite3.Connection, source: str) -> int:
    """Count up a source's incarnation and return it."""
    return int(database.execute(_COUNT_UP, (source,)).fetchone()[0])


def pause(database: sqlite3.Connection, wanted: dict[str, bool]) -> None:
    """Note which sources are paused and which are not."""
    database.executemany(_PAUSE, list(wanted.items()))


def paused(database: sqlite3.Connection) -> dict[str, bool]:
    """Return which sources are paused and which are not."""
    return {source: bool(held) for source, _, held in database.execute(WORKERS)}


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
