"""Lifecycle: whether the board still follows a session.

This file is the whole state machine. `TRANSITIONS` is the only place that says what follows what; the table in
docs/architecture.md is checked against it. `active` and `terminal` are the durable states that people see, `untracked`
and `gone` are before and after. The activity (working, waiting, ...) is the source's word and never touched here.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from ...protocol.event import EventKind

State: TypeAlias = Literal["untracked", "active", "terminal", "gone"]

Trigger: TypeAlias = Literal["data", "terminal data", "silent data", "silence", "retention over"]
"""What can happen to a session.

`silent data` is data of a session that has been silent past the threshold already (history that is read for the first
time, piece by piece); `silence` is an active session passing the threshold; `retention over` is the end of the time for
which an ended one is kept.
"""


class Step(Struct, frozen=True):
    """What follows: the next state and the events to publish, in order."""

    then: State
    events: tuple[EventKind, ...]


TRANSITIONS: dict[tuple[State, Trigger], Step] = {
    ("untracked", "data"): Step("active", ("discovered",)),
    ("untracked", "terminal data"): Step("terminal", ("discovered", "terminal")),
    ("untracked", "silent data"): Step("terminal", ("discovered",)),
    ("active", "data"): Step("active", ("updated",)),
    ("active", "terminal data"): Step("terminal", ("terminal",)),
    ("active", "silence"): Step("terminal", ("stale",)),
    ("terminal", "data"): Step("active", ("resumed",)),
    ("terminal", "terminal data"): Step("terminal", ("updated",)),
    ("terminal", "silent data"): Step("terminal", ("updated",)),
    ("terminal", "retention over"): Step("gone", ("removed",)),
    ("gone", "silent data"): Step("gone", ()),
    ("gone", "data"): Step("active", ("resumed",)),
    ("gone", "terminal data"): Step("terminal", ("resumed", "terminal")),
}


class IllegalStep(Exception):
    """Raised when a trigger cannot happen in a state; nothing has changed then."""


def step(state: State, trigger: Trigger) -> Step:
    """Return what follows when `trigger` happens in `state`. Raises IllegalStep for a pair that is not in the table."""
    try:
        return TRANSITIONS[state, trigger]
    except KeyError:
        raise IllegalStep(f"{trigger!r} cannot happen to a session that is {state}") from None
