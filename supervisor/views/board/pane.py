"""Pane: what stands below the list when somebody wants to know more: a session, workers, or which agents are here."""

from typing import TypeAlias

from . import detail
from .found import found
from .hosts import named, pill_key
from .ink import Line, Span
from .picture import View, key_of
from .rows import Entry
from .screen import EVERY, Screen, index_of

Pane: TypeAlias = str
"""`found`, `session` (the picked one), `health` (all workers), or the name of one source."""

FOUND, SESSION, HEALTH = "found", "session", EVERY


def pane(open_: Pane | None, shown: Screen, view: View) -> list[Line]:
    """Return the lines of what is open, none if nothing is, or nothing is known of it."""
    picture = shown.picture
    if open_ is None:
        return []
    if open_ == FOUND:
        return [(Span("Agents of this machine", "heading"),), *found(picture.health, picture.sessions)]
    if open_ == SESSION:
        at = index_of(shown)
        row = shown.rows[at] if at is not None else None
        if not isinstance(row, Entry):
            return []
        key = key_of(row.session)
        return detail.session(row.session, view.now, view.width, picture.marks_of(key), picture.pulse_of(key))
    chosen = [state for state in picture.health if open_ in {HEALTH, state.origin, pill_key(named(state.host))}]
    return [line for state in chosen for line in (*detail.source(state, view.now, view.width), ())][:-1]
