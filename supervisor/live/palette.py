"""Palette: the colours of the roles, on dark and on light ground. Pure.

The hues are those of Okabe and Ito, which colour-blind people can tell apart, made lighter or darker until each can be read
on its ground. Nothing is said by colour alone: each state has a glyph and a word.
"""

from typing import NamedTuple

from ..views.board.ink import Role


class Ink(NamedTuple):
    """How a role looks."""

    colour: str
    bold: bool


class Palette(NamedTuple):
    """All colours of one theme; `ground` is below everything, `raised` below panes and heads, `picked` below the cursor."""

    ground: str
    raised: str
    picked: str
    inks: dict[Role, Ink]


_ROLES: dict[Role, tuple[str, str, str]] = {
    "plain": ("#d5dae2", "#23282f", ""),
    "dim": ("#98a2b1", "#5c6570", "2"),
    "strong": ("#f2f5f9", "#0d1117", "1"),
    "brand": ("#f0b545", "#8a5a00", "1;33"),
    "needs": ("#f0b545", "#9a3f00", "1;33"),
    "working": ("#62b8f0", "#00609c", "36"),
    "waiting": ("#2fc49a", "#00694e", "32"),
    "idle": ("#aab3c0", "#5c6570", ""),
    "ended": ("#95a0af", "#5d6671", "2"),
    "good": ("#2fc49a", "#00694e", "32"),
    "warn": ("#f0b545", "#8a5a00", "33"),
    "bad": ("#f58a5a", "#b02a00", "1;31"),
    "track": ("#5b6472", "#9aa2ab", "2"),
    "key": ("#f2f5f9", "#0d1117", "1"),
    "heading": ("#aab4c3", "#3f4854", "1"),
}
"""Each role on dark ground, on light ground, and in the sixteen colours that the terminal itself chose."""


def _inks(ground: int) -> dict[Role, Ink]:
    return {role: Ink(look[ground], bold=look[2].startswith("1")) for role, look in _ROLES.items()}


DARK = Palette(ground="#14171c", raised="#1c2028", picked="#2a3342", inks=_inks(0))
LIGHT = Palette(ground="#fbfbf9", raised="#f0f1ee", picked="#dde7f3", inks=_inks(1))

BASIC: dict[Role, str] = {role: look[2] for role, look in _ROLES.items()}
"""The codes of the roles for the plain board."""

COLOURLESS: dict[Role, str] = {role: code if code in {"", "1", "2"} else "1" for role, code in BASIC.items()}
"""The same where no colour is wanted (NO_COLOR)."""
