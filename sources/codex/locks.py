"""Locks: which threads a process has open at this moment.

Clients since 0.150 hold `flock` on `thread-writer-locks/<thread id>.lock` for as long as a thread is open, also when
it is idle; a clean exit removes the file, after a crash it stays and nobody holds it. Nothing is locked here: the
system's table of locks is read instead.
"""

import os

from ..files import Folders, Listing
from ..process import Processes
from .naming import locked_thread
from .state import Lock


class Locks:
    """The lock files of one home, as they were when last looked at."""

    def __init__(self, folder: str, processes: Processes) -> None:
        self.folder = folder
        self.looked = False
        self._processes = processes
        self._folders = Folders()
        self._listing: Listing | None = None
        self._inodes: dict[str, tuple[int, int]] = {}
        self._states: dict[str, Lock] = {}
        self._otherwise: Lock = "unknown"
        self._changed: set[str] = set()

    def state(self, thread: str) -> Lock:
        """Return what was seen of one thread's lock."""
        if not self.looked:
            self.look()
        return self._states.get(thread, self._otherwise)

    @property
    def any(self) -> bool:
        """Whether there is a lock file, held or not; one that comes is heard by whoever watches the folder."""
        return bool(self._inodes)

    def held(self) -> list[str]:
        """Return the threads that a process has open."""
        return [thread for thread, state in self._states.items() if state == "held"]

    def path(self, thread: str) -> str:
        """Return where a thread's lock file is or would be."""
        return f"{self.folder}/{thread}.lock"

    def look(self) -> None:
        """Look again."""
        before, self._states = self._states, self._read()
        self.looked = True
        threads = before.keys() | self._states.keys()
        self._changed |= {thread for thread in threads if before.get(thread) != self._states.get(thread)}

    def changes(self) -> set[str]:
        """Return the threads whose lock file came, went or changed hands since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def _read(self) -> dict[str, Lock]:
        try:
            listing = self._folders.list(self.folder)
        except OSError:
            self._otherwise = "unknown"  # not ours to read: then nothing is known
            return {}
        if listing is not self._listing:
            self._listing, self._inodes = listing, self._identify(listing)
        self._otherwise = "absent" if listing.files or os.path.isdir(self.folder) else "unknown"
        holders = self._processes.holders() if self._inodes else {}
        if holders is None:
            return dict.fromkeys(self._inodes, "present")
        # By inode alone, too: on some file systems (btrfs, overlays) the system's table names another device than stat
        # does, and taking a living process for a dead one would be the worse mistake.
        inodes = {inode for _, inode in holders}
        return {
            thread: "held" if identity in holders or identity[1] in inodes else "free"
            for thread, identity in self._inodes.items()
        }

    def _identify(self, listing: Listing) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for name in listing.files:
            thread = locked_thread(name)
            if thread is not None:
                try:
                    status = os.stat(f"{self.folder}/{name}")
                except OSError:
                    continue  # closed a moment ago
                found[thread] = (status.st_dev, status.st_ino)
        return found
