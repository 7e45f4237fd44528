"""Pi: the sessions of the Pi coding agent. The only file here that reads with files in hand.

One file is one session. There is no registry of living clients and no lock, so no evidence of the present moment is
looked at and nothing is called `live`.
"""

import math
from collections.abc import Sequence

from ...protocol.update import SourceUpdate
from ..contract import READ_LIMIT, Cursor, Place, Registry, SessionHandle
from ..errors import SourceUnavailable
from ..files import why_of
from ..rows import Rows
from ..tail import read_on
from ..unseen import Unseen
from .facts import update_of
from .fold import Fold
from .roots import AGENT_VARIABLE
from .rows import Row
from .shelf import NAME, Shelf
from .state import Counts, State, load, store

_ROWS = Rows(Row)


class PiSource:
    """Pi. `home` is one or several folders (`~/.pi`, or one with session files); None is where the client would look."""

    name = NAME

    def __init__(self, *, home: str | Sequence[str] | None = None) -> None:
        homes = [home] if isinstance(home, str) or home is None else list(home)
        self._shelves = [Shelf(each) for each in homes or [None]]
        self._why = why_of(home, AGENT_VARIABLE)

    def discover(self) -> list[SessionHandle]:
        """List the sessions. Raises `SourceUnavailable` if no home exists."""
        shelves = [shelf for shelf in self._shelves if shelf.roots.exist()]
        if not shelves:
            raise SourceUnavailable(tuple(shelf.roots.home for shelf in self._shelves))
        found: dict[str, SessionHandle] = {}
        for shelf in shelves:
            for handle in shelf.discover():
                found.setdefault(handle.id, handle)
        return list(found.values())

    def where(self) -> list[Place]:
        """See `Placed.where`."""
        return [Place(path=shelf.roots.home, why=self._why) for shelf in self._shelves]

    def watch(self) -> list[str]:
        """Return the folders of recently written sessions, and those in which new ones appear."""
        return [folder for shelf in self._shelves for folder in shelf.watch()]

    def touched(self, paths: Sequence[str]) -> list[SessionHandle]:
        """Return the sessions to which these files belong."""
        return [handle for shelf in self._shelves for handle in shelf.touched(paths)]

    def pulse(self) -> tuple[SessionHandle, ...]:
        """Return nothing: without a word of the client's process only files can change."""
        return ()

    def rest(self) -> float:
        """See `Resting.rest`: there is nothing that a pulse could find."""
        return math.inf

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """Read on in a session's file, see `Source.parse`. Raises OSError."""
        if handle.stamp and cursor.startswith(f"{handle.stamp}|"):
            return None, cursor
        loaded = load(cursor) if cursor else State()
        restart, state = loaded is None, loaded or State()
        try:
            piece = read_on(handle.path, state.mark, READ_LIMIT)
        except FileNotFoundError:
            return None, cursor  # moved or deleted since it was found: the next discover knows more
        if piece is None:
            return None, cursor
        if piece.replaced:
            restart, state = True, State()
        before = update_of(state, handle.id)
        counts = Counts()
        rows, bad = _ROWS.read(piece.data)
        counts.unknown += bad + len(piece.overlong)
        Fold(state, counts).read(rows)
        state.mark = piece.mark
        if state.last is None and rows:
            state.modified = piece.modified_at
        return _speak(state, handle.id, before, counts, restart=restart), store(state)


def _speak(state: State, session: str, before: SourceUpdate, counts: Counts, *, restart: bool) -> SourceUpdate | None:
    """Say what is new, if anything is."""
    if not restart and counts == Counts() and update_of(state, session) == before:
        return None
    return update_of(state, session, counts=counts, restart=restart)


def register(registry: Registry, *, home: str | Sequence[str] | None = None) -> None:
    """Make the source known. `home`: the folder of `--source pi=FOLDER`; None is where the client itself would look."""
    registry.add(NAME, lambda: Unseen(PiSource(home=home)))
