"""What the demo's plain view writes, on a terminal and elsewhere."""

import io
import sys
from datetime import UTC, datetime

import pytest

from bellboard.supervisor.demo.cast import cast
from bellboard.supervisor.demo.performance import Performance, Report
from bellboard.supervisor.demo.show import show

REPORT = Report(
    "written 3 messages and 1 call; board says the same", ("   1.0 s  pi's worker 7 killed (SIGKILL): away",)
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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


@pytest.mark.timeout(60)
def test_on_a_terminal_the_board_is_drawn_anew_with_the_report_beneath(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    shown(folder, 12)
    pictures = terminal.getvalue().split("\x1b[H\x1b[2J")
    assert pictures[0] == ""
    assert len(pictures) >= 3
    last = pictures[-1].splitlines()
    assert last[0].split()[:3] == ["STATE", "AGENT", "MODEL"]
    assert last[-2:] == [REPORT.line, REPORT.log[0]]
