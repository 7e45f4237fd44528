"""Spool: what agents' own hooks told us, the best evidence of all (opt-in, see `bellboard hooks`).

The hook program (`supervisor/hooks/program.py`) appends a line for each event: agent, session id, kind and time, nothing else.
Here the last word on each session is kept, and set against the session's own records: the younger of the two is right.
"""

import os
from datetime import UTC, datetime

from msgspec import Struct, structs

from ..protocol.session import Activity, Evidence, WaitingFor
from ..protocol.update import SourceUpdate
from .rows import Rows
from .tail import Mark, read_on, stamp_of

MOST_SESSIONS = 1000
"""Sessions whose last word is kept, the newest ones."""

SLACK_SECONDS = 2.0
"""A hook runs before the record of the same moment is written; a record younger than this is not yet another word."""


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


class _Meaning(Struct, frozen=True):
    activity: Activity
    waiting_for: WaitingFor | None
    detail: str


MEANINGS = {
    "permission": _Meaning("waiting", "permission", "its hook says that a permission was asked for"),
    "question": _Meaning("waiting", "question", "its hook says that a question was asked"),
    "working": _Meaning("working", None, "its hook says that the turn goes on"),
    "prompt": _Meaning("waiting", "prompt", "its hook says that the turn ended"),
    "end": _Meaning("terminal", None, "its hook says that the session was closed"),
}


def default_folder() -> str:
    """Return where the hooks write unless the settings say otherwise."""
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

    def refresh(self) -> set[str]:
        """Take in what was written since the last call; returns the sessions it speaks of. One stat if nothing was."""
        spoken: set[str] = set()
        try:
            if stamp_of(os.stat(self._path)) == self._seen:
                return spoken
            while (piece := read_on(self._path, self._mark)) is not None:
                self._mark = piece.mark
                for row in self._rows.read(piece.data)[0]:
                    if row.session and row.kind in MEANINGS:
                        self._words.pop(row.session, None)
                        self._words[row.session] = Word(row.kind, row.at)
                        spoken.add(row.session)
                if not piece.more:
                    self._seen = piece.mark.stamp
                    break
        except OSError:
            return spoken  # no hooks, or not ours to read: then there is nothing to hear
        while len(self._words) > MOST_SESSIONS:
            del self._words[next(iter(self._words))]
        return spoken

    def last(self, session: str) -> Word | None:
        """Return the last word on a session."""
        return self._words.get(session)


def heed(update: SourceUpdate, word: Word | None) -> SourceUpdate:
    """Return the update with the hook's word in place of its own state, if that is the younger one."""
    if word is None or update.activity == "terminal" or update.terminal:
        return update
    if isinstance(update.last_activity_at, datetime) and word.at + SLACK_SECONDS < update.last_activity_at.timestamp():
        return update
    meaning = MEANINGS[word.kind]
    since = datetime.fromtimestamp(word.at, UTC)
    evidence = Evidence(kind="hook", detail=meaning.detail, since=since)
    if meaning.activity == "terminal":
        return structs.replace(
            update,
            activity="terminal",
            waiting_for=None,
            evidence=evidence,
            terminal=True,
            end_reason="closed",
            ended_at=since,
        )
    return structs.replace(update, activity=meaning.activity, waiting_for=meaning.waiting_for, evidence=evidence)
