"""The README's picture says what the model says, and is the one that the script makes today."""

import html
import re

import pytest
from pictures import NOW, PICTURE, draw, model

from bellboard.protocol.event import Snapshot
from bellboard.supervisor.views import text

pytest.importorskip("rich", reason="the picture needs the extra `pictures`")


@pytest.fixture(scope="module")
def picture() -> Snapshot:
    return model()


def lines_of(svg: str) -> list[str]:
    """The text of a picture, from the top, a line each, its words one space apart."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for x, y, words in re.findall(r'<text [^>]*?x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        lines.setdefault(float(y), []).append((float(x), html.unescape(words)))
    return [" ".join(" ".join(words for _, words in sorted(parts)).split()) for _, parts in sorted(lines.items())]


def test_the_picture_shows_each_session_of_the_model_as_it_is(picture: Snapshot) -> None:
    shown = [line for line in lines_of(draw(picture)) if any(f" {each.source} " in line for each in picture.sessions)]
    rows = [line for line in shown if "healthy" not in line]
    assert len(rows) == len(picture.sessions) == 6
    for row, session in zip(rows, picture.sessions, strict=True):
        state = f"! {text.state_word(session)}" if session.needs_you else text.state_word(session)
        folder = (session.working_dir or "").rpartition("/")[2]
        assert f"{state} {session.source} {session.model} " in row
        assert f" {session.message_count} {session.tool_call_count} " in row
        assert f" {text.age(session.last_activity_at, NOW)} {folder} " in row
        assert f" {text.context(session).rpartition(' ')[2]} " in row
        assert (session.title or "")[:8] in row


def test_the_picture_says_who_needs_you_and_how_many_do_what(picture: Snapshot) -> None:
    lines = lines_of(draw(picture))
    (asking,) = [session for session in picture.sessions if session.needs_you]
    assert any(line.startswith(f"! reports needs your permission for {asking.current_tool}") for line in lines)
    assert any(
        f"{sum(each.message_count for each in picture.sessions)} messages, "
        f"{sum(each.tool_call_count for each in picture.sessions)} tool calls" in line
        for line in lines
    )
    assert sum(line.count("healthy") for line in lines) == len(picture.health) == 5


def test_the_picture_of_the_readme_is_the_one_that_the_script_makes(picture: Snapshot) -> None:
    assert lines_of(PICTURE.read_text(encoding="utf-8")) == lines_of(draw(picture)), "run `python -m tests.pictures`"


def test_a_reader_of_the_picture_fetches_nothing_from_elsewhere() -> None:
    svg = PICTURE.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\s\"')]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "font-face" not in svg
