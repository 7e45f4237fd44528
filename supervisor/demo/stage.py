"""Stage: the folders in which the demo plays, and the hands that perform what the actors write.

Everything is below one temporary home; nothing of the user's is read or written. Each actor has a process that stands for
its client, because clients are known to live by their process: it waits for the end of a pipe that only we hold open.
"""

import fcntl
import heapq
import os
import sqlite3
import subprocess
from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any

import psutil

from .acts import Act, Actor, Put
from .cast import HOMES
from .marks import Marks, Process
from .tally import Tally


class StandIns:
    """The processes that stand for the clients."""

    def __init__(self, count: int) -> None:
        self._running = [
            subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S607 - wherever it is
            for _ in range(count)
        ]

    def processes(self) -> list[Process]:
        """Return them as their clients would describe themselves."""
        return [
            Process(each.pid, _born(each.pid), int(psutil.Process(each.pid).create_time() * 1000))
            for each in self._running
        ]

    def close(self) -> None:
        """End them."""
        for each in self._running:
            if each.stdin is not None:
                each.stdin.close()
            each.wait()


class Stage:
    """Performs acts when they are due, and adds up what they say."""

    def __init__(self, home: str, actors: Sequence[Actor], processes: Sequence[Process], clock: float) -> None:
        self.tally = Tally()
        self._home = home
        self._scripts = [actor.acts() for actor in actors]
        self._marks = [Marks(process) for process in processes]
        self._due: list[tuple[float, int, Act]] = []
        self._stores: dict[str, sqlite3.Connection] = {}
        self._locks: list[IO[str]] = []
        for source in HOMES.values():
            os.makedirs(os.path.join(home, source), exist_ok=True)
        for number in range(len(self._scripts)):
            self._next(number, clock)

    def play(self, clock: float, moment: datetime) -> None:
        """Perform what is due (`clock`: seconds of any beginning; `moment` is what the actors take for the time)."""
        while self._due and self._due[0][0] <= clock:
            at, number, act = heapq.heappop(self._due)
            self.tally.add(act.said)
            self._perform(act, self._marks[number], moment)
            # From when it was due, unless the machine was too slow for that.
            self._next(number, max(at, clock - 1.0))

    def due(self) -> float:
        """When the next act is due."""
        return self._due[0][0]

    def close(self) -> None:
        """Close what the clients keep open."""
        for store in self._stores.values():
            store.close()
        for file in self._locks:
            file.close()

    def _next(self, number: int, clock: float) -> None:
        act = next(self._scripts[number], None)
        if act is not None:
            heapq.heappush(self._due, (clock + act.pause, number, act))

    def _perform(self, act: Act, marks: Marks, moment: datetime) -> None:
        if not act.path:
            return
        path = os.path.join(self._home, marks.fill(act.path, moment))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if act.how == "rows":
            self._store(path, act, marks, moment)
        elif act.how == "lock":
            file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - held until the client ends
            fcntl.flock(file, fcntl.LOCK_EX)
            self._locks.append(file)
        else:
            with open(path, "a" if act.how == "append" else "w", encoding="utf-8") as file:
                file.write(marks.fill(act.text, moment))

    def _store(self, path: str, act: Act, marks: Marks, moment: datetime) -> None:
        """Write rows into a database as the client does: in one transaction, into its write-ahead log."""
        store = self._stores.get(path)
        if store is None:
            store = self._stores[path] = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            store.execute("PRAGMA journal_mode = WAL")
            store.execute("PRAGMA synchronous = NORMAL")
        if act.text:
            store.executescript(act.text)
        store.execute("BEGIN IMMEDIATE")
        for put in act.rows:
            _put(store, put, {name: _value(value, marks, moment) for name, value in put.row.items()})
        store.execute("COMMIT")


def _put(store: sqlite3.Connection, put: Put, row: dict[str, Any]) -> None:
    changed = ", ".join(f"{name} = :{name}" for name in row if name not in {"id", "time_created"})
    done = store.execute(f"UPDATE {put.table} SET {changed} WHERE id = :id", row)  # noqa: S608 - our own actors' words
    if done.rowcount == 0:
        names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        store.execute(f"INSERT INTO {put.table} ({names}) VALUES ({places})", row)  # noqa: S608 - as above


def _value(value: object, marks: Marks, moment: datetime) -> object:
    """Fill a column: one that is nothing but a mark becomes a number."""
    if not isinstance(value, str) or "{" not in value:
        return value
    filled = marks.fill(value, moment)
    return int(filled) if filled.isdigit() else filled


def _born(pid: int) -> str:
    """Return a process's start as Claude Code writes it, so that the simulated registry names a living process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        return ""
