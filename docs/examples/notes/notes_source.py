"""A source of one's own: each text file in a folder is a session, each line a message."""

from pathlib import Path

from bellboard.protocol import Evidence
from bellboard.sources import SessionHandle, SourceUpdate, cursor_from, mark_from, read_on


class Notes:
    """Use it from the settings: `[sources.notes] factory = "notes_source:Notes"` with `home = "~/notes"` beside it."""

    name = "notes"

    def __init__(self, home):
        self.home = Path(home).expanduser()

    def discover(self):
        for path in self.home.glob("*.txt"):
            yield SessionHandle(id=path.stem, path=str(path), source="notes", modified_at=path.stat().st_mtime)

    def parse(self, handle, cursor):
        piece = read_on(handle.path, mark_from(cursor))
        if piece is None:
            return None, cursor
        update = SourceUpdate(
            session_id=handle.id,
            activity="idle",
            evidence=Evidence(kind="record"),
            message_count_delta=piece.data.count(b"\n"),
            restart=piece.replaced,
        )
        return update, cursor_from(piece.mark)


def register(registry, *, home="~/notes"):
    """Make the source known under its name; what stands beside `[sources.notes]` in the settings comes as options."""
    registry.add("notes", lambda: Notes(home))
