"""The small pieces of the board: bars, sparklines, words, pills, strip, names."""

from typing import Any

import pytest
from board_scene import NOW, SESSIONS, ago, health, session, waiting

from bellboard.protocol.session import Evidence, HealthState
from bellboard.supervisor.views.board.bars import bar, context, elapsed, spark
from bellboard.supervisor.views.board.columns import COLUMNS, GAP, line, places
from bellboard.supervisor.views.board.found import nobody
from bellboard.supervisor.views.board.header import connected
from bellboard.supervisor.views.board.ink import Span, clip, cut, fit, length, text_of, width_of, wrapped
from bellboard.supervisor.views.board.keys import KEYS, bottom, helped
from bellboard.supervisor.views.board.names import agent, agent_in, projects, title
from bellboard.supervisor.views.board.picture import Choice, Picture, View
from bellboard.supervisor.views.board.pills import pill, pills
from bellboard.supervisor.views.board.rows import Entry, rows
from bellboard.supervisor.views.board.standing import LEGEND, seen, standing
from bellboard.supervisor.views.board.strip import needing, strip


def test_wide_characters_take_two_columns_and_combining_ones_none() -> None:
    assert [width_of(text) for text in ("abc", "日本", "e\u0301", "🎉")] == [3, 4, 1, 2]
    assert [clip("日本語", width) for width in (6, 5, 4, 1, 0)] == ["日本語", "日本…", "日…", "…", ""]
    assert fit("日本語", 6, right=True) == "日本語"
    assert [width_of(fit("日本語", width)) for width in range(9)] == list(range(9))


def test_control_characters_never_reach_the_terminal() -> None:
    assert fit("a\x1b[31m\nb", 8) == "a [31m b"


def test_a_line_is_cut_where_the_terminal_ends() -> None:
    line = (Span("abc"), Span("def", "needs"), Span("ghi"))
    assert cut(line, 5) == (Span("abc"), Span("d…", "needs"))
    assert cut(line, 9) == line


def test_pieces_that_do_not_fit_go_to_the_next_line() -> None:
    pieces = [(Span("aaaa"),), (Span("bbb"),), (Span("cccccccccccc"),)]
    assert [text_of(line) for line in wrapped(pieces, 10)] == ["aaaa  bbb", "ccccccccc…"]


@pytest.mark.parametrize(
    ("facts", "wide", "narrow"),
    [
        (
            {"context_tokens": 100_000, "max_context_tokens": 200_000, "max_context_from": "reported"},
            "████░░░░░ 100k/200k",
            "██░░ 50%",
        ),
        (
            {"context_tokens": 100_000, "max_context_tokens": 200_000, "max_context_from": "table"},
            "▒▒▒▒░░░░░ 100k/~200k",
            "▒▒░░ ~50%",
        ),
        ({"context_tokens": 100_000}, "100k used", "100k used"),
        ({}, "", ""),
        (
            {"context_tokens": 1, "max_context_tokens": 200_000, "max_context_from": "reported"},
            "█░░░░░░░░ 1/200k",
            "█░░░ 0%",
        ),
        (
            {"context_tokens": 199_000, "max_context_tokens": 200_000, "max_context_from": "reported"},
            "████████░ 199k/200k",
            "███░ 100%",
        ),
        (
            {"context_tokens": 250_000, "max_context_tokens": 200_000, "max_context_from": "observed"},
            "▒▒▒▒▒▒▒▒▒ 250k/~200k",
            "▒▒▒▒ ~125%",
        ),
        ({"context_tokens": 5, "max_context_tokens": 0}, "5 used", "5 used"),
    ],
)
def test_the_context_is_a_bar_hatched_if_its_size_is_a_guess_and_none_if_unknown(
    facts: dict[str, Any], wide: str, narrow: str
) -> None:
    state = session("s", **facts)
    assert (text_of(context(state, 20)), text_of(context(state, 10))) == (wide, narrow)


def test_a_bar_says_by_its_ink_when_it_gets_tight() -> None:
    assert [bar(share, 4, guess=False)[0].role for share in (0.2, 0.8, 0.95)] == ["good", "warn", "bad"]


def test_each_step_of_a_sparkline_is_twice_as_much_and_silence_is_a_dot() -> None:
    assert text_of(spark((0, 1, 2, 3, 4, 8, 16, 32, 64, 128, 9999), 11)) == "·▁▂▂▃▄▅▆▇██"
    assert text_of(spark((1,) * 60, 3)) == "▁▁▁"
    assert text_of(spark((5,), 3)) == "··▃"
    assert spark(None, 3) == ()


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0s"), (59, "59s"), (130, "2m10s"), (3900, "1h05m"), (500_620, "5d19h"), (-5, "0s")]
)
def test_how_long_something_runs(seconds: float, said: str) -> None:
    assert elapsed(ago(seconds), NOW) == said
    assert elapsed(None, NOW) == ""


def test_every_state_has_a_glyph_and_a_word() -> None:
    states = [*SESSIONS, waiting("p", "plan", 9), session("w", activity="waiting", waiting_for="prompt")]
    said = {(standing(state).glyph, standing(state).word) for state in states}
    assert said == {
        ("▲", "needs permission"),
        ("▲", "asks a question"),
        ("▲", "shows a plan"),
        ("●", "working"),
        ("○", "at the prompt"),
        ("·", "idle"),
        ("-", "ended"),
        ("-", "stale"),
    }
    assert all(words for _, words in LEGEND)


def test_what_is_only_inferred_is_marked_and_dim() -> None:
    kinds = ("registry", "record", "process", "tool", "age", "none")
    fresh, old = (
        {kind: seen(session("s", evidence=Evidence(kind=kind), current_tool_started_at=began), NOW) for kind in kinds}  # type: ignore[arg-type]
        for began in (ago(60), ago(180))
    )
    assert {kind for kind, each in fresh.items() if (each.word, each.role) == ("working?", "dim")} == {"age", "none"}
    assert {kind for kind, each in old.items() if each == standing(session("s"))} == {"registry", "record", "process"}
    assert {each.word for each in old.values()} == {"working", "working?"}
    asks = seen(waiting("p", "permission", 500, known_by="tool"), NOW)
    assert (asks.word, asks.role, asks.rank) == ("needs permission?", "needs", 0)


def test_a_call_that_is_open_for_days_is_drawn_as_a_guess() -> None:
    long = session(
        "s", current_tool="Bash", current_tool_started_at=ago(500_620), evidence=Evidence(kind="tool"), title="Old"
    )  # fmt: skip
    (row,) = [each for each in rows([long], Choice()) if isinstance(each, Entry)]
    drawn = line(row, places(120), NOW, Picture((long,), (), 0.0))
    assert [span.text.strip() for span in drawn if span.text.strip() and span.role != "dim"] == ["Old"]
    assert "Bash 5d19h" in text_of(drawn)
    assert "● working?" in text_of(drawn)


def test_a_session_without_a_name_is_called_by_the_beginning_of_its_id() -> None:
    unnamed = session("4f1c2d3e-0a51-4c7b-9d0e-6a1f0c7d2b11")
    assert title(unnamed) == "4f1c2d3e"


def test_where_no_agent_is_no_word_is_broken_and_doctor_is_named() -> None:
    absent = health("claude", pid=None, absent=("~/.claude",))
    said = [text_of(each) for each in nobody([absent])]
    assert max(map(len, said)) < 80
    assert said[-2:] == [
        "What is missing, and what mends it:   bellboard doctor",
        "The board with simulated agents:      bellboard demo",
    ]


def test_a_session_that_is_over_needs_nobody_whatever_its_last_words_were() -> None:
    over = waiting("s", "permission", 5, lifecycle="terminal", end_reason="stale")
    assert (standing(over).word, needing([over])) == ("stale", [])


def test_the_strip_is_oldest_first_and_says_what_is_asked_and_how_that_is_known() -> None:
    short, long = waiting("a", "question", 60, title="short"), waiting("b", "plan", 7200, title="long", known_by="hook")
    assert [text_of(line) for line in strip(needing([short, long]), View(NOW, 120))] == [
        "▲   2h  shows a plan  webshop  Claude Code  long  its hook told us",
        "▲   1m  asks a question  webshop  Claude Code  short  the client's live registry says so",
    ]


def test_a_strip_that_is_too_long_counts_the_rest() -> None:
    many = [waiting(f"s{number}", "question", number) for number in range(9)]
    lines = [text_of(line) for line in strip(needing(many), View(NOW, 100))]
    assert (len(lines), lines[-1]) == (5, "  and 5 more  w: next")


def test_who_waits_since_nobody_knows_when_comes_last() -> None:
    unknown = session("u", activity="waiting", waiting_for="question", evidence=None, last_activity_at=None)
    assert [each.id for each in needing([unknown, waiting("k", "question", 5)])] == ["k", "u"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (health("claude"), "✓ Claude Code up 2"),
        (health("claude", restarts=1), "✓ Claude Code up 2 · 1 restart"),
        (health("claude", restarts=3, unknown_records=312), "✓ Claude Code up 2 · 3 restarts · 312 unknown records"),
        (health("claude", settled=False), "↻ Claude Code reading 2"),
        (health("claude", pid=None, settled=False), "↻ Claude Code starting"),
        (health("claude", pid=None), "- Claude Code stopped"),
        (health("claude", pid=None, absent=("~/.claude",)), "- Claude Code not found"),
        (health("claude", status="paused", pid=None), "‖ Claude Code paused"),
        (
            health("claude", status="degraded", reason="discover failed: EIO"),
            "! Claude Code degraded: discover failed: EIO",
        ),
        (
            health("claude", status="degraded", pid=None, restarts=4, reason="the worker died and is starting again"),
            "↻ Claude Code restarting 4: the worker died and…",
        ),
        (
            health("claude", status="degraded", pid=None, absent=("/x",), reason="not found: looked in /x"),
            "! Claude Code degraded: not found: looked i…",
        ),
        (health("mine", status="failed", reason="the source cannot be loaded"), "✗ mine failed: the source cannot b…"),
    ],
)
def test_a_pill_says_how_a_worker_does_and_why(state: HealthState, said: str) -> None:
    assert text_of(pill(state, 2, 20)) == said


def test_agents_that_are_not_here_stand_last() -> None:
    states = [health("claude", pid=None, absent=("~/.claude",)), health("pi"), health("codex")]
    assert [source for source, _ in pills(states, {}, 20)] == ["codex", "pi", "claude"]


@pytest.mark.parametrize(
    ("silence", "private", "long", "brief"),
    [
        (None, False, "◌ connecting", "◌ connecting"),
        (0.4, False, "● live", "● live"),
        (2.9, True, "● live · private", "● live"),
        (3.0, False, "✗ supervisor not heard: this picture is 3 s old", "✗ picture 3 s old"),
        (600.0, False, "✗ supervisor not heard: this picture is 10 min old", "✗ picture 10 min old"),
        (9000.0, False, "✗ supervisor not heard: this picture is 2 h old", "✗ picture 2 h old"),
    ],
)
def test_the_connection_says_how_old_the_picture_is(
    silence: float | None, private: bool, long: str, brief: str
) -> None:
    picture = Picture((), (), silence, private)
    assert (text_of(connected(picture)), text_of(connected(picture, brief=True))) == (long, brief)


def test_columns_give_way_in_a_fixed_order_and_the_state_and_the_name_never_do() -> None:
    shown = {width: [place.column.name for place in places(width)] for width in (20, 40, 60, 80, 100, 120, 140, 200)}
    assert shown[200] == [column.name for column in COLUMNS]
    assert shown[20] == ["state", "title"]
    assert shown[40] == ["state", "title", "age"]
    assert [len(shown[width]) for width in sorted(shown)] == sorted(len(names) for names in shown.values())


@pytest.mark.parametrize("width", range(20, 240, 7))
def test_columns_fill_the_width_exactly(width: int) -> None:
    shown = places(width)
    assert sum(place.width for place in shown) + GAP * (len(shown) - 1) == width
    assert [place.start for place in shown[1:]] == [place.start + place.width + GAP for place in shown[:-1]]


def test_agents_have_the_names_that_people_use() -> None:
    assert [agent(source) for source in ("claude", "codex", "mine")] == ["Claude Code", "Codex CLI", "mine"]
    assert [agent_in(source, 8) for source in ("claude", "codex", "opencode", "mine")] == [
        "Claude",
        "Codex",
        "OpenCode",
        "mine",
    ]


def test_projects_have_as_much_of_their_path_as_tells_them_apart() -> None:
    named = projects(["/a/x/app", "/b/x/app", "/c/tool", "/tool", "", "C:\\work\\app"])
    assert named == {
        "/a/x/app": "a/x/app",
        "/b/x/app": "b/x/app",
        "/c/tool": "c/tool",
        "/tool": "/tool",
        "": "(no project)",
        "C:\\work\\app": "C:\\work\\app",
    }


def test_the_bottom_line_keeps_the_help_and_the_way_out() -> None:
    for width in range(20, 200):
        text = text_of(bottom(width))
        assert ("? help" in text, "q quit" in text) == (True, True), width
    assert all(key.short in text_of(bottom(200)) for key in KEYS)
    assert text_of(bottom(200, opened=True)).startswith("Enter back   / filter")


def test_the_help_loses_no_word_however_narrow_it_is() -> None:
    words = " ".join(text_of(each) for each in helped(200)).split()
    for width in (31, 40, 59, 80):
        assert " ".join(text_of(each) for each in helped(width)).split() == words


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_help_explains_every_key_and_state(width: int) -> None:
    lines = helped(width)
    assert max(length(line) for line in lines) <= width
    text = "\n".join(text_of(line) for line in lines)
    assert all(key.keys in text for key in KEYS)
    assert all(each.word in text for each, _ in LEGEND)


def test_evidence_that_is_missing_is_said_to_be_missing() -> None:
    assert text_of(strip([waiting("s", "plan", 5, known_by="none")], View(NOW, 120))[0]).endswith("nothing says more")
    nobody = session("s", activity="waiting", waiting_for="plan", evidence=None)
    assert text_of(strip([nobody], View(NOW, 120))[0]).endswith("the agent's files say no more")
    assert Evidence(kind="none").detail == ""
