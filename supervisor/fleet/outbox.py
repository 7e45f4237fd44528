"""Outbox: events that the fleet's history has not got yet, in a file, so that they outlive a broker that is away.

The counterpart is `delivery.py`, which sends them. The last state of each session needs no such file: the board has it, and
it is compared whenever the broker is back (`entries.py`). Bounded: past the bound only the last event of each key stays, and
what is given up is counted. What was written for another name of the machine, or at another privacy level, is never sent.
"""

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from ...protocol.privacy import Level
from ..damage import is_damage
from .telling import Piece

FILE = "export-nats.sqlite"

MOST_ROWS = 50_000
"""Some minutes of the busiest machine, some days of a usual one."""

MOST_BYTES = 64 << 20
"""A full outbox takes less than a minute to send, and no disk notices it."""

PAGE_BYTES = 4096
SLACK = 2
"""How much longer than its content the file may be, for indices and free pages."""

_TABLES = """
CREATE TABLE IF NOT EXISTS said (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, once TEXT UNIQUE NOT NULL, key TEXT NOT NULL,
    source TEXT NOT NULL, session TEXT NOT NULL, kind TEXT NOT NULL, value BLOB NOT NULL
);
"""


class Row(NamedTuple):
    """One event that waits; `id` is its place."""

    id: int
    once: str
    path: tuple[str, str, str, str]
    value: bytes


class Outbox:
    """The file in a state folder, or memory. It never raises: what cannot be kept is counted, and `trouble` says why."""

    def __init__(self, folder: str | None, host: str, level: Level) -> None:
        self.lost = 0
        self.rows = 0
        self.trouble: str | None = None
        self._bytes = 0
        self._spent: dict[int, int] = {}
        self._exporter: str | None = None
        self._host = host
        self._level = level
        self._path = None if folder is None else os.path.join(folder, FILE)
        self._database = self._open()

    def add(self, pieces: Sequence[Piece]) -> None:
        """Keep events until they are sent."""
        lost = self.lost
        try:
            with self._database:
                self._sweep(())
                before = self._database.total_changes
                self._database.executemany(
                    "INSERT OR IGNORE INTO event (once, key, source, session, kind, value) VALUES (?, ?, ?, ?, ?, ?)",
                    [(each.once, each.key, *each.path[1:], each.value) for each in pieces],
                )
                self.rows += self._database.total_changes - before
                self._bytes += sum(len(each.value) for each in pieces)
                if self.rows > MOST_ROWS or self._bytes > MOST_BYTES:
                    self._thin()
            self._spent.clear()
        except sqlite3.Error as error:
            self.lost = lost
            self._fail(error, len(pieces))

    def first(self, most: int) -> list[Row]:
        """Return the events that have waited for longest."""
        try:
            found = self._database.execute(
                "SELECT id, once, source, session, kind, value FROM event WHERE id > ? ORDER BY id LIMIT ?",
                (self._behind(), most),
            ).fetchall()
        except sqlite3.Error as error:
            self._fail(error, 0)
            return []
        return [Row(row[0], row[1], (self._host, *row[2:5]), row[5]) for row in found if row[0] not in self._spent]

    def sent(self, rows: Sequence[Row], *, given_up: int = 0) -> None:
        """Forget events that the history has, or never will: at once, and in the file as soon as that can be written."""
        lost = self.lost
        try:
            with self._database:
                self._sweep([row.id for row in rows])
                self._count(given_up)
        except sqlite3.Error as error:
            self.lost = lost
            self._spent |= {row.id: len(row.value) for row in rows}
            self._fail(error, given_up)
        else:
            self._spent.clear()
            self.rows -= len(rows)
            self._bytes -= sum(len(row.value) for row in rows)

    def clear(self) -> None:
        """Forget all: somebody else tells of this machine."""
        try:
            with self._database:
                self._database.execute("DELETE FROM event")
            self._spent.clear()
            self.rows = self._bytes = 0
        except sqlite3.Error as error:
            self._fail(error, 0)

    def successor(self, exporter: str) -> str | None:
        """Write down who uses this outbox from now on; returns who did before, who so has ended (`lock` in `run.py`)."""
        before, self._exporter = None, exporter
        try:
            before = self._said("exporter")
            with self._database:
                self._say("exporter", exporter)
        except sqlite3.Error as error:
            self._fail(error, 0)
        return before

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(sqlite3.Error):
            self._database.close()

    def _open(self) -> sqlite3.Connection:
        """Open the file; one that is damaged is made anew, and where none can be had, memory has to do."""
        for path in (self._path, self._path, None):
            try:
                database = self._prepared(path)
            except (sqlite3.Error, OSError) as error:
                self.trouble = f"the outbox {self._path} cannot be used ({error})"
                if is_damage(error):
                    self._remove()
            else:
                return database
        raise AssertionError("a database in memory can always be had")

    def _prepared(self, path: str | None) -> sqlite3.Connection:
        if path is not None:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        database = sqlite3.connect(path or ":memory:", timeout=1.0)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            # A bound that holds whatever else is wrong.
            database.execute(f"PRAGMA max_page_count = {SLACK * MOST_BYTES // PAGE_BYTES}")
            database.executescript(_TABLES)
            self._database = database
            self._adopt()
        except BaseException:
            database.close()
            raise
        return database

    def _adopt(self) -> None:
        """Take over what waits in the file, if it was meant for the same eyes."""
        with self._database:
            self.lost = int(self._said("lost") or 0)
            if (self._said("host"), self._said("level")) != (self._host, self._level):
                self._count(self._database.execute("DELETE FROM event").rowcount)
            self._say("host", self._host)
            self._say("level", self._level)
            if self._exporter is not None:
                self._say("exporter", self._exporter)
        self._measure()

    def _thin(self) -> None:
        """Keep the last event of each key, and of these the newest, if they are too many."""
        gone = self._database.execute(
            "DELETE FROM event WHERE id NOT IN (SELECT max(id) FROM event GROUP BY key)"
        ).rowcount
        self._measure()
        while self.rows > MOST_ROWS or self._bytes > MOST_BYTES:
            piece = max(1, self.rows // 10)
            gone += self._database.execute(
                "DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT ?)", (piece,)
            ).rowcount
            self._measure()
        self._count(gone)

    def _count(self, lost: int) -> None:
        if lost > 0:
            self.lost += lost
            self._say("lost", str(self.lost))

    def _measure(self) -> None:
        self.rows, self._bytes = self._database.execute(
            "SELECT count(*), coalesce(sum(length(value)), 0) FROM event"
        ).fetchone()
        self.rows -= len(self._spent)
        self._bytes -= sum(self._spent.values())

    def _said(self, name: str) -> str | None:
        row = self._database.execute("SELECT value FROM said WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def _say(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO said VALUES (?, ?)", (name, value))

    def _sweep(self, ids: Sequence[int]) -> None:
        """Let events leave the file, also those that had to stay there although they were sent."""
        self._database.executemany("DELETE FROM event WHERE id = ?", [(each,) for each in (*self._spent, *ids)])

    def _behind(self) -> int:
        """Return the place behind which something waits: what cannot leave the file is not sent again and again."""
        if not self._spent:
            return 0
        ids = (row[0] for row in self._database.execute("SELECT id FROM event ORDER BY id"))
        return next((each - 1 for each in ids if each not in self._spent), max(self._spent))

    def _fail(self, error: sqlite3.Error, lost: int) -> None:
        """Count what is lost, and find out what is left."""
        self.lost += lost
        self.trouble = f"the outbox cannot be written ({error})"
        try:
            # A disk that is full, or slow, gets better: what waits in the file is given up only with a file that is spoilt.
            if not is_damage(error):
                self._measure()
                return
        except sqlite3.Error as again:
            if not is_damage(again):
                self.rows = self._bytes = 0  # until something can be added again
                return
        self._anew()

    def _anew(self) -> None:
        """Begin with an empty file: in this one nothing can be found any more."""
        lost = self.lost + self.rows
        self._spent.clear()
        with contextlib.suppress(sqlite3.Error):
            self._database.close()
        self._remove()
        self._database = self._open()
        self.lost = max(self.lost, lost)

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.unlink(f"{self._path}{suffix}")
