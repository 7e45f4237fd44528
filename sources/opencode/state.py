"""State: what has to be remembered of a session between two readings; it travels in the cursor.

The stores are rewritten in place, and rows vanish from them when a person takes turns back; what was said once stays
counted. So the counts are not asked of the store: messages are read once, in their order, up to a floor below which
nothing is looked at again, and the newest ones stay in a window in which what each of them has added is known, so that
they can be read again and again while they grow. The counterpart is `fold.py`.
"""

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from ..cursors import Cursors
from .rows import Key

FORM = 1
"""The shape of the cursor: another number is another program's, and the session is read anew."""

WINDOW = 16
"""Newest messages that are read again each time.

An answer that ends, or a prompt that is written, when already this many later messages are there would be missed: the
client runs one answer at a time in a session, so only a handful is ever under way.
"""

Kind: TypeAlias = Literal["database", "tree"]


class Seen(Struct, array_like=True):
    """What one message has added so far. `settled`: it was complete when its parts were read; `bad`: it made no sense."""

    at: int
    id: str
    settled: int = 0
    counted: int = 0
    tools: int = 0
    compacted: int = 0
    bad: int = 0
    unknown: int = 0
    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0

    @property
    def key(self) -> Key:
        """Its place in the session."""
        return self.at, self.id


class State(Struct, omit_defaults=True):
    """One session. `born` is its time of creation, `newest` the newest time in any of its rows (milliseconds).

    `held` (tokens) and `model` are those of the newest message that told; `said` is a digest of what the board was told
    last.
    """

    form: int = FORM
    kind: Kind = "database"
    born: int = 0
    floor: Key = (-1, "")
    window: list[Seen] = []
    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    held: int | UnsetType | None = UNSET
    model: str | None = None
    newest: int = 0
    said: str = ""


class Counts(Struct):
    """What one reading adds to the totals of a session."""

    messages: int = 0
    tool_calls: int = 0
    compactions: int = 0
    unknown: int = 0


CURSORS = Cursors(State)
"""How a state travels: `load` and `store`."""

load = CURSORS.load
store = CURSORS.store
