from pathlib import Path

import pytest
from board_scene import NOW, PICTURE, SESSIONS, ago, health, session

from bellboard.protocol.history import Mark
from bellboard.supervisor.views.board import detail
from bellboard.supervisor.views.board.found import found, missing, nobody
from bellboard.supervisor.views.board.ink import Line, length, text_of
from bellboard.supervisor.views.board.picture import key_of
from bellboard.supervisor.views.board.timeline import ribbon

PICTURES = Path(__file__).parents[3] / "data" / "board"
CART = SESSIONS[3]


def lines_of(lines: list[Line]) -> list[str]:
    return [text_of(line) for line in lines]


def test_the_details_look_like_this() -> None:
    key = key_of(CART)
    lines = detail.session(CART, NOW, 120, PICTURE.marks_of(key), PICTURE.pulse_of(key))
    assert "\n".join(lines_of(lines)) + "\n" == (PICTURES / "details.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [30, 40, 80, 200])
def test_no_detail_is_wider_than_the_pane(width: int) -> None:
    for each in SESSIONS:
        lines = detail.session(each, NOW, width, PICTURE.marks_of(key_of(each)), PICTURE.pulse_of(key_of(each)))
        assert [text_of(line) for line in lines if length(line) > width] == []


def test_what_is_not_known_is_left_out() -> None:
    bare = session("s", evidence=None, started_at=None, last_activity_at=None, working_dir=None)
    assert lines_of(detail.session(bare, NOW, 80)) == [
        "● working?  s  s",
        "why        working - the agent's files say no more",
        "is         agent Claude Code",
        "counts     messages 0  tool calls 0  compactions 0",
    ]


def test_without_marks_the_hour_is_a_sparkline() -> None:
    lines = lines_of(detail.session(session("s"), NOW, 80, None, (0,) * 58 + (1, 4)))
    assert [line for line in lines if line.startswith("last hour")] == ["last hour  " + "·" * 58 + "▁▃"]


def test_a_guessed_size_is_called_a_guess() -> None:
    state = session("s", context_tokens=50, max_context_tokens=100, max_context_from="observed")
    assert any(
        "a guess: at least so much was seen in use" in line for line in lines_of(detail.session(state, NOW, 120))
    )


def test_a_source_says_where_it_looks_how_its_worker_does_and_what_mends_it() -> None:
    state = health(
        "codex", status="failed", pid=None, restarts=5, reason="the worker died 5 times", last_error="killed by SIGSEGV",
        home="/srv/codex", home_from="CODEX_HOME", quarantined=("s1", "s2"), updated_at=ago(65), unknown_records=3,
        traceback="codex/fold.py:10 in fold",
    )  # fmt: skip
    assert lines_of(detail.source(state, NOW, 100)) == [
        "✗ failed  Codex CLI",
        "why        the worker died 5 times",
        "folder     /srv/codex (CODEX_HOME)",
        "worker     none, 5 restart(s)",
        "last error killed by SIGSEGV",
        "stood at   codex/fold.py:10 in fold",
        "set aside  s1, s2",
        "unknown    3 records of a shape not known here",
        "changed    1m ago",
        "mend       bellboard ctl reset codex",
    ]


def mark(seconds: float, activity: str, waiting_for: str | None = None, calls: int = 0, compactions: int = 0) -> Mark:
    return Mark(at=ago(seconds), activity=activity, waiting_for=waiting_for, calls=calls, compactions=compactions)  # type: ignore[arg-type]


def test_the_ribbon_shows_each_stretch_and_the_calls_and_compactions_in_it() -> None:
    marks = [
        mark(2700, "working", calls=10),
        mark(1790, "waiting", "permission", calls=11),
        mark(1190, "waiting", "prompt", calls=11),
        mark(590, "working", calls=19, compactions=1),
        mark(10, "terminal", calls=30, compactions=1),
    ]
    states, ticks, scale = lines_of(ribbon(marks, NOW, 12))
    assert (states, ticks) == ("  ████▲▲▲─██", "      ╷   C┃")
    assert scale == "60 min ago now"


def test_a_short_stretch_that_needs_somebody_is_not_hidden_by_a_long_one() -> None:
    marks = [mark(3000, "working"), mark(1000, "waiting", "question"), mark(999, "working")]
    assert text_of(ribbon(marks, NOW, 6)[0]).count("▲") == 1


def test_marks_older_than_the_hour_and_of_the_future_do_not_hurt() -> None:
    marks = [mark(9000, "idle"), mark(7200, "working"), mark(-50, "waiting", "prompt")]
    assert text_of(ribbon(marks, NOW, 5)[0]) == "█████"


def test_the_agents_that_were_found_are_named_with_version_folder_and_reason() -> None:
    states = [
        health("claude", left_out=3),
        health("codex", home="/srv/codex", home_from="CODEX_HOME"),
        health("gemini", pid=None, absent=("~/.gemini",)),
        health("pi", pid=None, absent=("/opt/pi",), home="/opt/pi", home_from="--source"),
        health("opencode", settled=False),
        health("old", left_out=1),
        health("mine", status="failed", pid=None, reason="the source cannot be loaded", home=None),
    ]
    known = [
        session("a", client_version="2.1.99"),
        session("b", client_version="2.1.330", activity="terminal", lifecycle="terminal"),
        session("c", "codex", activity="terminal", lifecycle="terminal"),
    ]
    assert lines_of(found(states, known)) == [
        "✓ Claude Code 2.1.330  ~/.claude  (1 on the board, 3 older left out)",
        "✓ Codex CLI  /srv/codex (CODEX_HOME)  (all ended)",
        "↻ OpenCode  ~/.opencode  (reading)",
        "✗ mine  (no sessions)  failed: the source cannot be loaded",
        "✓ old  ~/.old  (1 older left out)",
        "- Gemini CLI not found: looked at ~/.gemini",
        "- Pi not found: looked at /opt/pi (--source)",
    ]


def test_where_no_agent_is_at_all_the_paths_and_the_demo_are_named() -> None:
    states = [
        health("claude", pid=None, absent=("~/.claude",)),
        health("pi", pid=None, absent=("~/.pi/agent", "~/.pi")),
    ]
    assert all(missing(state) for state in states)
    text = lines_of(nobody(states))
    assert text[:4] == ["No coding agent was found. Looked at:", "  ~/.claude", "  ~/.pi/agent", "  ~/.pi"]
    assert text[-1].endswith("bellboard demo")


def test_where_paths_are_not_told_none_are_said() -> None:
    states = [health("claude", pid=None, absent=("", ""), home=None)]
    assert lines_of(found(states, [])) == ["- Claude Code not found"]
    assert lines_of(nobody(states))[0] == "No coding agent was found."
