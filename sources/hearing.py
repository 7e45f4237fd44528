"""Hearing: a source that also hears what its agent's hooks say.

It wraps a source whose agent has hooks. The younger word is right: a hook's against the session's own records and its
client's registry. What the hooks say reaches the board like anything else, as an update with a new cursor, though no byte
of the artifact moved. The counterpart is `spool.py`, which reads what the hooks wrote.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from msgspec import UNSET, Struct, structs

from ..protocol.session import NEEDS_YOU, Activity, Evidence, WaitingFor
from ..protocol.update import SourceUpdate
from .commands import Acting
from .contract import Cursor, Place, Placed, Resting, SessionHandle, Source, Watching
from .spool import Spool, Word

SLACK_SECONDS = 2.0
"""A hook runs before the record of the same moment is written: a record only this much younger may say the same."""

UNWATCHED_SECONDS = 10.0
"""How often it is looked whether the first hook of all has spoken."""

PRESENT = frozenset(("registry", "lock", "process"))
"""Evidence whose time is exact: it needs no slack."""


class Meaning(Struct, frozen=True):
    """What a hook's word says about a session."""

    activity: Activity
    waiting_for: WaitingFor | None
    detail: str


MEANINGS = {
    "permission": Meaning("waiting", "permission", "it asked for a permission and has told nothing since"),
    "plan": Meaning("waiting", "plan", "it showed a plan"),
    "question": Meaning("waiting", "question", "it asked a question"),
    "working": Meaning("working", None, "the turn goes on"),
    "prompt": Meaning("waiting", "prompt", "the turn ended"),
    "end": Meaning("terminal", None, "the session was closed"),
}


ASKED = frozenset(("permission", "question", "plan"))
"""Words that say that a person is needed."""

Standing: TypeAlias = Literal["", "asks", "registry", "helpers"]
"""What the source itself said last, as far as it decides which words count: the session needs a person; it is what the
client's living registry says; subagents of it are at work; none of these."""

GRANTED = "+"
"""What stands behind a word in a cursor: a permission was asked for, and then its command was seen to run."""


class Heard(Struct, frozen=True):
    """The wrapper's part of a cursor: the last word told, whose it is, and how young a word must be to count."""

    word: str = ""
    session: str = ""
    floor: float = 0.0
    standing: str = ""

    def cursor(self, inner: Cursor) -> Cursor:
        """Join the two parts."""
        return f"{self.word}|{self.session}|{self.floor:.3f}|{self.standing}|{inner}"

    def counts(self, word: Word) -> bool:
        """Whether a word says more than the source does: it is younger, and of a thing that the source cannot know better.

        A registry is kept up to date at every moment, so only a request counts against it, which it may show too late.
        The end of a turn is not the end of the work while subagents go on. A request that is seen is seen more exactly.
        """
        if word.at < self.floor:
            return False
        if word.kind in ASKED:
            return self.standing != "asks"
        return self.standing != "registry" and not (self.standing == "helpers" and word.kind == "prompt")


def split(cursor: Cursor) -> tuple[Heard, Cursor]:
    """Take the two parts apart; the empty cursor is the beginning of both."""
    parts = cursor.split("|", 4)
    if len(parts) < 5:
        return Heard(), ""
    return Heard(parts[0], parts[1], float(parts[2]), parts[3]), parts[4]


def floor_of(update: SourceUpdate) -> float:
    """Return the time (epoch seconds) from which on a hook's word is younger than what the update itself says."""
    times = [0.0]
    if isinstance(update.last_activity_at, datetime):
        # That a turn has ended is no record of the same moment: nothing can be asked for after it.
        slack = SLACK_SECONDS if update.activity == "working" else 0.0
        times.append(update.last_activity_at.timestamp() - slack)
    evidence = update.evidence
    if isinstance(evidence, Evidence) and evidence.kind in PRESENT and evidence.since is not None:
        times.append(evidence.since.timestamp())
    return max(times)


def standing_of(update: SourceUpdate) -> Standing:
    """Return what a source's own word is, as far as it decides which hooks' words count."""
    if update.activity == "waiting" and update.waiting_for in NEEDS_YOU:
        return "asks"
    if isinstance(update.evidence, Evidence) and update.evidence.kind == "registry":
        return "registry"
    helpers = () if update.subagents is UNSET else update.subagents
    return "helpers" if any(helper.activity == "working" for helper in helpers) else ""


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


def granted(began: float) -> dict[str, Any]:
    """Return the facts that a running command stands for, whose permission was asked for."""
    since = datetime.fromtimestamp(began, UTC)
    evidence = Evidence(kind="process", detail="the permission was given: its command runs", since=since)
    return {"activity": "working", "waiting_for": None, "evidence": evidence}


class Hearing:
    """A source with the words of its agent's hooks. Without any hooks it is the source itself, at the price of one stat."""

    def __init__(self, source: Source, spool: Spool) -> None:
        self._source = source
        # Asked once: to find out whether a source has what a protocol names takes as long as reading a file.
        self._watching = source if isinstance(source, Watching) else None
        self._resting = source if isinstance(source, Resting) else None
        self._acting = source if isinstance(source, Acting) else None
        self._spool = spool
        self._handles: dict[str, SessionHandle] = {}
        self._asked: dict[str, float] = {}

    @property
    def name(self) -> str:
        """See `Source.name`."""
        return self._source.name

    def discover(self) -> Iterable[SessionHandle]:
        """See `Source.discover`."""
        spoken = {handle.id for handle in self._spoken()}
        handles = self._source.discover()
        # A stamp knows nothing of hooks: where one has spoken, it must not say that nothing is new.
        return (
            [structs.replace(each, stamp="") if each.id in spoken else each for each in handles] if spoken else handles
        )

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """See `Source.parse`."""
        heard, inner = split(cursor)
        update, after = self._source.parse(handle, inner)
        session = update.session_id if update is not None else heard.session
        if "|" in session:
            return update, Heard().cursor(after)  # no hook writes such an id
        if session:
            self._handles[session] = handle
        now = Heard("", session, heard.floor, heard.standing)
        if update is not None:
            now = Heard("", session, floor_of(update), standing_of(update))
        self._asked.pop(session, None)
        word = self._spool.last(session)
        facts: dict[str, Any] = {}
        if word is not None:
            now = structs.replace(now, word=word.digest)
            if now.counts(word):
                facts, noted = self._facts(session, word, heard)
                now = structs.replace(now, word=noted)
        if update is not None and facts and not update.terminal and update.activity != "terminal":
            update = structs.replace(update, **facts)
        elif update is None and facts and now.word != heard.word and session:
            update = SourceUpdate(session_id=session, **facts)
        if update is None and now.word == heard.word and after == inner:
            return None, cursor
        return update, now.cursor(after)

    def _facts(self, session: str, word: Word, heard: Heard) -> tuple[dict[str, Any], str]:
        """Return what a word that counts stands for, and how it is noted."""
        if word.kind != "permission" or self._acting is None:
            return told(word), word.digest
        given, began = word.digest + GRANTED, self._acting.acting(session, word.at)
        if began is None and heard.word == given:
            began = word.at  # it has ended, and the record of that is still to come
        if began is not None:
            return granted(began), given
        self._asked[session] = word.at
        return told(word), word.digest

    def where(self) -> Iterable[Place]:
        """See `Placed.where`."""
        return self._source.where() if isinstance(self._source, Placed) else ()

    def watch(self) -> Iterable[str]:
        """See `Watching.watch`."""
        folders = () if self._watching is None else self._watching.watch()
        return [*folders, self._spool.folder]

    def touched(self, paths: Sequence[str]) -> Iterable[SessionHandle]:
        """See `Watching.touched`."""
        ours = any(path.startswith(f"{self._spool.folder}/") for path in paths)
        handles = [] if self._watching is None else list(self._watching.touched(paths))
        return [*handles, *self._spoken()] if ours else handles

    def pulse(self) -> Iterable[SessionHandle]:
        """See `Watching.pulse`."""
        handles = [] if self._watching is None else list(self._watching.pulse())
        return [*handles, *self._spoken(), *self._given()]

    def rest(self) -> float:
        """See `Resting.rest`. That a permission was given is seen nowhere; a spool that is not there yet nobody watches."""
        if self._asked or self._resting is None:
            return 0.0
        return min(self._resting.rest(), math.inf if self._spool.there else UNWATCHED_SECONDS)

    def _given(self) -> list[SessionHandle]:
        """Return the sessions that act now on a permission they asked for: nothing else tells that it was given."""
        acting = self._acting
        if not self._asked or acting is None:
            return []
        given = [session for session, at in self._asked.items() if acting.acting(session, at) is not None]
        return [self._handles[session] for session in given if session in self._handles]

    def _spoken(self) -> list[SessionHandle]:
        return [self._handles[session] for session in self._spool.refresh() if session in self._handles]
