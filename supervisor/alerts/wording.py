"""Wording: what is told as text for people and as JSON for programs. Pure.

Never what was said to or by an agent: a title (cut from the first prompt) only where it was asked for.
"""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ...protocol.privacy import last_name
from ...protocol.session import HealthState, SessionState
from ..views.text import age, plain, unheard
from .case import Cause, Retract, Ring, What

SCHEMA_VERSION = 1
MOST_LINES = 6
"""Lines of a summary; what is above that is counted."""

MOST_TEXT = 80

Urgency: TypeAlias = Literal["low", "normal"]
"""Never `critical`: that would come through where somebody asked not to be disturbed."""

_HEADS: dict[What, str] = {
    "permission": "{source} needs permission{place}",
    "question": "{source} asks a question{place}",
    "plan": "{source} has a plan to approve{place}",
    "prompt": "{source} has ended its turn{place}",
    "degraded": "bellboard: {source} is degraded",
    "failed": "bellboard: {source} has failed",
    "gone": "bellboard: the board is not heard",
}


class Subject(Struct, frozen=True, kw_only=True):
    """One thing that somebody is told of; what is not known, or not to be told, is None.

    `host` is its machine; only where a fleet is looked at.
    """

    kind: str
    what: str
    source: str | None = None
    id: str | None = None
    project: str | None = None
    tool: str | None = None
    title: str | None = None
    reason: str | None = None
    since: datetime | None = None
    age_seconds: float | None = None
    host: str | UnsetType = UNSET


class Notice(Struct, frozen=True, kw_only=True):
    """What a backend is told: `ring` with all of it, `retract` with the key alone. A command gets it as JSON."""

    action: Literal["ring", "retract"]
    key: str
    at: datetime
    headline: str = ""
    text: str = ""
    urgency: Urgency = "normal"
    subjects: tuple[Subject, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def json(self) -> bytes:
        """Return it as one line of JSON."""
        return msgspec.json.encode(self) + b"\n"


def notice(word: Ring | Retract, now: datetime, *, titles: bool, fleet: str | None = None) -> Notice:
    """Write what is told, or taken back, `now`; `fleet` is where the board of a fleet comes from."""
    if isinstance(word, Retract):
        return Notice(action="retract", key=word.key, at=now)
    causes = sorted(word.causes, key=lambda cause: cause.since or now)
    subjects = tuple(_subject(cause, now, titles=titles) for cause in causes)
    return Notice(
        action="ring",
        key=word.key,
        at=now,
        headline=_headline(causes[0], subjects[0]) if len(causes) == 1 else _count(causes),
        text=_text(subjects[0], now, fleet) if len(causes) == 1 else _lines(subjects, now),
        urgency="low" if all(cause.kind == "turn" for cause in causes) else "normal",
        subjects=subjects,
    )


def line(told: Notice) -> str:
    """Return it as one line, for a terminal or a log."""
    if told.action == "retract":
        return f"over        {told.key}"
    return f"ring        {told.headline} - " + "; ".join(told.text.splitlines())


def _subject(cause: Cause, now: datetime, *, titles: bool) -> Subject:
    since = None if cause.since is None else max(0.0, (now - cause.since).total_seconds())
    told = Subject(kind=cause.kind, what=cause.what, since=cause.since, age_seconds=since)
    if isinstance(cause.subject, SessionState):
        session = cause.subject
        return msgspec.structs.replace(
            told,
            source=session.source,
            host=session.host,
            id=session.id,
            project=None if session.working_dir is None else _short(last_name(session.working_dir)),
            tool=_short(session.current_tool) if cause.kind == "needs-you" else None,
            title=_short(session.title) if titles else None,
        )
    if isinstance(cause.subject, HealthState):
        state = cause.subject
        return msgspec.structs.replace(told, source=state.source, host=state.host, reason=state.reason)
    return told


def _short(text: str | None) -> str | None:
    return plain(text)[:MOST_TEXT] or None


def _headline(cause: Cause, subject: Subject) -> str:
    place = "" if subject.project is None else f" in {subject.project}"
    source = subject.source
    if subject.host is not UNSET:
        place += f" on {subject.host}"
        source = source if "{place}" in _HEADS[cause.what] else f"{source} on {subject.host}"
    return _HEADS[cause.what].format(source=source, place=place)


def _count(causes: list[Cause]) -> str:
    needed = sum(cause.kind == "needs-you" for cause in causes)
    over = len(causes) - needed
    parts = [f"{needed} sessions need you"] if needed > 1 else ["1 session needs you"] if needed else []
    parts += [f"{over} at the end of a turn"] if over else []
    return ", ".join(parts)


def _text(subject: Subject, now: datetime, fleet: str | None) -> str:
    if subject.what == "gone":
        return f"for {age(subject.since, now)}: {unheard(fleet)}"
    if subject.kind == "source":
        return plain(subject.reason) or "see `bellboard health`"
    asked = "since a time that is not known" if subject.since is None else f"{age(subject.since, now)} ago"
    first = f"{subject.tool}, {asked}" if subject.tool else asked
    return f"{first}\n{subject.title}" if subject.title else first


def _lines(subjects: tuple[Subject, ...], now: datetime) -> str:
    shown = subjects if len(subjects) <= MOST_LINES else subjects[: MOST_LINES - 1]
    lines = [
        " ".join(
            filter(
                None,
                (f"{each.source}:", each.what, each.project and f"in {each.project}", _on(each), _since(each, now)),
            )
        )
        for each in shown
    ]
    return "\n".join([*lines, *([f"and {len(subjects) - len(shown)} more"] if len(shown) < len(subjects) else [])])


def _on(subject: Subject) -> str:
    return "" if subject.host is UNSET else f"on {subject.host}"


def _since(subject: Subject, now: datetime) -> str:
    return "" if subject.since is None else f"({age(subject.since, now)})"
