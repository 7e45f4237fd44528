"""Header: the first line of a file, which says whose file it is and whether its records are its own.

A file may begin with a copied history (legacy forks, subagents with forked context), may go on from another file by
reference (forks and rewinds of paginated threads), or may belong to an internal reviewer. The counterpart is
`fold.py`, which leaves out what this finds to be copied.
"""

from typing import Any, cast

from ..text import PATH_LIMIT, tidy, when
from .rows import Payload, Row
from .state import Part, State
from .thread import TIME_LIMIT, time_of

LOCKING_SINCE = (0, 150)
"""The first client seen to keep `thread-writer-locks/`; 0.145 does not."""


def starts_anew(state: State, row: Row) -> None:
    """A further file of the same thread begins: a person went back, and what the model holds is not known yet."""
    state.context = None
    state.turn, state.why, state.since, state.dead = "over", "rewound", time_of(row), False
    state.open.clear()


def read_header(state: State, part: Part, row: Row, header: Payload, *, first: bool) -> None:
    """Take the facts of a `session_meta`; `first` says that no older file of the thread was read."""
    state.started = state.started or tidy(header.timestamp, TIME_LIMIT)
    state.version = tidy(header.cli_version) or state.version
    state.cwd = tidy(header.cwd, PATH_LIMIT) or state.cwd
    state.nickname = tidy(header.agent_nickname) or state.nickname
    if header.git:
        state.branch = tidy(header.git.branch) or state.branch
    _read_parent(state, header)
    paginated = row.ordinal is not None or header.history_mode == "paginated"
    state.born_locking = state.locking = paginated or _is_locking(state.version)
    start = header.subagent_history_start_ordinal
    if start and row.ordinal is not None:
        part.floor = start
    elif header.history_base:
        if header.forked_from_id and first:
            state.fork = "reference"
    elif start or header.forked_from_id:
        part.copying = 1
        state.fork = "copy"


def read_bare_header(state: State, row: Row) -> None:
    """Take the facts of the header of 0.20 to 0.3x: an id, a time and a repository."""
    state.started = state.started or tidy(row.timestamp, TIME_LIMIT)
    if row.git:
        state.branch = tidy(row.git.branch) or state.branch


def is_own_turn(thread_id: str, started: str | None, turn: Payload) -> bool | None:
    """Whether a turn began after the thread itself did; None if the record does not say.

    Ids of version 7 begin with their time (0.44 and later); otherwise the turn's own second is compared.
    """
    if turn.turn_id and turn.turn_id[14:15] == "7" == thread_id[14:15]:
        return turn.turn_id > thread_id
    if isinstance(turn.started_at, int | float):
        begun = when(started)
        return None if begun is None else turn.started_at >= int(begun.timestamp())
    return None


def _read_parent(state: State, header: Payload) -> None:
    source = cast("dict[str, Any]", header.source) if isinstance(header.source, dict) else {}
    kind = source.get("subagent")
    spawn = cast("dict[str, Any]", kind) if isinstance(kind, dict) else {}
    link = spawn.get("thread_spawn")
    parent = header.parent_thread_id
    if not parent and isinstance(link, dict):
        parent = cast("dict[str, Any]", link).get("parent_thread_id")
    if not parent and kind and header.session_id != header.id:
        parent = header.session_id  # the root of the tree is all that such a header names
    state.parent = tidy(parent) or state.parent
    # The automatic reviewer of permissions: no person ever sees its conversation.
    state.hidden = spawn.get("other") == "guardian" or str(header.thread_source).startswith("guardian")


def _is_locking(version: str | None) -> bool:
    try:
        major, minor = (version or "").split(".")[:2]
        return (int(major), int(minor)) >= LOCKING_SINCE
    except ValueError:
        return False
