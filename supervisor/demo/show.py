"""Show: the demo's board for people. The stage knows nothing of it: any view that follows a runtime folder can stand here.

On a terminal the board is drawn anew each second; elsewhere only what happens is told, line by line, and at the end the
board as it was.
"""

import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from ...protocol.subscriber import Subscriber
from ..views.text import health_table, table
from .performance import Report

DRAW_SECONDS = 1.0
TELL_SECONDS = 5.0
STEP_SECONDS = 0.2
JOIN_SECONDS = 15.0


def show(runtime_dir: str, report: Callable[[], Report], over: Callable[[], bool]) -> None:
    """Show the board in this folder until `over`; `report` is what the demo says besides it. Raises NotRunning."""
    with Subscriber(runtime_dir, patience=JOIN_SECONDS) as board:
        screen = _Screen() if sys.stdout.isatty() else _Lines()
        clock = 0.0
        drawn = -DRAW_SECONDS
        while not over():
            board.receive(STEP_SECONDS)
            clock = datetime.now(UTC).timestamp()
            if clock - drawn >= screen.every:
                drawn = clock
                screen.draw(board, report())
        screen.close(board, report())


class _Screen:
    """The board and the report, drawn over what was drawn before."""

    every = DRAW_SECONDS

    def draw(self, board: Subscriber, report: Report) -> None:
        """Draw."""
        _write(f"\x1b[H\x1b[2J{_picture(board)}\n\n{_words(report)}\n")

    def close(self, board: Subscriber, report: Report) -> None:
        """Leave the last picture."""
        self.draw(board, report)


class _Lines:
    """What happens, a line each: deeds at once, the comparison now and then."""

    every = STEP_SECONDS

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._at = 0.0

    def draw(self, _board: Subscriber, report: Report) -> None:
        """Tell what is new."""
        now = datetime.now(UTC).timestamp()
        for line in report.log:
            if line not in self._told:
                self._told.add(line)
                _write(f"{line}\n")
        if report.line and now - self._at >= TELL_SECONDS:
            self._at = now
            _write(f"{report.line}\n")

    def close(self, board: Subscriber, report: Report) -> None:
        """Tell the rest, and show the board as it is at the end."""
        self.draw(board, report)
        _write(f"\n{_picture(board)}\n\n")


def _picture(board: Subscriber) -> str:
    now = datetime.now(UTC)
    width = shutil.get_terminal_size((160, 24)).columns
    health = tuple(state for _, state in sorted(board.health.items()))
    return f"{table(list(board.sessions.values()), now, width)}\n\n{health_table(health, now)}"


def _words(report: Report) -> str:
    return "\n".join([report.line, *report.log])


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
