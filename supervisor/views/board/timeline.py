"""Timeline: what a session did in the last hour, drawn as a ribbon of states with its tool calls and compactions.

Its counterpart is `protocol/history.py`: marks, each of which says how things stood from then on.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ....protocol.history import KEPT_MINUTES, Mark
from .ink import Line, Role, Span


class Look(NamedTuple):
    """How a stretch of time is drawn; `rank`: in a cell of the ribbon the most urgent of its states is shown."""

    rank: int
    char: str
    role: Role


UNKNOWN = Look(0, " ", "plain")
LOOKS: dict[str, Look] = {
    "terminal": Look(1, " ", "plain"),
    "idle": Look(2, "·", "track"),
    "waiting": Look(3, "─", "waiting"),
    "working": Look(4, "█", "working"),
    "needs": Look(5, "▲", "needs"),
}

TICKS = ("·", "╷", "│", "┃")


def ribbon(marks: Sequence[Mark], now: datetime, width: int) -> list[Line]:
    """Return the hour as three lines: states, tool calls and compactions, and the scale."""
    looks = [UNKNOWN] * width
    calls, compactions = [0] * width, [0] * width
    for number, mark in enumerate(marks):
        first = _cell(mark.at, now, width)
        end = marks[number + 1].at if number + 1 < len(marks) else now
        look = _look(mark)
        for cell in range(max(0, first), min(width - 1, _cell(end, now, width)) + 1):
            if look.rank > looks[cell].rank:
                looks[cell] = look
        if number and 0 <= first < width:
            before = marks[number - 1]
            calls[first] += max(0, mark.calls - before.calls)
            compactions[first] += max(0, mark.compactions - before.compactions)
    return [
        tuple(Span(look.char, look.role) for look in looks),
        tuple(_tick(called, compacted) for called, compacted in zip(calls, compactions, strict=True)),
        _scale(width),
    ]


def _cell(at: datetime, now: datetime, width: int) -> int:
    ago = (now - at).total_seconds()
    return min(width - 1, width - 1 - int(ago * width / (KEPT_MINUTES * 60)))


def _look(mark: Mark) -> Look:
    if mark.activity == "waiting" and mark.waiting_for not in {None, "prompt"}:
        return LOOKS["needs"]
    return LOOKS.get(mark.activity, UNKNOWN)


def _tick(calls: int, compactions: int) -> Span:
    if compactions:
        return Span("C", "warn")
    if not calls:
        return Span(" ")
    return Span(TICKS[min(len(TICKS) - 1, calls.bit_length())], "dim")


def _scale(width: int) -> Line:
    left, right = "60 min ago", "now"
    return (Span(left + " " * max(1, width - len(left) - len(right)) + right, "dim"),)
