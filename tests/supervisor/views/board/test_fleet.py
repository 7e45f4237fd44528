"""The board of a fleet: machines, then projects; one pill for each machine; who is away is said, and is no error."""

from pathlib import Path

import pytest
from board_scene import PICTURE
from fleet_scene import AWAY, FLEET, FLEET_HEALTH, FLEET_SESSIONS, NOW
from msgspec import structs

from bellboard.supervisor.views.board import detail
from bellboard.supervisor.views.board.hosts import away, machines, pill_key
from bellboard.supervisor.views.board.ink import Line, length, text_of
from bellboard.supervisor.views.board.pane import pane
from bellboard.supervisor.views.board.picture import Choice, Picture, View
from bellboard.supervisor.views.board.rows import Entry, Heading, Site, rows
from bellboard.supervisor.views.board.screen import pill_at, pill_lines, row_line, screen, strip_lines, top, whole
from bellboard.supervisor.views.text import table

PICTURES = Path(__file__).parents[3] / "data" / "board"


def texts(lines: list[Line]) -> list[str]:
    return [text_of(line) for line in lines]


@pytest.mark.parametrize(("width", "height"), [(160, 28), (80, 30)])
def test_the_board_of_a_fleet_looks_like_this(width: int, height: int) -> None:
    shown = texts(whole(screen(FLEET, Choice()), View(NOW, width, height)))
    expected = (PICTURES / f"fleet-{width}.txt").read_text(encoding="utf-8")
    assert "\n".join(shown) + "\n" == expected


@pytest.mark.parametrize("width", [*range(20, 60), 79, 100, 133, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = tuple(structs.replace(each, host=f"{each.host}.a-very-long-name.example.org") for each in FLEET_SESSIONS)
    lines = whole(screen(FLEET._replace(sessions=long), Choice(ended=True)), View(NOW, width, 30))
    assert [text_of(line) for line in lines if length(line) > width] == []


def test_machines_where_somebody_waits_come_first_then_by_name_and_their_projects_likewise() -> None:
    listed = [
        (row.name, row.count, row.needs)
        for row in rows(FLEET_SESSIONS, Choice())
        if isinstance(row, (Site, Heading)) and (isinstance(row, Site) or row.needs)
    ]
    assert listed == [
        ("laptop", 3, 1),
        ("reports", 1, 1),
        ("build-1", 3, 1),
        ("etl", 1, 1),
        ("workstation", 2, 0),
    ]


def test_the_board_of_one_machine_knows_nothing_of_machines() -> None:
    assert not any(isinstance(row, Site) for row in rows(PICTURE.sessions, Choice()))
    assert (machines(PICTURE.health, PICTURE.sessions), away(PICTURE.health)) == ([], {})


def test_the_header_says_how_many_machines_and_how_many_of_them_are_heard() -> None:
    shown = screen(FLEET, Choice())
    assert text_of(top(shown, View(NOW, 160))).endswith("● live · 3 machines, 1 offline")
    assert text_of(top(shown, View(NOW, 80))).endswith("● live · 2/3 machines")
    lost = screen(FLEET._replace(silence=47.0, trouble="127.0.0.1:1 is not reached"), Choice())
    assert text_of(top(lost, View(NOW, 160))).endswith("✗ fleet not heard: this picture is 47 s old")
    assert text_of(pill_lines(lost, View(NOW, 160))[-1]).startswith("✗ 127.0.0.1:1 is not reached; this board goes on")


def test_a_machine_is_as_well_as_the_worst_of_its_sources_and_offline_is_no_error() -> None:
    shown, view = screen(FLEET, Choice()), View(NOW, 160)
    (line,) = pill_lines(shown, view)
    assert text_of(line).split("   ") == [
        "◌ build-1 offline 3h",
        "✓ laptop up 3",
        "! workstation Gemini CLI degraded: 2 session(s) cannot be read: unexpected…",
    ]
    assert {span.role for span in line if "offline" in span.text or AWAY in span.text} == {"dim"}
    assert pill_at(shown, view, 25, 3) == pill_key("laptop")
    opened = texts(pane(pill_key("laptop"), shown, view))
    assert [line for line in opened if "laptop" in line] == [
        "✓ up  Claude Code on laptop",
        "✓ up  Codex CLI on laptop",
        "✓ up  OpenCode on laptop",
        "✓ up  Pi on laptop",
    ]


def test_with_one_machine_there_are_pills_for_its_sources() -> None:
    one = Picture(FLEET_SESSIONS, tuple(state for state in FLEET_HEALTH if state.host == AWAY), 0.1, fleet=True)
    assert texts(pill_lines(screen(one, Choice()), View(NOW, 160)))[0].startswith("◌ Claude Code offline   ◌ Codex")


def test_many_machines_are_counted_where_there_is_no_room() -> None:
    many = tuple(structs.replace(FLEET_HEALTH[0], host=f"machine-{number:02}") for number in range(60))
    shown = screen(FLEET._replace(health=(*many, *FLEET_HEALTH)), Choice())
    assert texts(pill_lines(shown, View(NOW, 80, 24))) == [
        "! workstation Gemini CLI degraded: 2 session(s) cannot…   62 others, 1 offline",
    ]


def test_who_needs_you_is_said_with_the_machine() -> None:
    lines = texts(strip_lines(screen(FLEET, Choice()), View(NOW, 160)))
    assert ["reports on laptop" in lines[0], "etl on build-1" in lines[1]] == [True, True]
    narrow = texts(strip_lines(screen(FLEET, Choice()), View(NOW, 50)))
    assert narrow[1] == "▲   1m  question  etl on build-1"


def test_sessions_of_a_machine_that_is_away_look_old_and_only_they_do() -> None:
    shown, view = screen(FLEET, Choice()), View(NOW, 160)
    dim = {
        (row.session.host, {span.role for span in row_line(shown, row, view)} == {"dim"})
        for row in shown.rows
        if isinstance(row, Entry)
    }
    assert dim == {("laptop", False), ("workstation", False), (AWAY, True)}


def test_the_filter_finds_a_machine_and_details_name_it() -> None:
    found = [row.session.host for row in rows(FLEET_SESSIONS, Choice(words="build")) if isinstance(row, Entry)]
    assert set(found) == {"build-1"}
    said = texts(detail.session(FLEET_SESSIONS[0], NOW, 100))
    assert [line for line in said if line.startswith("is ")] == [
        "is         machine laptop  agent Claude Code 2.1.330  model claude-opus-5-5"
    ]


def test_the_plain_table_has_a_column_for_the_machine_on_the_board_of_a_fleet_alone() -> None:
    fleet = table(list(FLEET_SESSIONS[:2]), NOW, 160).splitlines()
    assert "HOST" in fleet[0]
    assert ("laptop" in fleet[1], "build-1" in fleet[2]) == (True, True)
    assert "HOST" not in table(list(PICTURE.sessions), NOW, 160).splitlines()[0]
    assert "HOST" not in table(list(FLEET_SESSIONS), NOW, 40).splitlines()[0]
