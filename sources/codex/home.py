"""Home: one `CODEX_HOME` as it looks at this moment, in handles.

Three things are looked at, each once and not once per thread: the files (`shelf.py`), the locks (`locks.py`) and the
display names (`names.py`). A handle's stamp describes all three as far as they touch its thread.
"""

import os
from collections.abc import Iterable, Sequence
from heapq import nlargest

from ..contract import SessionHandle
from ..files import look
from ..process import Processes
from ..tail import stamp_of
from .cold import Cold
from .locks import Locks
from .names import Names
from .naming import Rollout, born_of, locked_thread
from .reading import unread_stamp
from .shelf import Shelf
from .state import Lock, compose

RECENT_FOLDERS = 16
"""Folders of dates that are watched because of what was last written in them."""

_Seen = tuple[Lock, str | None, list[tuple[str, int, int, int]]]


class Home:
    """One home and the handles of its threads."""

    def __init__(self, root: str, processes: Processes, cold: Cold) -> None:
        self.root = root
        self.locks = Locks(f"{root}/thread-writer-locks", processes)
        self.names = Names(f"{root}/session_index.jsonl")
        self._shelf = Shelf(root)
        self._cold = cold
        self._handles: dict[str, tuple[_Seen, SessionHandle]] = {}
        self._looked = False

    def look(self) -> None:
        """Look anew for files, locks and names. Raises OSError if a top folder is there and cannot be read."""
        self._shelf.look()
        self.locks.look()
        self.names.look()
        self._looked = True

    def discover(self) -> list[SessionHandle]:
        """Return the handles of all threads, and of those that a process has open and that have no file yet."""
        self.look()
        threads = self._shelf.threads()
        # Open threads without a file, and once more those that were and have been closed since.
        open_before = (thread for thread, (_, handle) in self._handles.items() if handle.live)
        alone = [thread for thread in {*self.locks.held(), *open_before} if not self._shelf.rollouts(thread)]
        handles = self._handles_of([*threads, *sorted(alone)])
        if len(self._handles) > len(handles):
            here = {handle.id for handle in handles}
            self._handles = {thread: kept for thread, kept in self._handles.items() if thread in here}
        return handles

    def rollouts(self, handle: SessionHandle) -> list[Rollout]:
        """Return the files of a handle's thread; looks anew unless the handle is the newest that was given out."""
        known = self._handles.get(handle.id)
        if known is None or not handle.stamp or known[1].stamp != handle.stamp:
            self.look()
        return self._shelf.rollouts(handle.id)

    def touched(self, paths: Sequence[str]) -> list[SessionHandle]:
        """Return the handles of the threads that these changed paths concern."""
        if not self._looked:
            self.look()
        # The client's databases lie in the same folder and change all the time.
        tops = (self._shelf.sessions, self._shelf.archive, self.locks.folder, self.names.path)
        ours = [path.rstrip("/") for path in paths if path.startswith(tops)]
        if not ours:
            return []
        self.locks.look()
        threads = dict.fromkeys(self.locks.changes())
        for path in ours:
            if path == self.names.path:
                self.names.look()
                threads.update(dict.fromkeys(self.names.changes()))
            elif path.startswith(f"{self.locks.folder}/"):
                threads[locked_thread(os.path.basename(path)) or ""] = None
            elif (rollout := self._shelf.touch(path)) is not None:
                threads[rollout.thread] = None
            else:
                threads.update((rollout.thread, None) for rollout in self._shelf.below(path))
        return self._handles_of(threads)

    def pulse(self) -> list[SessionHandle]:
        """Return the handles of the threads whose lock changed."""
        if not self._looked:
            return []
        self.locks.look()
        return self._handles_of(self.locks.changes())

    def watch(self) -> list[str]:
        """Return the folders worth watching: they may not exist yet."""
        shelf = self._shelf
        handles = [handle for _, handle in self._handles.values()]
        recent = nlargest(RECENT_FOLDERS * 4, handles, key=lambda handle: handle.modified_at or 0)
        folders = list(dict.fromkeys(os.path.dirname(handle.path) for handle in recent))[:RECENT_FOLDERS]
        folders += [os.path.dirname(handle.path) for handle in handles if handle.live]
        folders += shelf.newest()
        watched = [self.root, shelf.sessions, shelf.archive, self.locks.folder]
        for folder in dict.fromkeys(folders):
            inner = folder
            while inner.startswith(f"{shelf.sessions}/"):
                watched.append(inner)
                inner = os.path.dirname(inner)
        return list(dict.fromkeys(watched))

    def _handles_of(self, threads: Iterable[str]) -> list[SessionHandle]:
        return [handle for thread in threads if (handle := self._handle(thread)) is not None]

    def _handle(self, thread: str) -> SessionHandle | None:
        files: list[tuple[Rollout, os.stat_result]] = []
        shape: list[tuple[str, int, int, int]] = []
        for rollout in self._shelf.rollouts(thread):
            status = look(rollout.path)
            if status is not None:
                files.append((rollout, status))
                shape.append((rollout.path, status.st_mtime_ns, status.st_size, status.st_ino))
        lock, name = self.locks.state(thread), self.names.name(thread)
        known = self._handles.get(thread)
        if not files and lock != "held" and known is None:
            return None
        seen = (lock, name, shape)
        if known is not None and known[0] == seen:
            return known[1]
        handle = SessionHandle(
            id=thread,
            path=files[-1][0].path if files else self.locks.path(thread),
            source="codex",
            started_at=files[0][0].born if files else born_of(thread),
            modified_at=max((status.st_mtime for _, status in files), default=None),
            live=lock == "held",
            stamp=compose([self._stamp(rollout, status) for rollout, status in files], lock, name),
        )
        self._handles[thread] = (seen, handle)
        return handle

    def _stamp(self, rollout: Rollout, status: os.stat_result) -> str:
        return unread_stamp(status) if rollout.cold and not self._cold.available else stamp_of(status)
