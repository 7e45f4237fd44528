"""Cursors: a parser's whole state as text, behind a stamp that says in which shape everything was consumed.

A cursor is `<stamp>|<JSON of the state>`; the stamp is empty while there may be more to read. It begins with the stamp so
that `parse` can see with one comparison that nothing is new.
"""

from typing import Generic, Protocol, TypeVar

import msgspec

from .contract import CURSOR_LIMIT, Cursor
from .errors import CursorTooLarge

MEMO_KEPT = 16
"""States that a `Memo` holds at most; each is about as large as its cursor."""


class Formed(Protocol):
    """A state that says of which form it is, so that a cursor of another release is not mistaken for one of ours."""

    form: int


S = TypeVar("S", bound=Formed)
T = TypeVar("T")


class Memo(Generic[T]):
    """The states behind the cursors that were written last: a cursor that comes straight back need not be read again.

    A cursor is still all that a parser trusts. A state is found only under the very text that was written from it, and only
    once, because whoever takes it may change it; where there is none (after a start, after an error), the text is read, and
    what it says is the same.
    """

    def __init__(self) -> None:
        self._states: dict[Cursor, T] = {}

    def keep(self, cursor: Cursor, state: T) -> None:
        """Keep the state of which `cursor` was just written; nobody may change it any more."""
        self._states[cursor] = state
        if len(self._states) > MEMO_KEPT:
            del self._states[next(iter(self._states))]

    def take(self, cursor: Cursor) -> T | None:
        """Return the state of which `cursor` was written, None if it is not kept (any more)."""
        return self._states.pop(cursor, None)


class Cursors(Generic[S]):
    """Reads and writes the cursors of one source; `shape` is its state, which can be made without arguments."""

    def __init__(self, shape: type[S]) -> None:
        self._decoder = msgspec.json.Decoder(shape)
        self._encoder = msgspec.json.Encoder()
        self._form = shape().form

    def load(self, cursor: Cursor) -> S | None:
        """Read the state in a cursor; None if it is not of this form."""
        try:
            state = self._decoder.decode(cursor.partition("|")[2])
        except (msgspec.MsgspecError, UnicodeError):
            return None
        return state if state.form == self._form else None

    def store(self, stamp: str, state: S) -> Cursor:
        """Write the cursor. `stamp` is "" while there is more to read. Raises `CursorTooLarge`."""
        cursor = f"{stamp}|{self._encoder.encode(state).decode()}"
        if len(cursor) * 4 > CURSOR_LIMIT and len(cursor.encode()) > CURSOR_LIMIT:
            raise CursorTooLarge(f"a cursor of {len(cursor):,} characters")
        return cursor

    def copy(self, state: S) -> S:
        """Return a state that shares nothing with this one."""
        return self._decoder.decode(self._encoder.encode(state))
