"""What the demo writes without a terminal, and what it tells below a live board; in a terminal: system/test_terminal.py."""

from datetime import UTC, datetime

import pytest

from bellboard.supervisor.demo.cast import cast
from bellboard.supervisor.demo.performance import Performance, Report
from bellboard.supervisor.demo.show import below, show
from bellboard.supervisor.views.board.ink import text_of

REPORT = Report(
    "0 differences; written 3 messages and 1 call; board says the same",
    ("   1.0 s  pi's worker 7 killed (SIGKILL): away",),
)


def shown(folder: str, rounds: int) -> None:
    """Show the board of a demo until its view has asked so many times whether it is over."""
    left = iter(range(rounds, -1, -1))
    with Performance(folder, cast(datetime.now(UTC)), None) as performance:
        show(performance.runtime_dir, lambda: REPORT, lambda: next(left) == 0)


@pytest.mark.timeout(60)
def test_without_a_terminal_each_line_is_told_once_and_the_board_at_the_end(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown(folder, 12)
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[:3] == [REPORT.log[0], REPORT.line, ""]
    assert lines[3].split()[:3] == ["STATE", "AGENT", "MODEL"]
    assert out.count(REPORT.log[0]) == 1
    assert "\x1b" not in out


def test_below_the_live_board_stand_the_comparison_and_the_newest_deeds_first() -> None:
    two = Report(REPORT.line, (*REPORT.log, "   4.0 s  claude's worker 8 made to hang: waiting to be found"))
    assert [text_of(line) for line in below(two)] == [
        f"demo  {REPORT.line}",
        "   4.0 s  claude's worker 8 made to hang: waiting to be found",
        REPORT.log[0],
    ]
    assert text_of(below(Report())[0]) == "demo  the actors begin"
