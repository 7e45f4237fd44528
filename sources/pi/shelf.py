"""Shelf: the session files below the roots, in handles.

Files are found by their names; only one whose name does not tell the session's id is looked into, once. The counterpart
is `roots.py`, which says where to look.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest

from ..contract import SessionHandle
from ..files import Folders, look
from ..tail import stamp_of
from .naming import SUFFIX, born_of, id_at, id_in
from .roots import Root, Roots

NAME = "pi"

RECENT_FOLDERS = 32
"""Folders of projects that are watched because of what was last written in them."""


class Shelf:
    """The session files of one home."""

    def __init__(self, home: str | None) -> None:
        self.roots = Roots(home)
        self._folders = Folders()
        self._ids: dict[str, tuple[str, str | None]] = {}
        self._handles: dict[str, SessionHandle] = {}

    def discover(self) -> list[SessionHandle]:
        """Return one handle for each session. Raises OSError if a root is there and cannot be read."""
        handles: dict[str, SessionHandle] = {}
        ids: dict[str, tuple[str, str | None]] = {}
        for folder, names in self._all():
            for name in names:
                path = f"{folder}/{name}"
                handle = self._handle(path, name)
                if handle is not None:
                    handles[path] = handle
                if path in self._ids:
                    ids[path] = self._ids[path]
        self._handles, self._ids = handles, ids
        return _newest(handles.values())

    def touched(self, paths: Sequence[str]) -> list[SessionHandle]:
        """Return the handles of the sessions to which changed files and folders belong."""
        found: set[str] = set()
        for path in dict.fromkeys(path.rstrip("/") for path in paths):
            folder, _, name = path.rpartition("/")
            if name.endswith(SUFFIX) and self._is_place(folder):
                inside = [(path, name)]
            elif self._is_place(path):
                inside = [(f"{path}/{each}", each) for each in self._names(path)]
            else:
                continue
            for file, each in inside:
                handle = self._handle(file, each)
                if handle is None:
                    self._handles.pop(file, None)
                else:
                    self._handles[file] = handle
                    found.add(handle.id)
        return _newest(handle for handle in self._handles.values() if handle.id in found) if found else []

    def watch(self) -> list[str]:
        """Return the folders worth watching: they may not exist yet.

        Those of projects without a session are among them: the client makes the folder when it starts, and the file only
        with the first answer.
        """
        recent = nlargest(RECENT_FOLDERS * 4, self._handles.values(), key=lambda handle: handle.modified_at or 0)
        folders = list(dict.fromkeys(os.path.dirname(handle.path) for handle in recent))[:RECENT_FOLDERS]
        agents = [os.path.dirname(path) for path in self.roots.settings]
        young = nlargest(RECENT_FOLDERS, self._projects(), key=lambda project: project[0])
        return list(
            dict.fromkeys([
                *agents, *(root.path for root in self.roots.list()), *folders, *(folder for _, folder in young)
            ])
        )  # fmt: skip

    def _projects(self) -> Iterator[tuple[float, str]]:
        """Yield the folders of projects, and when something last came into each or went."""
        for root in self.roots.list():
            try:
                names = self._folders.list(root.path).folders
            except OSError:
                continue  # discover says so
            for name in names:
                folder = f"{root.path}/{name}"
                if name.startswith(root.inner):
                    try:
                        yield os.stat(folder).st_mtime, folder
                    except OSError:
                        continue  # it has just gone

    def _all(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each folder with the names of the files in it that may be sessions'."""
        for root in self.roots.list():
            listing = self._folders.list(root.path)
            yield root.path, [name for name in listing.files if name.endswith(SUFFIX)]
            for inner in listing.folders:
                if inner.startswith(root.inner):
                    yield f"{root.path}/{inner}", self._names(f"{root.path}/{inner}")

    def _names(self, folder: str) -> list[str]:
        try:
            return [name for name in self._folders.list(folder).files if name.endswith(SUFFIX)]
        except OSError:
            return []  # one project that cannot be read must not hide the others

    def _is_place(self, folder: str) -> bool:
        parent, _, name = folder.rpartition("/")
        return any(root.path == folder or _holds(root, parent, name) for root in self.roots.list())

    def _handle(self, path: str, name: str) -> SessionHandle | None:
        status = look(path)
        if status is None:
            return None
        stamp = stamp_of(status)
        known = self._handles.get(path)
        if known is not None and known.stamp == stamp:
            return known
        session = id_in(name) or self._peek(path, status)
        if session is None:
            return None
        return SessionHandle(
            id=session,
            path=path,
            source=NAME,
            started_at=born_of(name),
            modified_at=status.st_mtime,
            stamp=stamp,
        )

    def _peek(self, path: str, status: os.stat_result) -> str | None:
        """Return the id in a file: looked for once in each inode, and again as long as none was found."""
        inode, stamp = f"{status.st_dev}.{status.st_ino}", stamp_of(status)
        key, session = self._ids.get(path, ("", None))
        if key == (inode if session else stamp):
            return session
        try:
            session = id_at(path)
        except OSError:
            return None
        self._ids[path] = (inode if session else stamp, session)
        return session


def _newest(handles: Iterable[SessionHandle]) -> list[SessionHandle]:
    """Return one handle for each id: a copied file has the id of its original, and the one last written in is meant."""
    best: dict[str, SessionHandle] = {}
    for handle in handles:
        other = best.get(handle.id)
        if other is None or (handle.modified_at or 0, handle.path) > (other.modified_at or 0, other.path):
            best[handle.id] = handle
    return list(best.values())


def _holds(root: Root, parent: str, name: str) -> bool:
    return root.path == parent and name.startswith(root.inner)
