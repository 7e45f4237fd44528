"""The README's picture is the board as it is drawn today, and shows what is in the scene it is drawn from."""

import html
import re

import pytest
from board_scene import NOW, PICTURE, SESSIONS

pytest.importorskip("textual", reason="the picture needs the extra `tui`")

from pictures import SIZE, TARGET, draw

from bellboard.supervisor.views.board.ink import text_of
from bellboard.supervisor.views.board.picture import Choice, View
from bellboard.supervisor.views.board.screen import head_lines, screen


@pytest.fixture(scope="module")
def drawn() -> str:
    return draw()


def lines_of(svg: str) -> list[str]:
    """The text of a picture, from the top, a line each, its words one space apart."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for x, y, words in re.findall(r'<text [^>]*?x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        lines.setdefault(float(y), []).append((float(x), html.unescape(words)))
    return [" ".join(" ".join(words for _, words in sorted(parts)).split()) for _, parts in sorted(lines.items())]


def _close(text: str) -> str:
    """A text without spaces: where one ink ends and another begins, there is one in the picture or not."""
    return "".join(text.split())


def test_the_picture_of_the_readme_is_the_one_that_the_script_makes(drawn: str) -> None:
    assert lines_of(TARGET.read_text(encoding="utf-8")) == lines_of(drawn), "run `python -m tests.pictures`"


def test_the_picture_is_the_same_each_time(drawn: str) -> None:
    assert draw() == drawn


def test_the_picture_shows_who_needs_you_and_every_living_session(drawn: str) -> None:
    shown = _close("\n".join(lines_of(drawn)))
    head = head_lines(screen(PICTURE, Choice()), View(NOW, SIZE[0] - 5, SIZE[1]))
    assert [line for line in head if _close(text_of(line)) not in shown] == []
    living = [each for each in SESSIONS if each.lifecycle == "active"]
    assert [each.id for each in living if _close((each.title or "")[:20]) not in shown] == []
    assert _close("why working for 40s - its last record says so") in shown


def test_a_reader_of_the_picture_fetches_nothing_from_elsewhere() -> None:
    svg = TARGET.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\s\"')]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "font-face" not in svg
