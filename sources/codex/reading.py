"""Reading: one bounded step through the files of one thread, oldest first.

This is where files, rows and the fold meet; what comes out is a changed state, what it adds, and a description of the
files in the shape in which all of them were consumed.
"""

import os
from collections.abc import Sequence

from msgspec import Struct, field

from ..contract import READ_LIMIT
from ..rows import Rows
from ..tail import Mark, Piece, read_on, stamp_of
from .cold import Cold
from .fold import Fold
from .naming import Rollout
from .rows import Row, glimpse
from .state import CHAIN_LIMIT, State
from .thread import Counts

_ROWS = Rows(Row)


class Reading(Struct):
    """What one step brought. `stamps` are those of the files, in order; `complete` if nothing is left to read."""

    counts: Counts = field(default_factory=Counts)
    stamps: list[str] = field(default_factory=list[str])
    complete: bool = True
    rows: int = 0
    modified: float | None = None


def read(rollouts: Sequence[Rollout], state: State, thread: str, cold: Cold) -> Reading | None:
    """Read on where `state` stands, at most `READ_LIMIT` bytes over all files, and change it.

    None if a file holds another text than was read before: `state` is of no use then. Raises OSError and SourceError.
    """
    reading = Reading()
    budget = READ_LIMIT
    unreadable = False
    for rollout in rollouts:
        if state.hidden or _is_settled(rollout, state):
            reading.stamps.append(stamp_of(os.stat(rollout.path)))
            continue
        if rollout.cold and not cold.available:
            unreadable = True
            reading.stamps.append(unread_stamp(os.stat(rollout.path)))
            continue
        if budget <= 0:
            reading.complete = False
            break
        part = state.parts.get(rollout.key)
        mark = part.mark if part else Mark()
        piece = (cold.read_on if rollout.cold else read_on)(rollout.path, mark, budget)
        if piece is None:
            reading.stamps.append(mark.stamp)
            continue
        if piece.replaced:
            return None
        _fold(piece, state, rollout.key, thread, reading)
        budget -= len(piece.data)
        if piece.more:
            reading.complete = False
            break
        reading.stamps.append(piece.mark.stamp)
    state.sealed = unreadable and not state.begun
    return reading


def unread_stamp(status: os.stat_result) -> str:
    """Describe a compressed file that nothing here can read: once something can, it has another stamp."""
    return f"{stamp_of(status)}?"


def _is_settled(rollout: Rollout, state: State) -> bool:
    return state.settled is not None and rollout.key <= state.settled


def _fold(piece: Piece, state: State, key: str, thread: str, reading: Reading) -> None:
    counts = reading.counts
    rows, bad = _ROWS.read(piece.data)
    counts.unknown += bad + len(piece.overlong)
    rows += [row for head in piece.overlong if (row := glimpse(head)) is not None]
    Fold(state, key, thread, counts).read(rows)
    state.parts[key].mark = piece.mark
    reading.rows += len(rows)
    if rows:
        reading.modified = piece.modified_at
    if len(state.parts) > CHAIN_LIMIT:
        oldest = min(state.parts)
        if oldest != key:
            state.settled = oldest
            del state.parts[oldest]
