"""OpenCode: its sessions, from whichever store they lie in.

Everything here looks at the disk; what it means is decided in `fold.py` and `facts.py`, which do not. There is no
registry of living clients, so no evidence of the present moment is looked at and nothing is called `live`.
"""

from collections.abc import Sequence

from ...protocol.update import SourceUpdate
from ..contract import Cursor, Place, Registry, SessionHandle
from ..errors import SourceUnavailable
from ..files import why_of
from ..hearing import Hearing
from ..spool import Spool
from ..unseen import Unseen
from .database import Database
from .facts import Latest, digest, update_of
from .fold import LATEST, fold, unread
from .home import DATA_VARIABLE, Home
from .reading import Reading
from .state import WINDOW, Counts, Kind, State, load, store
from .tree import NAME, SUFFIX, Tree, TreeReading

PAGE = WINDOW + 48
"""Messages that one call reads at most, those of the window among them."""


class OpenCodeSource:
    """OpenCode. `home` is one or several data folders; None is where the client itself would look."""

    name = NAME

    def __init__(self, *, home: str | Sequence[str] | None = None) -> None:
        homes = [home] if isinstance(home, str) or home is None else list(home)
        self._homes = [Home(each) for each in homes or [None]]
        self._why = why_of(home, DATA_VARIABLE)

    def discover(self) -> list[SessionHandle]:
        """List the sessions. Raises `SourceUnavailable` if no home exists, OSError or SourceError if one cannot be read."""
        homes = [home for home in self._homes if home.exist()]
        if not homes:
            raise SourceUnavailable(tuple(path for home in self._homes for path in home.looked()))
        found: dict[str, SessionHandle] = {}
        for home in homes:
            for handle in home.discover():
                found.setdefault(handle.id, handle)
        return list(found.values())

    def where(self) -> list[Place]:
        """See `Placed.where`."""
        return [Place(path=home.root, why=self._why) for home in self._homes]

    def watch(self) -> list[str]:
        """Return the folders of the databases, and those of recent sessions in the older store."""
        return [folder for home in self._homes for folder in home.watch()]

    def touched(self, paths: Sequence[str]) -> list[SessionHandle]:
        """Return the sessions that changed together with these files. Raises SourceError."""
        return [handle for home in self._homes if home.exist() for handle in home.touched(paths)]

    def pulse(self) -> list[SessionHandle]:
        """Return the sessions whose change was told of before it could be seen. Raises SourceError."""
        return [handle for home in self._homes for handle in home.pulse()]

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """Read on in one session, see `Source.parse`. Raises OSError, and SourceError if its store cannot be read now."""
        if handle.stamp and cursor.startswith(f"{handle.stamp}|"):
            return None, cursor
        if handle.path.endswith(SUFFIX):
            return self._parse_tree(handle, cursor)
        known = (home.database(handle.path) for home in self._homes)
        database = next((each for each in known if each is not None), None) or Database(handle.path)
        if not database.shape():
            return None, cursor  # deleted since it was found
        with database.reading(handle.id) as reading:
            return _read_on(reading, cursor, "database")

    def _parse_tree(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        root = handle.path.rpartition("/session/")[0]
        tree = next((home.tree for home in self._homes if home.tree.root == root), None) or Tree(root)
        try:
            reading = tree.reading(handle.id, handle.path)
        except FileNotFoundError:
            return None, cursor  # deleted since it was found
        return _read_on(reading, cursor, "tree")


def _read_on(reading: Reading | TreeReading | None, cursor: Cursor, kind: Kind) -> tuple[SourceUpdate | None, Cursor]:
    if reading is None or cursor.startswith(f"{reading.stamp}|"):
        return None, cursor
    session = reading.session
    state = load(cursor) if cursor else State(kind=kind, born=session.created)
    restart = state is None or (state.kind, state.born) != (kind, session.created)
    if state is None or restart:
        # Another session under the same id, or the same one in another store, where messages have other places.
        state = State(kind=kind, born=session.created)
    page = reading.page(state.floor, PAGE)
    newest = page[-LATEST:] if LATEST <= len(page) < PAGE else reading.latest()
    parts = reading.parts(dict.fromkeys([*unread(state, page), *(message.id for message in newest)]))
    counts = fold(state, page, parts)
    update = update_of(session, Latest(newest, parts), state, counts, restart=restart)
    said, state.said = state.said, digest(update)
    stamp = "" if len(page) == PAGE else reading.stamp
    is_news = restart or said != state.said or counts != Counts()
    return (update if is_news else None), store(stamp, state)


def register(registry: Registry, *, home: str | Sequence[str] | None = None) -> None:
    """Make the source known. `home`: the folder of `--source opencode=FOLDER`; None is where the client would look."""
    registry.add(NAME, lambda: Unseen(Hearing(OpenCodeSource(home=home), Spool(NAME))))
