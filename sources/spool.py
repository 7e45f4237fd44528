"""Spool: what agents' own hooks told us (opt-in, see `bellboard hooks`).

The hook program (`supervisor/hooks/program.py`) appends a line for each event: agent, session id, kind and time, and
nothing else. Here the last word on each session is kept; what it means is decided in `hearing.py`.
"""

import os

from msgspec import Struct

from .rows import Rows
from .tail import Mark, read_on, stamp_of

MOST_SESSIONS = 1000
"""Sessions whose last word is kept, the newest ones."""

MOST_BYTES = 1024 * 1024
"""Of a spool that was set aside; the hook program sets it aside at a quarter of that."""

KINDS = frozenset(("permission", "question", "plan", "working", "prompt", "end"))
"""What a hook may say."""


class Word(Struct, frozen=True):
    """What a hook said last about a session, and when (epoch seconds)."""

    kind: str
    at: float

    @property
    def digest(self) -> str:
        """Short text that differs for different words: part of a source's stamp."""
        return f"{self.kind[:3]}{self.at:.3f}"


class _Line(Struct, gc=False):
    session: str = ""
    kind: str = ""
    at: float = 0.0


def default_folder() -> str:
    """Return where the hooks write unless the settings say otherwise."""
    if given := os.environ.get("BELLBOARD_SPOOL"):
        return given
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(os.environ.get("BELLBOARD_STATE_DIR") or os.path.join(base, "bellboard"), "spool")


class Spool:
    """The last word on each session of one agent. A missing spool is an agent without hooks."""

    def __init__(self, agent: str, folder: str | None = None) -> None:
        self.folder = folder or default_folder()
        self._path = os.path.join(self.folder, agent + ".jsonl")
        self._rows = Rows(_Line)
        self._mark = Mark()
        self._seen = ""
        self._words: dict[str, Word] = {}

    @property
    def there(self) -> bool:
        """Whether its folder is: then it can be watched."""
        return os.path.isdir(self.folder)

    def refresh(self) -> set[str]:
        """Take in what was written since the last call; returns the sessions it speaks of. One stat if nothing was."""
        spoken: set[str] = set()
        try:
            if stamp_of(os.stat(self._path)) == self._seen:
                return spoken
            while (piece := read_on(self._path, self._mark)) is not None:
                if piece.replaced or self._mark.offset == 0:
                    # Begun anew because it had grown too large: the last words before that stand in the old one.
                    self._take(self._old(), spoken)
                self._mark = piece.mark
                self._take(piece.data, spoken)
                if not piece.more:
                    self._seen = piece.mark.stamp
                    break
        except OSError:
            return spoken  # no hooks, or not ours to read: then there is nothing to hear
        while len(self._words) > MOST_SESSIONS:
            del self._words[next(iter(self._words))]
        return spoken

    def _old(self) -> bytes:
        try:
            with open(self._path + ".old", "rb") as file:
                return file.read(MOST_BYTES)
        except FileNotFoundError:
            return b""

    def _take(self, data: bytes, spoken: set[str]) -> None:
        for row in self._rows.read(data)[0]:
            known = self._words.get(row.session)
            if row.session and row.kind in KINDS and (known is None or known.at <= row.at):
                self._words.pop(row.session, None)
                self._words[row.session] = Word(row.kind, row.at)
                spoken.add(row.session)

    def last(self, session: str) -> Word | None:
        """Return the last word on a session."""
        return self._words.get(session)
