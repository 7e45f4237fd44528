"""Rows: which sessions are listed, in which order, under which headings. Who ended is folded at the bottom."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

from msgspec import UNSET, Struct

from ....protocol.session import SessionState
from .bars import fullness
from .hosts import named
from .ink import Line
from .names import agent, folder, projects, title
from .picture import Choice, Sort
from .standing import Standing, ended_at, since, standing


class Heading(Struct, frozen=True):
    """A project, or all who ended: `name`, how many sessions, how many of them need somebody."""

    name: str
    count: int
    needs: int = 0


class Site(Struct, frozen=True):
    """A machine, on the board of a fleet: above its projects."""

    name: str
    count: int
    needs: int = 0


class Entry(Struct, frozen=True):
    """A session in the list; `depth` is 1 below the session that started it."""

    session: SessionState
    standing: Standing
    project: str
    depth: int = 0


class Fold(Struct, frozen=True):
    """Those who ended: how many, and whether they are listed below."""

    count: int
    open: bool


class Nothing(Struct, frozen=True):
    """Said in place of an empty table."""

    why: Literal["no sessions", "no match", "nobody needs you"]


class Said(Struct, frozen=True):
    """A line of other text in place of the table."""

    line: Line


Row: TypeAlias = Site | Heading | Entry | Fold | Nothing | Said


def rows(sessions: Iterable[SessionState], choice: Choice) -> list[Row]:
    """Return the list, top to bottom."""
    every = list(sessions)
    folders: dict[str, set[str]] = {}
    for each in every:
        folders.setdefault(named(each.host), set()).add(folder(each))
    names = {host: projects(there) for host, there in folders.items()}
    entries = [Entry(each, standing(each), names[named(each.host)][folder(each)]) for each in every]
    chosen = [entry for entry in entries if _wanted(entry, choice)]
    living = [entry for entry in chosen if entry.standing.rank < 4]
    ended = [] if choice.needs_only else [entry for entry in chosen if entry.standing.rank == 4]
    found: list[Row] = []
    for host, groups in _sites(living, choice.sort):
        if host:
            members = [each for group in groups for each in group]
            found.append(Site(host, len(members), _needing(members)))
        for group in groups:
            found += [Heading(group[0].project, len(group), _needing(group)), *group]
    if not living and not (ended and choice.words):
        found.append(_nothing(choice, any_living=any(entry.standing.rank < 4 for entry in entries)))
    if ended:
        unfolded = choice.ended or bool(choice.words)
        found.append(Fold(len(ended), unfolded))
        found += sorted(ended, key=_newest_end) if unfolded else []
    return found


def matches(entry: Entry, words: str) -> bool:
    """Whether all words (of a filter) are somewhere in what is known of a session; one with `-` in front must not be."""
    if not words:
        return True
    session = entry.session
    known = (
        session.source,
        agent(session.source),
        entry.standing.word,
        session.activity,
        title(session),
        entry.project,
    )
    more = (named(session.host), folder(session), session.model, session.branch, session.current_tool, session.id)
    text = "\n".join(filter(None, (*known, *more))).casefold()
    return all(
        (word[1:] not in text) if word.startswith("-") else (word in text)
        for word in words.casefold().split()
        if word != "-"  # somebody is about to say what to leave out
    )


def _needing(entries: Iterable[Entry]) -> int:
    return sum(each.standing.rank == 0 for each in entries)


def _wanted(entry: Entry, choice: Choice) -> bool:
    return (not choice.needs_only or entry.standing.rank == 0) and matches(entry, choice.words)


def _nothing(choice: Choice, *, any_living: bool) -> Nothing:
    if choice.needs_only and not choice.words:
        return Nothing("nobody needs you")
    return Nothing("no match" if any_living and choice.words else "no sessions")


def _newest_end(entry: Entry) -> tuple[float, str]:
    at = ended_at(entry.session)
    return -(at.timestamp() if at is not None else 0.0), entry.session.id


def _stamp(session: SessionState) -> float:
    at = session.last_activity_at or session.last_data_received_at
    return at.timestamp() if at is not None else 0.0


def _by_state(entry: Entry) -> tuple[Any, ...]:
    # Who waits for you longest is first. The others stand still while they work: by when they began, not by when they moved.
    began = entry.session.started_at
    at = since(entry.session) if entry.standing.rank == 0 else None
    waits = at.timestamp() if at is not None else 0.0
    return entry.standing.rank, waits, -(began.timestamp() if began is not None else 0.0)


ORDERS: dict[Sort, Callable[[Entry], tuple[Any, ...]]] = {
    "state": _by_state,
    "age": lambda entry: (-_stamp(entry.session),),
    "context": lambda entry: (-(fullness(entry.session) or 0.0), -(entry.session.context_tokens or 0)),
    "agent": lambda entry: (agent(entry.session.source).casefold(), *_by_state(entry)),
    "name": lambda entry: (title(entry.session).casefold(),),
}


def _sites(entries: list[Entry], sort: Sort) -> list[tuple[str, list[list[Entry]]]]:
    """Return the sessions by machine and project: the machines in the order of what comes first in them."""
    if all(entry.session.host is UNSET for entry in entries):
        return [("", _groups(entries, sort))]
    together: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=ORDERS[sort]):
        together.setdefault(named(entry.session.host), []).append(entry)
    sites = [(host, _groups(members, sort)) for host, members in together.items()]
    if sort == "state":
        sites.sort(key=lambda site: _site_urgency(site[0], site[1][0]))
    elif sort in {"name", "agent"}:
        sites.sort(key=lambda site: site[0].casefold())
    return sites


def _site_urgency(host: str, group: list[Entry]) -> tuple[Any, ...]:
    first = group[0]
    return (0, *_by_state(first)) if first.standing.rank == 0 else (1, host.casefold())


def _groups(entries: list[Entry], sort: Sort) -> list[list[Entry]]:
    """Return the sessions by project: the projects in the order of what comes first in them."""
    order = ORDERS[sort]
    together: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda each: (*order(each), each.session.origin, each.session.id)):
        together.setdefault(folder(entry.session), []).append(entry)
    groups = list(together.values())
    if sort == "state":
        # Calm: a project moves only when somebody in it needs you, or no longer does.
        groups.sort(key=_urgency)
    elif sort in {"name", "agent"}:
        groups.sort(key=lambda group: group[0].project.casefold())
    return [_nested(group) for group in groups]


def _urgency(group: list[Entry]) -> tuple[Any, ...]:
    first = group[0]
    return (0, *_by_state(first)) if first.standing.rank == 0 else (1, first.project.casefold())


def _nested(group: list[Entry]) -> list[Entry]:
    """Return a group with each session below the one that started it."""
    here = {(entry.session.origin, entry.session.id) for entry in group}
    below: dict[tuple[str, str], list[Entry]] = {}
    tops: list[Entry] = []
    for entry in group:
        parent = (entry.session.origin, entry.session.parent_id or "")
        if parent in here and parent[1] != entry.session.id:
            below.setdefault(parent, []).append(entry)
        else:
            tops.append(entry)
    if not below:
        return tops
    found: list[Entry] = []
    left = [(entry, 0) for entry in reversed(tops)]
    while left:
        entry, depth = left.pop()
        found.append(Entry(entry.session, entry.standing, entry.project, min(depth, 1)))
        left += [(child, depth + 1) for child in reversed(below.pop((entry.session.origin, entry.session.id), []))]
    # Two that name each other as their parent are still sessions.
    return [*found, *(entry for rest in below.values() for entry in rest)]
