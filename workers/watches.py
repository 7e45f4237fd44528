"""Watches: wake up when something changes in a folder that matters (Linux inotify), and sleep otherwise.

The descriptor sits in the worker's own poller: no thread, no periodic wake-up. Where there is no inotify, or where its
limits are reached, `complete` is false and the worker's sweep does the work, which is always right.
"""

import errno
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from inotify_simple import INotify


class Changes(Struct, frozen=True):
    """What was heard: changed paths, and whether everything has to be looked at again."""

    paths: tuple[str, ...] = ()
    everything: bool = False


class Watches:
    """inotify watches on folders. Close it when done."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.problem: str | None = None
        self._folders: dict[int, str] = {}
        self._known: dict[str, int] = {}
        self._missing: set[str] = set()
        self._inotify: INotify | None = _open(self) if enabled else None
        if not enabled:
            self.problem = "switched off"

    @property
    def fd(self) -> int | None:
        """The descriptor to poll, None where nothing is watched."""
        return None if self._inotify is None else self._inotify.fd

    @property
    def complete(self) -> bool:
        """Whether every folder that matters is watched."""
        return self._inotify is not None and self.problem is None

    def sync(self, folders: Iterable[str]) -> bool:
        """Watch exactly these folders; missing ones are passed over. Returns whether a new watch was made."""
        if self._inotify is None:
            return False
        wanted = set(folders)
        gone = [path for path in self._known if path not in wanted]
        for path in gone:
            self._forget(path)
        if gone:
            self._missing.clear()  # the folder above one of them may have been watched no more
        made = [self._watch(path) for path in sorted(wanted) if path not in self._known and path not in self._missing]
        return any(made)

    def read(self) -> Changes:
        """Return what has happened since the last call, without waiting."""
        if self._inotify is None:
            return Changes()
        from inotify_simple import flags  # noqa: PLC0415 - Linux only

        paths: dict[str, None] = {}
        everything = False
        for event in self._inotify.read(timeout=0):
            if event.mask & flags.Q_OVERFLOW:
                everything = True
                continue
            folder = self._folders.get(event.wd)
            if folder is None:
                continue
            if event.mask & flags.IGNORED:
                self._folders.pop(event.wd, None)
                self._known.pop(folder, None)
                everything = True
            elif event.mask & flags.MOVE_SELF:
                self._forget(folder)  # the watch went with the folder; another one may stand in its place
                everything = True
            elif event.mask & flags.ISDIR:
                everything = True
            elif event.name:
                paths[f"{folder}/{event.name}"] = None
        if everything:
            self._missing.clear()
        return Changes(tuple(paths), everything)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None

    def _watch(self, path: str) -> bool:
        from inotify_simple import flags  # noqa: PLC0415 - Linux only

        assert self._inotify is not None  # noqa: S101 - for the type checker: sync() returned before
        mask = (
            flags.MODIFY
            | flags.CREATE
            | flags.DELETE
            | flags.MOVED_TO
            | flags.MOVED_FROM
            | flags.ONLYDIR
            | flags.DELETE_SELF
            | flags.MOVE_SELF
        )
        try:
            descriptor = self._inotify.add_watch(path, mask)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR}:
                if os.path.dirname(path) in self._known:
                    self._missing.add(path)  # whoever makes it is heard in the folder above
                return False
            self.problem = f"inotify: {os.strerror(error.errno or 0)}"
            return False
        self._folders[descriptor] = path
        self._known[path] = descriptor
        return True

    def _forget(self, path: str) -> None:
        descriptor = self._known.pop(path)
        if self._folders.pop(descriptor, None) is not None and self._inotify is not None:
            try:
                self._inotify.rm_watch(descriptor)
            except OSError:
                return  # the folder is gone, and its watch with it


def _open(watches: Watches) -> "INotify | None":
    if not sys.platform.startswith("linux"):
        watches.problem = "no inotify on this system"
        return None
    try:
        from inotify_simple import INotify  # noqa: PLC0415 - Linux only

        return INotify(nonblocking=True)
    except (ImportError, OSError) as error:
        watches.problem = f"inotify: {type(error).__name__}"
        return None
