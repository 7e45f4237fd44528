"""Ink: text that knows what it means. A role is never a colour: each shell has its own palette for the roles.

Widths are columns of a terminal: what East Asian scripts and emoji write takes two.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ..text import plain
from .roles import Role


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    role: Role = "plain"


Line: TypeAlias = tuple[Span, ...]

EMPTY: Line = ()


def width_of(text: str) -> int:
    """Return how many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


@lru_cache(maxsize=4096)
def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Cf", "Me", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clip(text: str, width: int) -> str:
    """Return a text in at most `width` columns; what is cut off is said by an ellipsis."""
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, used = "", 0
    for char in text:
        used += _columns(char)
        if used > width - 1:
            break
        kept += char
    return kept + "…"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return a text in exactly `width` columns."""
    text = clip(plain(text), width)
    pad = " " * (width - width_of(text))
    return pad + text if right else text + pad


def length(line: Iterable[Span]) -> int:
    """Return how many columns a line takes."""
    return sum(width_of(span.text) for span in line)


def cut(line: Line, width: int) -> Line:
    """Return a line in at most `width` columns."""
    if length(line) <= width:
        return line
    kept: list[Span] = []
    room = width
    for span in line:
        text = clip(span.text, room)
        kept.append(Span(text, span.role))
        room -= width_of(text)
        if text != span.text or room <= 0:
            break
    return tuple(kept)


def filled(line: Line, width: int) -> Line:
    """Return a line in exactly `width` columns."""
    line = cut(line, width)
    return (*line, Span(" " * (width - length(line)))) if length(line) < width else line


def apart(left: Line, right: Line, width: int) -> Line:
    """Return a line with one part at each end; the right one is whole as long as it fits."""
    right = cut(right, width)
    room = width - length(right)
    return (*filled(cut(left, max(0, room - 1)), room), *right)


def wrapped(pieces: Iterable[Line], width: int, gap: str = "  ") -> list[Line]:
    """Put pieces side by side, and below one another when a line is full."""
    lines: list[Line] = []
    now: Line = ()
    for piece in pieces:
        fits = cut(piece, width)
        if now and length(now) + len(gap) + length(fits) > width:
            lines.append(now)
            now = ()
        now = (*now, Span(gap), *fits) if now else fits
    return [*lines, now] if now else lines


def text_of(line: Line) -> str:
    """Return a line without its ink."""
    return "".join(span.text for span in line).rstrip()
