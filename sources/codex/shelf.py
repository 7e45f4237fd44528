"""Shelf: which files belong to which thread, found by their names alone.

A thread has one file, a further one for each rewind, and any of them may lie in the archive, be compressed, or exist
twice for a moment while the client moves it. The counterpart is `naming.py`, which reads one name.
"""

import os
from collections.abc import Iterator

from ..files import Folders, Listing
from .naming import Rollout, rollout_of

DEPTH = 3
"""Folders of a date: year, month, day. Before 2025-06 files lay directly in `sessions`."""


class Shelf:
    """The rollouts below one home, as they were when last looked for."""

    def __init__(self, home: str) -> None:
        self.sessions = f"{home}/sessions"
        self.archive = f"{home}/archived_sessions"
        self._folders = Folders()
        self._read: dict[str, tuple[Listing, tuple[Rollout, ...]]] = {}
        self._threads: dict[str, list[Rollout]] = {}

    def look(self) -> None:
        """Look for all files. Raises OSError if a top folder is there and cannot be read."""
        threads: dict[str, list[Rollout]] = {}
        for rollout in self._all():
            found = threads.get(rollout.thread)
            if found is None:
                threads[rollout.thread] = [rollout]
            else:
                found.append(rollout)
        self._threads = threads

    def threads(self) -> list[str]:
        """Return the ids of all threads."""
        return list(self._threads)

    def rollouts(self, thread: str) -> list[Rollout]:
        """Return the files of one thread, oldest first: of each the one that its client would read."""
        found = self._threads.get(thread, [])
        if len(found) < 2:
            return found
        # A plain file wins over a compressed one (the client removes that), a live folder over the archive.
        best: dict[str, Rollout] = {}
        for rollout in sorted(found, key=lambda each: (each.key, each.cold, each.archived, each.path)):
            best.setdefault(rollout.key, rollout)
        return list(best.values())

    def touch(self, path: str) -> Rollout | None:
        """Take note of a file that came, changed or went; None if it is no rollout of this home."""
        folder, _, name = path.rpartition("/")
        archived = folder == self.archive
        if not archived and folder != self.sessions and not folder.startswith(f"{self.sessions}/"):
            return None
        rollout = rollout_of(folder, name, archived=archived)
        if rollout is None:
            return None
        others = [each for each in self._threads.get(rollout.thread, []) if each.path != path]
        if os.path.isfile(path):
            others.append(rollout)
        if others:
            self._threads[rollout.thread] = others
        else:
            self._threads.pop(rollout.thread, None)
        return rollout

    def below(self, folder: str) -> list[Rollout]:
        """Return the rollouts in a folder of this home and in those below it, taking note of each."""
        inside = (self.sessions, self.archive)
        if folder not in inside and not folder.startswith(f"{self.sessions}/"):
            return []
        try:
            found = list(self._in(folder, DEPTH, archived=folder == self.archive))
        except OSError:
            return []
        for rollout in found:
            self.touch(rollout.path)
        return found

    def newest(self) -> list[str]:
        """Return the folder of the newest date, where the next file will most likely appear."""
        dates = [folder for folder in self._read if folder.startswith(f"{self.sessions}/")]
        return [max(dates)] if dates else []

    def _all(self) -> Iterator[Rollout]:
        self._folders.list(self.sessions)
        self._folders.list(self.archive)
        yield from self._in(self.sessions, DEPTH, archived=False)
        yield from self._in(self.archive, 0, archived=True)

    def _in(self, folder: str, depth: int, *, archived: bool) -> Iterator[Rollout]:
        try:
            listing = self._folders.list(folder)
        except OSError:
            return  # one date that cannot be read must not hide the others
        known = self._read.get(folder)
        if known is None or known[0] is not listing:
            names = (rollout_of(folder, name, archived=archived) for name in listing.files)
            known = (listing, tuple(rollout for rollout in names if rollout is not None))
            self._read[folder] = known
        yield from known[1]
        if depth:
            for name in listing.folders:
                yield from self._in(f"{folder}/{name}", depth - 1, archived=archived)
