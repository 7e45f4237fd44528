"""Privacy: how much of a session anybody is told. Pure, and the only place that knows.

`full`: everything a source says (a title is at most the first 80 characters of a prompt; nothing else that was said ever
leaves a worker). `names`: no titles, no branches, folders by their last name. `minimal`: ids, states and numbers. The local
board applies its level in the worker, before anything is sent; gateway and exporters apply theirs to what they pass on.
"""

import re
from typing import Any, Literal, TypeAlias, TypeVar

from msgspec import UNSET, structs

from .history import History
from .session import Evidence, HealthState, SessionState, Subagent
from .update import SourceUpdate

Level: TypeAlias = Literal["full", "names", "minimal"]

S = TypeVar("S", SessionState, SourceUpdate)

_WITHHELD: dict[Level, tuple[str, ...]] = {
    "full": (),
    "names": ("title", "branch"),
    "minimal": ("title", "branch", "slug", "model", "working_dir", "current_tool", "client_version", "end_reason"),
}
"""Fields of a session that are not told."""

_WITHHELD_OF_SUBAGENTS: dict[Level, tuple[str, ...]] = {
    "full": (),
    "names": (),
    "minimal": ("slug", "kind", "model", "current_tool"),
}

_BOARDS_OWN = frozenset(("stale", "ended"))
"""Reasons for an end that are the board's own words, and so tell nothing."""

_BELOW = r"""(?![\w-])(?:/[^\s'":;,()/]+)*"""
_PATH = re.compile(r"(?:~|\.{1,2})?/(?:[^\s'\":;,()]*/)*([^\s'\":;,()/]*)")


def session(what: S, level: Level) -> S:
    """Return a session, or what a source found out about one, as it may be told."""
    if level == "full":
        return what
    changes: dict[str, Any] = {}
    for field in _WITHHELD[level]:
        value = getattr(what, field)
        if value is not UNSET and not (field == "end_reason" and value in _BOARDS_OWN):
            changes[field] = None
    if level == "names" and isinstance(what.working_dir, str):
        changes["working_dir"] = last_name(what.working_dir)
    if isinstance(what.evidence, Evidence) and what.evidence.detail:
        detail = _without_paths(what.evidence.detail) if level == "names" else ""
        changes["evidence"] = structs.replace(what.evidence, detail=detail)
    if isinstance(what.subagents, tuple):
        changes["subagents"] = tuple(_subagent(each, level) for each in what.subagents)
    return structs.replace(what, **changes)


def health(state: HealthState, level: Level) -> HealthState:
    """Return a source's health as it may be told."""
    if level == "full":
        return state
    changes: dict[str, Any] = {"quarantined": tuple(last_name(each) for each in state.quarantined)}
    known = sorted({each for each in (state.home, *state.absent) if each}, key=len, reverse=True)
    for field in ("reason", "last_error", "rebuilt"):
        text = getattr(state, field)
        if text is not None and level == "names":
            for path in known:  # where a path with spaces ends, no text says
                text = re.sub(re.escape(path) + _BELOW, lambda found: last_name(found[0]), text)
        changes[field] = None if text is None or level == "minimal" else _without_paths(text)
    minimal = level == "minimal"
    changes["home"] = None if minimal or state.home is None else last_name(state.home)
    # That an agent is not here is a state, and so it stays told; where it was looked for does not.
    changes["absent"] = tuple("" if minimal else last_name(each) for each in state.absent)
    if minimal:
        changes["unknown_client"] = changes["home_from"] = None
    return structs.replace(state, **changes)


def history(what: History, level: Level) -> History:
    """Return what a session did as it may be told."""
    if level != "minimal":
        return what
    return structs.replace(what, marks=tuple(structs.replace(mark, tool=None) for mark in what.marks))


def last_name(path: str) -> str:
    """Return the last name of a path."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def _subagent(agent: Subagent, level: Level) -> Subagent:
    return structs.replace(agent, **dict.fromkeys(_WITHHELD_OF_SUBAGENTS[level]))


def _without_paths(text: str) -> str:
    """Return a text in which each path is only its last name."""
    return _PATH.sub(lambda found: found[1], text)
