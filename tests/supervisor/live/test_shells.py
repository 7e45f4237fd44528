"""What the shells decide without a terminal: colours, what is written anew, what a terminal's answer means."""

import pytest

from bellboard.supervisor.live.ground import answered, told
from bellboard.supervisor.live.palette import BASIC, COLOURLESS, DARK, LIGHT, Palette
from bellboard.supervisor.live.plain import Screenful
from bellboard.supervisor.views.board.ink import Span


def light(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_every_text_can_be_read_on_every_ground(palette: Palette) -> None:
    weak = {
        (role, ground, round(contrast(ink.colour, ground), 2))
        for role, ink in palette.inks.items()
        for ground in (palette.ground, palette.raised, palette.picked)
        if contrast(ink.colour, ground) < (2.0 if role == "track" else 4.5)
    }
    assert weak == set()


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_every_role_has_an_ink(palette: Palette) -> None:
    assert palette.inks.keys() == BASIC.keys() == COLOURLESS.keys()


def test_without_colour_no_colour_is_written() -> None:
    assert {part for code in COLOURLESS.values() for part in code.split(";")} <= {"", "1", "2"}


def test_only_lines_that_changed_are_written() -> None:
    shown = Screenful(colour=True)
    first = shown.changed([(Span("a", "needs"),), (Span("b"),)], 10)
    assert first == "\x1b[?2026h\x1b[2J\x1b[1;1H\x1b[1;33ma\x1b[0m\x1b[K\x1b[2;1Hb\x1b[K\x1b[?2026l"
    assert shown.changed([(Span("a", "needs"),), (Span("c"),)], 10) == "\x1b[?2026h\x1b[2;1Hc\x1b[K\x1b[?2026l"
    assert shown.changed([(Span("a", "needs"),), (Span("c"),)], 10) == ""


def test_another_size_draws_everything_anew() -> None:
    shown = Screenful(colour=False)
    shown.changed([(Span("abc", "bad"),)], 10)
    assert shown.changed([(Span("abc", "bad"),)], 2) == "\x1b[?2026h\x1b[2J\x1b[1;1H\x1b[1ma…\x1b[0m\x1b[K\x1b[?2026l"


@pytest.mark.parametrize(
    ("environ", "dark"),
    [
        ({}, None),
        ({"COLORFGBG": "15;0"}, True),
        ({"COLORFGBG": "0;default;15"}, False),
        ({"COLORFGBG": "odd"}, None),
        ({"BELLBOARD_THEME": "light", "COLORFGBG": "15;0"}, False),
        ({"BELLBOARD_THEME": "Dark"}, True),
    ],
)
def test_the_environment_may_say_whether_it_is_dark(environ: dict[str, str], dark: bool | None) -> None:
    assert told(environ) is dark


@pytest.mark.parametrize(
    ("reply", "dark"),
    [
        (b"\x1b]11;rgb:1414/1717/1c1c\x1b\\\x1b[?62;c", True),
        (b"\x1b]11;rgb:ff/ff/f0\x07\x1b[?1;2c", False),
        (b"\x1b[?1;2c", None),
        (b"", None),
    ],
)
def test_a_terminals_answer_says_whether_it_is_dark(reply: bytes, dark: bool | None) -> None:
    assert answered(reply) is dark
