"""A source of one's own: each text file in a folder is a session, each line a message."""

from pathlib import Path

from bellboard.protocol import Evidence
from bellboard.sources import SessionHandle, SourceUpdate


class Notes:
    """Use it from the settings: `[sources.notes] factory = "notes_source:Notes"` with `home = "~/notes"` beside it."""

    name = "notes"

    def __init__(self, home):
        self.home = Path(home).expanduser()

    def discover(self):
        for path in self.home.glob("*.txt"):
            yield SessionHandle(id=path.stem, path=str(path), source="notes", modified_at=path.stat().st_mtime)

    def parse(self, handle, cursor):
        data = Path(handle.path).read_bytes()[int(cursor or 0) :]
        whole = data[: data.rfind(b"\n") + 1]
        if not whole:
            return None, cursor
        update = SourceUpdate(
            session_id=handle.id,
            activity="idle",
            evidence=Evidence(kind="record"),
            message_count_delta=whole.count(b"\n"),
        )
        return update, str(int(cursor or 0) + len(whole))
