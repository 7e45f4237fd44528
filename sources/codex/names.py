"""Names: the display names of threads, from the append-only `session_index.jsonl`; the last line of an id wins.

The interactive client writes them (a title it made, or one that a person gave); `codex exec` does not.
"""

from msgspec import Struct

from ..rows import Rows
from ..tail import Mark, read_on
from ..text import TITLE_LIMIT, tidy


class _Line(Struct, gc=False):
    id: str | None = None
    thread_name: str | None = None


class Names:
    """The names in one home, as they were when last looked at."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.looked = False
        self._rows = Rows(_Line)
        self._mark = Mark()
        self._names: dict[str, str] = {}
        self._changed: set[str] = set()

    def name(self, thread: str) -> str | None:
        """Return the name of a thread, or None if it has none."""
        if not self.looked:
            self.look()
        return self._names.get(thread)

    def look(self) -> None:
        """Look again."""
        self.looked = True
        try:
            while (piece := read_on(self.path, self._mark)) is not None:
                if piece.replaced:
                    self._changed |= self._names.keys()
                    self._names = {}
                self._take(piece.data)
                still, self._mark = piece.mark == self._mark, piece.mark
                if still or not piece.more:
                    break
        except OSError:
            pass  # a title is decoration: without this file the first prompt gives it

    def changes(self) -> set[str]:
        """Return the threads whose name may have changed since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def _take(self, data: bytes) -> None:
        rows, _ = self._rows.read(data)
        for row in rows:
            name = tidy(row.thread_name, TITLE_LIMIT)
            if row.id and name:
                self._names[row.id] = name
                self._changed.add(row.id)
