"""Openers: which process has a thread's file open, for clients that hold no locks (before 0.150).

A client keeps the file open from the first turn on (0.142.5 as well as 0.169), so its end is the end of the process that
was seen with the file: a process that was never seen proves nothing. Not being seen may mean another machine or container.
The counterpart is `locks.py`, which knows the same of newer clients at less expense.
"""

import contextlib
import os
import time
from typing import NamedTuple

import psutil

from ..process import Processes

NAME = "codex"
"""What the name of the client's process begins with."""

FRESH_SECONDS = 0.2
"""For so long what was found serves all threads."""

YOUNG_SECONDS = 1.0
"""A process younger than this may still become the client: between fork and exec it bears its parent's name."""

FORGET_SECONDS = 60.0
"""After so long every process is looked at again, because pids are used again."""


class Opener(NamedTuple):
    """One process: its pid and, because pids are used again, when it began in the system's own words."""

    pid: int
    start: str


class Openers:
    """The client's processes and the files that they have open, looked for when a thread has moved."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._looked = float("-inf")
        self._files: dict[str, Opener] = {}
        self._strangers: set[int] = set()
        self._met = float("-inf")

    def of(self, path: str) -> Opener | None:
        """Return the living process that has a file open."""
        if time.monotonic() - self._looked > FRESH_SECONDS:
            self._files = dict(self._look())
            self._looked = time.monotonic()
        return self._files.get(os.path.realpath(path)) if self._files else None

    def lives(self, opener: Opener) -> bool:
        """Whether a process that was found is still there."""
        return self._processes.start_of(opener.pid) == opener.start

    def _look(self) -> list[tuple[str, Opener]]:
        """Look at the client's processes, and at those that are new: there are hundreds of others on a machine."""
        if time.monotonic() - self._met > FORGET_SECONDS:
            self._strangers, self._met = set(), time.monotonic()
        there = set(psutil.pids())
        self._strangers &= there
        found: list[tuple[str, Opener]] = []
        for pid in there - self._strangers:
            with contextlib.suppress(psutil.Error, OSError):
                process = psutil.Process(pid)
                if not process.name().startswith(NAME):
                    if time.time() - process.create_time() > YOUNG_SECONDS:
                        self._strangers.add(pid)
                    continue
                start = self._processes.start_of(process.pid)
                if start is not None:
                    opener = Opener(process.pid, start)
                    found += [(file.path, opener) for file in process.open_files()]
        return found
