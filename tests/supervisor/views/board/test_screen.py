from pathlib import Path

import pytest
from board_scene import HEALTH, NOW, PICTURE, SESSIONS, ago, health, session, waiting

from bellboard.protocol.replica import Key
from bellboard.supervisor.views.board.ink import Span, length, text_of
from bellboard.supervisor.views.board.picture import Choice, Picture, View, key_of
from bellboard.supervisor.views.board.screen import (
    index_of,
    left_out,
    neighbour,
    next_waiting,
    pill_at,
    pill_lines,
    row_line,
    screen,
    strip_lines,
    top,
    whole,
)

PICTURES = Path(__file__).parents[3] / "data" / "board"


def drawn(picture: Picture, width: int, height: int, choice: Choice | None = None) -> str:
    lines = whole(screen(picture, choice or Choice()), View(NOW, width, height))
    return "\n".join(text_of(line) for line in lines) + "\n"


@pytest.mark.parametrize(("width", "height"), [(160, 22), (80, 24), (40, 24)])
def test_the_board_looks_like_this(width: int, height: int) -> None:
    assert drawn(PICTURE, width, height) == (PICTURES / f"{width}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [*range(20, 60), 79, 100, 133, 200])
def test_no_line_is_wider_than_the_terminal_and_there_are_as_many_as_it_has(width: int) -> None:
    odd = session(
        "odd", title="日本語の題名 " * 9 + "🎉", branch="機能/支払い", model="模型" * 9, current_tool="道具" * 20
    )
    picture = PICTURE._replace(sessions=(*SESSIONS, odd))
    for height in (5, 8, 10, 24):
        lines = whole(screen(picture, Choice(ended=True)), View(NOW, width, height), [(Span("Ctrl-C ends " * 9),)])
        assert len(lines) == height
        assert [text_of(line) for line in lines if length(line) > width] == []


def test_what_does_not_fit_is_counted() -> None:
    many = tuple(session(f"s{number:03}", title=f"work {number:03}") for number in range(40))
    shown = drawn(PICTURE._replace(sessions=many, health=()), 80, 12).splitlines()
    assert shown[-2:] == [
        "● working        work 005                        Claude                       3s",
        "… and 34 more",
    ]


@pytest.mark.parametrize(("height", "shown"), [(10, "1h"), (24, "12h"), (80, "123456789h")])
def test_what_stands_below_leaves_the_list_its_room_and_keeps_its_first_lines_and_the_last(
    height: int, shown: str
) -> None:
    lines = whole(screen(PICTURE, Choice()), View(NOW, 80, height), [(Span(f"foot {each}"),) for each in "123456789h"])
    assert "".join(text_of(line)[5:] for line in lines if text_of(line).startswith("foot ")) == shown


def test_an_empty_board_says_what_to_do() -> None:
    assert drawn(Picture((), (health("claude"),), 0.1), 80, 6).splitlines() == [
        "▲ 0 need you   ● 0 working   ○ 0 at the prompt   · 0 idle   - 0 ended     ● live",
        "✓ nobody needs you",
        "✓ Claude Code up",
        "STATE ▾          SESSION                         AGENT       CONTEXT         AGE",
        "no session is open: start an agent, and it appears here",
        "",
    ]


def test_a_supervisor_that_is_not_heard_never_looks_like_a_quiet_day() -> None:
    lost = screen(PICTURE._replace(silence=47.0), Choice())
    view = View(NOW, 120)
    assert text_of(top(lost, view)).endswith("✗ supervisor not heard: this picture is 47 s old")
    old = [*strip_lines(lost, view), *pill_lines(lost, view), *(row_line(lost, row, view) for row in lost.rows)]
    assert {span.role for line in old for span in line} == {"dim", "bad"}
    assert [text_of(line) for line in old if line[0].role == "bad"] == [
        "✗ no supervisor: `bellboard run` starts one; this board goes on by itself when it is heard again"
    ]


def test_ages_stand_still_while_the_supervisor_is_not_heard() -> None:
    fresh, lost = (screen(PICTURE._replace(silence=silence), Choice()) for silence in (0.0, 300.0))
    later = View(ago(-300), 160)
    assert [text_of(row_line(lost, row, later)) for row in lost.rows] == [
        text_of(row_line(fresh, row, View(NOW, 160))) for row in fresh.rows
    ]


def test_what_is_left_out_is_said() -> None:
    view = View(NOW, 80)
    assert left_out(screen(PICTURE, Choice()), view) == ()
    chosen = Choice(words="etl -csv", needs_only=True)
    assert text_of(left_out(screen(PICTURE, chosen), view)) == "filter: etl -csv  only who needs you  Esc: all"


def test_each_pill_is_where_it_is_drawn() -> None:
    view = View(NOW, 80)
    shown = screen(PICTURE, Choice())
    first = 1 + len(strip_lines(shown, view))
    for y, line in enumerate(pill_lines(shown, view), first):
        text = text_of(line)
        for state, name in zip(HEALTH, ("Claude Code", "Codex CLI", "Gemini CLI", "OpenCode", "Pi up"), strict=True):
            if name in text:
                assert pill_at(shown, view, text.index(name), y) == state.source
    assert pill_at(shown, view, 79, first + 1) is None
    assert pill_at(shown, view, 0, first + 7) is None


def test_moving_goes_from_session_to_session_and_stops_at_the_ends() -> None:
    choice = Choice()
    seen: list[Key | None] = []
    for _ in range(9):
        choice = neighbour(screen(PICTURE, choice), 1)
        seen.append(choice.picked)
    assert seen[0] == key_of(SESSIONS[0])
    assert len(set(seen)) == 8
    assert seen[-1] == seen[-2] == key_of(SESSIONS[4])
    assert neighbour(screen(PICTURE, choice), -100).picked == key_of(SESSIONS[0])
    assert neighbour(screen(PICTURE, Choice()), -1).picked == key_of(SESSIONS[4])


def test_moving_on_an_empty_board_changes_nothing() -> None:
    assert neighbour(screen(Picture((), (), 0.0), Choice()), 1) == Choice()


def test_next_waiting_goes_round_the_longest_wait_first() -> None:
    choice = Choice()
    seen: list[Key | None] = []
    for _ in range(3):
        choice = next_waiting(screen(PICTURE, choice))
        seen.append(choice.picked)
    assert seen == [key_of(SESSIONS[0]), key_of(SESSIONS[1]), key_of(SESSIONS[0])]


def test_next_waiting_drops_a_filter_that_hides_it() -> None:
    choice = next_waiting(screen(PICTURE, Choice(words="docs")))
    assert choice == Choice(picked=key_of(SESSIONS[0]))
    assert next_waiting(screen(Picture((), (), 0.0), Choice(words="docs"))) == Choice(words="docs")


def test_a_picked_session_is_found_wherever_it_has_moved() -> None:
    mover = waiting("m", "plan", 5000, title="moved")
    picture = PICTURE._replace(sessions=(*SESSIONS, mover))
    assert index_of(screen(picture, Choice(picked=key_of(mover)))) == 1
    assert index_of(screen(PICTURE, Choice(picked=key_of(mover)))) is None


def test_where_no_agent_is_there_is_no_empty_table() -> None:
    absent = health("claude", pid=None, absent=("~/.claude",))
    shown = drawn(Picture((), (absent,), 0.1), 100, 12)
    assert "Looked at:" in shown
    assert "bellboard demo" in shown
    assert "no session is open" not in shown


def test_what_is_known_of_the_trouble_is_said_and_that_a_private_board_is_started_again() -> None:
    lost = Picture((), (health("claude"),), 9.0, private=True)
    lines = {picture.trouble: text_of(pill_lines(screen(picture, Choice()), View(NOW, 100))[-1]) for picture in (
        lost, lost._replace(trouble="the disk is full")
    )}  # fmt: skip
    assert lines == {
        None: "✗ it is started again; this board goes on by itself when it is heard again",
        "the disk is full": "✗ the disk is full; this board goes on by itself when it is heard again",
    }
