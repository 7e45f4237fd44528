"""Palette: the colours of the roles, on dark and on light ground. Pure.

The hues are those of Okabe and Ito, which colour-blind people can tell apart, made lighter or darker until each can be read
on its ground. Nothing is said by colour alone: each state has a glyph and a word.
"""

from typing import NamedTuple

from ..views.board.ink import Role


class Ink(NamedTuple):
    """How a role looks."""

    colour: str
    bold: bool = False
    dim: bool = False


class Palette(NamedTuple):
    """All colours of one theme; `ground` is below everything, `raised` below panes and heads, `picked` below the cursor."""

    ground: str
    raised: str
    picked: str
    inks: dict[Role, Ink]


DARK = Palette(
    ground="#14171c",
    raised="#1c2028",
    picked="#2a3342",
    inks={
        "plain": Ink("#d5dae2"),
        "dim": Ink("#98a2b1"),
        "strong": Ink("#f2f5f9", bold=True),
        "brand": Ink("#f0b545", bold=True),
        "needs": Ink("#f0b545", bold=True),
        "working": Ink("#62b8f0"),
        "waiting": Ink("#2fc49a"),
        "idle": Ink("#aab3c0"),
        "ended": Ink("#95a0af"),
        "good": Ink("#2fc49a"),
        "warn": Ink("#f0b545"),
        "bad": Ink("#f58a5a", bold=True),
        "track": Ink("#5b6472"),
        "key": Ink("#f2f5f9", bold=True),
        "heading": Ink("#aab4c3", bold=True),
    },
)

LIGHT = Palette(
    ground="#fbfbf9",
    raised="#f0f1ee",
    picked="#dde7f3",
    inks={
        "plain": Ink("#23282f"),
        "dim": Ink("#5c6570"),
        "strong": Ink("#0d1117", bold=True),
        "brand": Ink("#8a5a00", bold=True),
        "needs": Ink("#9a3f00", bold=True),
        "working": Ink("#00609c"),
        "waiting": Ink("#00694e"),
        "idle": Ink("#5c6570"),
        "ended": Ink("#5d6671"),
        "good": Ink("#00694e"),
        "warn": Ink("#8a5a00"),
        "bad": Ink("#b02a00", bold=True),
        "track": Ink("#9aa2ab"),
        "key": Ink("#0d1117", bold=True),
        "heading": Ink("#3f4854", bold=True),
    },
)

BASIC: dict[Role, str] = {
    "plain": "",
    "dim": "2",
    "strong": "1",
    "brand": "1;33",
    "needs": "1;33",
    "working": "36",
    "waiting": "32",
    "idle": "",
    "ended": "2",
    "good": "32",
    "warn": "33",
    "bad": "1;31",
    "track": "2",
    "key": "1",
    "heading": "1",
}
"""The roles in the sixteen colours that the terminal itself chose, for the plain board."""

COLOURLESS: dict[Role, str] = {role: code if code in {"", "1", "2"} else "1" for role, code in BASIC.items()}
"""The same where no colour is wanted (NO_COLOR)."""
