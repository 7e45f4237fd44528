"""Home: one data folder of the client, with the databases of its release channels and the tree that came before them.

A session is in one place: the newer store wins, because a client that moved the old tree over leaves it behind. The
counterparts are `shelf.py` and `tree.py`, which know one store each.
"""

import os
from collections.abc import Mapping, Sequence

from ..contract import SessionHandle
from ..errors import SourceError
from ..files import Folders, home_of
from .database import Database
from .shelf import Shelf
from .tree import Tree

MAIN = "opencode.db"
PREFIX, SUFFIX = "opencode-", ".db"

DATABASE_VARIABLE = "OPENCODE_DB"
DATA_VARIABLE = "XDG_DATA_HOME"


def default_home() -> str:
    """Return where the client keeps its data."""
    return os.path.join(os.environ.get(DATA_VARIABLE) or "~/.local/share", "opencode")


class Home:
    """One data folder. Without one named, the client's own environment decides, also on the name of the database."""

    def __init__(self, option: str | None) -> None:
        self.root = home_of(option, None, default_home())
        chosen = os.environ.get(DATABASE_VARIABLE) if option is None else None
        # A database in memory is nobody else's to read.
        named = chosen is not None and chosen not in {"", ":memory:"}
        self._named = os.path.join(self.root, os.path.expanduser(chosen or "")) if named else None
        self._folders = Folders()
        self._shelves: dict[str, Shelf] = {}
        self.tree = Tree(f"{self.root}/storage")

    def exist(self) -> bool:
        """Whether the client has ever been here."""
        return os.path.isdir(self.root) or (self._named is not None and os.path.isfile(self._named))

    def looked(self) -> list[str]:
        """Return the paths whose appearance would change that."""
        return [self.root, *([self._named] if self._named is not None else [])]

    def discover(self) -> list[SessionHandle]:
        """Return the handles of all sessions.

        Raises OSError if the folder is there and cannot be read, and SourceError if one of the stores cannot be.
        """
        problem: SourceError | None = None
        for shelf in self._all():
            try:
                shelf.look()
            except SourceError as error:
                problem = error
        self.tree.discover()
        if problem is not None:
            raise problem
        return self._handles()

    def touched(self, paths: Sequence[str]) -> list[SessionHandle]:
        """Return the handles of the sessions that these changed paths concern. Raises SourceError."""
        changed: dict[str, SessionHandle] = {}
        for shelf in self._all():
            path = shelf.database.path
            if path in paths or f"{path}-wal" in paths:
                changed.update({handle.id: handle for handle in shelf.listen()})
        for handle in self.tree.touched(paths):
            changed.setdefault(handle.id, handle)
        return self._owned(changed)

    def pulse(self) -> list[SessionHandle]:
        """Return the handles of the sessions that changed and were not found when that was told. Raises SourceError."""
        return self._owned({handle.id: handle for shelf in self._shelves.values() for handle in shelf.pulse()})

    def database(self, path: str) -> Database | None:
        """Return the database at that path, if it is one of this home's."""
        shelf = self._shelves.get(path)
        return shelf.database if shelf is not None else None

    def watch(self) -> list[str]:
        """Return the folders worth watching: they may not exist yet."""
        folders = {self.root: None} | {os.path.dirname(path): None for path in self._shelves}
        return [*folders, *self.tree.watch()]

    def _all(self) -> list[Shelf]:
        """Return the shelves, the main database first."""
        found: dict[str, Shelf] = {}
        for path in [self._named] if self._named is not None else self._databases():
            found[path] = self._shelves.get(path) or Shelf(path)
        self._shelves = found
        return list(found.values())

    def _databases(self) -> list[str]:
        names = self._folders.list(self.root).files
        channels = [name for name in names if name.startswith(PREFIX) and name.endswith(SUFFIX)]
        return [f"{self.root}/{name}" for name in ([MAIN] if MAIN in names else []) + channels]

    def _owned(self, changed: Mapping[str, SessionHandle]) -> list[SessionHandle]:
        """Leave out the sessions that are in a better place, too."""
        places = [*(shelf.handles for shelf in self._shelves.values()), self.tree.handles]
        return [
            handle
            for name, handle in changed.items()
            if next((place[name] for place in places if name in place), None) is handle
        ]

    def _handles(self) -> list[SessionHandle]:
        found: dict[str, SessionHandle] = {}
        for handles in (*(shelf.handles for shelf in self._shelves.values()), self.tree.handles):
            for name, handle in handles.items():
                found.setdefault(name, handle)
        return list(found.values())
