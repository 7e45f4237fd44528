"""Commits: whether the client has committed something, told without opening its database.

A client that is at work shares the index of its write-ahead log with all readers, in a file beside the database. The
head of that index changes with each commit, and only then; here it is only compared, never understood. The log itself
tells less: it is written several times before a commit, each time the watcher rings, and nothing rings when the commit
is done. So who was rung for waits a moment for the head to change. The counterpart is `shelf.py`, which then asks.
"""

import os
import time
import weakref

HEAD = 48
"""Bytes of the index that change with each commit (SQLite's documentation of its WAL-mode file format, 1.1)."""

PAUSES = tuple(0.0001 * 2**step for step in range(7))
"""Seconds between two looks: 13 ms in all. What takes longer is seen by the pulse."""


class Commits:
    """The commits to one database. The file stays open: closing it would take SQLite's own locks in this process away."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._index = f"{database}-shm"
        self._place: tuple[int, int] | None = None
        self._fd = -1
        self._close = weakref.finalize(self, int)

    def newest(self) -> bytes:
        """Describe the newest commit, other bytes for each; b"" while nobody shares an index."""
        try:
            place = os.stat(self._index)
            if (place.st_dev, place.st_ino) != self._place:
                self._open()
            head = os.pread(self._fd, HEAD, 0)
            return os.stat(self._database).st_ino.to_bytes(8, "big") + head if any(head) else b""
        except OSError:
            # The file is gone, or may not be read: as good as none, then the shape of the others has to do.
            self._close()
            self._place = None
            return b""

    def after(self, known: bytes) -> bytes:
        """Wait a moment for a commit after that one; returns the newest."""
        newest = self.newest()
        for pause in PAUSES:
            if newest != known or not newest:
                break
            time.sleep(pause)
            newest = self.newest()
        return newest

    def _open(self) -> None:
        self._close()
        self._place = None
        self._fd = os.open(self._index, os.O_RDONLY | os.O_CLOEXEC)
        self._close = weakref.finalize(self, os.close, self._fd)
        opened = os.fstat(self._fd)
        self._place = (opened.st_dev, opened.st_ino)
