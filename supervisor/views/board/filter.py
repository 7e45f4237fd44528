"""Filter: the words by which sessions are looked for, while they are typed. Which sessions they mean is up to `rows.py`."""

from typing import NamedTuple

from .ink import Line, Span, cut


class Filter(NamedTuple):
    """`typed` is what stands in the bottom line, None while nobody types; `words` are those that the list is chosen by."""

    typed: str | None
    words: str


def pressed(before: Filter, key: str, char: str | None) -> Filter | None:
    """Return what a key makes of the filter, None if it is not meant for it: `/` begins, Enter and Esc end."""
    if before.typed is None:
        return Filter(before.words, before.words) if key == "slash" else None
    if key == "escape":
        return Filter(None, "")
    if key == "enter":
        return Filter(None, before.typed.strip())
    typed = _edited(before.typed, key, char)
    return None if typed is None else Filter(typed, typed.strip())


def _edited(words: str, key: str, char: str | None) -> str | None:
    if key == "backspace":
        return words[:-1]
    if key == "ctrl+u":
        return ""
    return None if char is None else words + char


def typing(words: str, width: int) -> Line:
    """Return the bottom line while a filter is typed."""
    hint = Span("  Enter keeps, Esc ends; -word leaves out", "dim")
    return cut((Span("/ ", "key"), Span(words, "strong"), Span("▏", "brand"), hint), width)
