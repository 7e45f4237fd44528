"""Look: the board as Textual has to be told of it: style sheet, themes, and which key does what (`views/board/keys.py`)."""

from textual.binding import Binding, BindingType
from textual.theme import Theme

from .palette import DARK, LIGHT, Palette

CSS = """
Screen { layers: base; background: $background; overflow: hidden; }
Sheet { height: auto; }
#head { padding: 0 1; height: auto; }
#columns { padding: 0 1; height: 1; margin-top: 1; }
#list { padding: 0 1; height: 1fr; }
#pane { padding: 0 1; border-top: heavy $surface; display: none; }
#below { padding: 0 1; height: auto; border-top: heavy $surface; display: none; }
#keys { height: 1; padding: 0 1; }
"""
BORDER = 1
"""Lines that a pane takes besides its own."""

BINDINGS: list[BindingType] = [
    Binding(keys, action)
    for keys, action in (
        ("q,ctrl+c", "quit"),
        ("down,j", "move(1)"),
        ("up,k", "move(-1)"),
        ("pagedown", "page(1)"),
        ("pageup", "page(-1)"),
        ("home", "move(-100000)"),
        ("end", "move(100000)"),
        ("J", "pane(3)"),
        ("K", "pane(-3)"),
        ("enter", "details"),
        ("w", "waiting"),
        ("n", "needs_only"),
        ("s", "sort"),
        ("e", "ended"),
        ("h", "health"),
        ("t", "ground"),
        ("question_mark", "help"),
        ("escape", "undo"),
    )
]

NAMES = {True: "bellboard-dark", False: "bellboard-light"}


def themes() -> tuple[Theme, Theme]:
    """Return both palettes as Textual wants them: for scroll bars and borders."""
    return _theme(DARK, dark=True), _theme(LIGHT, dark=False)


def _theme(palette: Palette, *, dark: bool) -> Theme:
    return Theme(
        name=NAMES[dark],
        primary=palette.inks["working"].colour,
        accent=palette.inks["needs"].colour,
        foreground=palette.inks["plain"].colour,
        background=palette.ground,
        surface=palette.raised,
        panel=palette.raised,
        dark=dark,
    )
