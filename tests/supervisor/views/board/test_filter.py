import pytest

from bellboard.supervisor.views.board.filter import Filter, pressed, typing
from bellboard.supervisor.views.board.ink import text_of, width_of

NAMES = {"/": "slash", "<": "backspace", "^": "ctrl+u", "!": "enter", "~": "escape"}


def after(keys: str, before: Filter) -> Filter:
    """Return what is left of a filter after some keys, all of which are for it."""
    for each in keys:
        key = NAMES.get(each, each)
        found = pressed(before, key, each if len(key) == 1 or key == "slash" else None)
        assert found is not None, each
        before = found
    return before


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        ("/", Filter("old", "old")),
        ("/<<x", Filter("ox", "ox")),
        ("/^", Filter("", "")),
        ("/^<", Filter("", "")),
        ("/^a/b q", Filter("a/b q", "a/b q")),
        ("/ ", Filter("old ", "old")),
        ("/^ new !", Filter(None, "new")),
        ("/er~", Filter(None, "")),
        ("/!/", Filter("old", "old")),
    ],
)
def test_a_filter_works_while_it_is_typed_stays_with_enter_and_goes_with_escape(keys: str, left: Filter) -> None:
    assert after(keys, Filter(None, "old")) == left


@pytest.mark.parametrize(
    ("before", "key", "char"),
    [
        (Filter(None, "old"), "enter", None),
        (Filter(None, "old"), "escape", None),
        (Filter(None, "old"), "backspace", None),
        (Filter(None, "old"), "q", "q"),
        (Filter("old", "old"), "down", None),
        (Filter("old", "old"), "ctrl+c", None),
    ],
)
def test_what_cannot_be_typed_and_all_before_it_begins_is_for_the_board(
    before: Filter, key: str, char: str | None
) -> None:
    assert pressed(before, key, char) is None


def test_the_bottom_line_shows_what_is_typed_and_fits() -> None:
    assert text_of(typing("etl -csv", 60)) == "/ etl -csv▏  Enter keeps, Esc ends; -word leaves out"
    assert [width_of(text_of(typing("etl -csv", width))) for width in (5, 20, 52)] == [5, 20, 52]
