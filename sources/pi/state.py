"""State: all that is known of a session between two readings; the cursor is nothing but this.

Totals are those of the whole file. What the model holds, and which model, is that of the active path: from the newest
entry up to the root. The path is not kept; kept is what stood at the newest entries and at those from which a turn
began, because these are the places to which a person goes back. The counterpart is `facts.py`, which says to the board
what stands here.
"""

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from ..contract import Cursor
from ..cursors import Cursors
from ..tail import Mark

FORM = 1
"""The shape of the cursor: another number is another program's, and the file is read anew."""

NEWEST_PLACES = 24
"""Newest entries whose place is remembered."""

TURN_PLACES = 48
"""Entries from which a turn began whose place is remembered; the oldest goes first.

A branch that begins further back is followed all the same: only what the model holds there is unknown until its next
answer, and its model is taken to be the newest one of the file.
"""

OPEN_LIMIT = 32
"""Tool calls without a result that are remembered; the newest of one answer are left out."""

MODELS_LIMIT = 16
"""Models of a session that places can name; a further one is not remembered there."""

Turn: TypeAlias = Literal["none", "asked", "calling", "ran", "over"]
"""How the newest message leaves the conversation: nothing yet; a prompt without an answer; tools called; a tool's result
that is not answered; at the prompt."""


class Place(Struct, array_like=True, frozen=True):
    """What stood at one entry: tokens that the model held (None: not known), and which of the models it was (-1: none)."""

    context: int | None = None
    model: int = -1


class Call(Struct, array_like=True, frozen=True):
    """A tool call that has no result yet."""

    name: str
    since: str | None = None


class State(Struct, omit_defaults=True):
    """One session file. Times are kept as they were written; None is not known."""

    form: int = FORM
    mark: Mark = Mark()
    begun: bool = False
    started: str | None = None
    cwd: str | None = None
    copying: bool = False
    name: str | None = None
    title: str | None = None
    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    leaf: str | None = None
    context: int | UnsetType | None = UNSET
    model: str | None = None
    models: list[str] = field(default_factory=list[str])
    newest: dict[str, Place] = field(default_factory=dict[str, Place])
    turns: dict[str, Place] = field(default_factory=dict[str, Place])
    turn: Turn = "none"
    why: str = ""
    since: str | None = None
    open: dict[str, Call] = field(default_factory=dict[str, Call])
    last: str | None = None
    modified: float | None = None


class Counts(Struct):
    """What one reading adds to the totals of a session."""

    messages: int = 0
    tool_calls: int = 0
    compactions: int = 0
    unknown: int = 0


CURSORS = Cursors(State)
"""How a state travels: `load` and `store`."""

load = CURSORS.load


def store(state: State) -> Cursor:
    """Write the cursor; its stamp is that of the file, "" while there is more to read. Raises `CursorTooLarge`."""
    return CURSORS.store(state.mark.stamp, state)
