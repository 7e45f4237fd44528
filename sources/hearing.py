"""Hearing: a source that also hears what its agent's hooks say.

It wraps a source whose agent has hooks. The younger word is right: a hook's against the session's own records and its
client's registry. What the hooks say reaches the board like anything else, as an update with a new cursor, though no byte
of the artifact moved. The counterpart is `spool.py`, which reads what the hooks wrote.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, structs

from ..protocol.session import Activity, Evidence, WaitingFor
from ..protocol.update import SourceUpdate
from .contract import Cursor, SessionHandle, Source, Watching
from .spool import Spool, Word

SLACK_SECONDS = 2.0
"""A hook runs before the record of the same moment is written: a record that is only this much younger says the same."""

PRESENT = frozenset(("registry", "lock", "process"))
"""Evidence whose time is exact: it needs no slack."""


class Meaning(Struct, frozen=True):
    """What a hook's word says about a session."""

    activity: Activity
    waiting_for: WaitingFor | None
    detail: str


MEANINGS = {
    "permission": Meaning("waiting", "permission", "it asked for a permission"),
    "question": Meaning("waiting", "question", "it asked a question"),
    "working": Meaning("working", None, "the turn goes on"),
    "prompt": Meaning("waiting", "prompt", "the turn ended"),
    "end": Meaning("terminal", None, "the session was closed"),
}


class Heard(Struct, frozen=True):
    """The wrapper's part of a cursor: the last word told, whose it is, and how young a word must be to count."""

    word: str = ""
    session: str = ""
    floor: float = 0.0

    def cursor(self, inner: Cursor) -> Cursor:
        """Join the two parts."""
        return f"{self.word}|{self.session}|{self.floor:.3f}|{inner}"


def split(cursor: Cursor) -> tuple[Heard, Cursor]:
    """Take the two parts apart; the empty cursor is the beginning of both."""
    parts = cursor.split("|", 3)
    if len(parts) < 4:
        return Heard(), ""
    return Heard(parts[0], parts[1], float(parts[2])), parts[3]


def floor_of(update: SourceUpdate) -> float:
    """Return the time (epoch seconds) from which on a hook's word is younger than what the update itself says."""
    times = [0.0]
    if isinstance(update.last_activity_at, datetime):
        times.append(update.last_activity_at.timestamp() - SLACK_SECONDS)
    evidence = update.evidence
    if isinstance(evidence, Evidence) and evidence.kind in PRESENT and evidence.since is not None:
        times.append(evidence.since.timestamp())
    return max(times)


def told(word: Word) -> dict[str, Any]:
    """Return the facts that a hook's word stands for, as fields of an update."""
    meaning = MEANINGS[word.kind]
    since = datetime.fromtimestamp(word.at, UTC)
    facts: dict[str, Any] = {
        "activity": meaning.activity,
        "waiting_for": meaning.waiting_for,
        "evidence": Evidence(kind="hook", detail=meaning.detail, since=since),
    }
    if meaning.activity == "terminal":
        facts |= {"terminal": True, "end_reason": "closed", "ended_at": since, "current_tool": None}
    return facts


class Hearing:
    """A source with the words of its agent's hooks. Without any hooks it is the source itself, at the price of one stat."""

    def __init__(self, source: Source, spool: Spool) -> None:
        self._source = source
        self._spool = spool
        self._handles: dict[str, SessionHandle] = {}

    @property
    def name(self) -> str:
        """See `Source.name`."""
        return self._source.name

    def discover(self) -> Iterable[SessionHandle]:
        """See `Source.discover`."""
        self._spool.refresh()
        return self._source.discover()

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """See `Source.parse`."""
        heard, inner = split(cursor)
        update, after = self._source.parse(handle, inner)
        session = update.session_id if update is not None else heard.session
        if "|" in session:
            return update, Heard().cursor(after)  # no hook writes such an id
        if session:
            self._handles[session] = handle
        floor = heard.floor if update is None else floor_of(update)
        word = self._spool.last(session)
        counts = word is not None and word.at >= floor
        now = Heard(word.digest if word is not None else "", session, floor)
        if update is not None and counts and word is not None and not update.terminal and update.activity != "terminal":
            update = structs.replace(update, **told(word))
        elif update is None and counts and word is not None and now.word != heard.word and session:
            update = SourceUpdate(session_id=session, **told(word))
        if update is None and now.word == heard.word and after == inner:
            return None, cursor
        return update, now.cursor(after)

    def watch(self) -> Iterable[str]:
        """See `Watching.watch`."""
        folders = self._source.watch() if isinstance(self._source, Watching) else ()
        return [*folders, self._spool.folder]

    def touched(self, paths: Sequence[str]) -> Iterable[SessionHandle]:
        """See `Watching.touched`."""
        ours = any(path.startswith(f"{self._spool.folder}/") for path in paths)
        handles = list(self._source.touched(paths)) if isinstance(self._source, Watching) else []
        return [*handles, *self._spoken()] if ours else handles

    def pulse(self) -> Iterable[SessionHandle]:
        """See `Watching.pulse`."""
        handles = list(self._source.pulse()) if isinstance(self._source, Watching) else []
        return [*handles, *self._spoken()]

    def _spoken(self) -> list[SessionHandle]:
        return [self._handles[session] for session in self._spool.refresh() if session in self._handles]
