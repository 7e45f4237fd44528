"""Show: the demo's board for people: the live board, with the comparison and the deeds below it.

Without a terminal only what happens is told, line by line, and at the end the board as it was.
"""

import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ...protocol.subscriber import Subscriber
from ..live import start
from ..live.beside import Beside
from ..views.board.ink import Line, Span
from ..views.text import health_table, table
from .performance import Report

TELL_SECONDS = 5.0
STEP_SECONDS = 0.2
JOIN_SECONDS = 15.0


def show(runtime_dir: str, report: Callable[[], Report], over: Callable[[], bool]) -> None:
    """Show the board in this folder until `over`; `report` is what the demo says besides it. Raises NotRunning."""
    if start.wanted():
        start.follow(runtime_dir, Beside(lambda: below(report()), over))
    else:
        _tell(runtime_dir, report, over)


def below(report: Report) -> list[Line]:
    """Return what stands below the board: how the counts compare, and under it the newest deeds."""
    head: Line = (Span("demo  ", "brand"), Span(report.line or "the actors begin", "plain"))
    return [head, *((Span(f"{words:.{MARK}}", "dim"), Span(words[MARK:])) for words in reversed(report.log))]


MARK = len("   0.0 s  ")
"""Columns of the time in a line of the log."""


def _tell(runtime_dir: str, report: Callable[[], Report], over: Callable[[], bool]) -> None:
    """Tell what happens, a line each: deeds at once, the comparison now and then."""
    told: set[str] = set()
    compared_at = float("-inf")
    with Subscriber(runtime_dir, patience=JOIN_SECONDS) as board:
        ending = False
        while not ending:
            ending = over()
            board.receive(STEP_SECONDS)
            now = report()
            for line in now.log:
                if line not in told:
                    told.add(line)
                    _write(line)
            if now.line and time.monotonic() - compared_at >= TELL_SECONDS:
                compared_at = time.monotonic()
                _write(now.line)
        _write(f"\n{_picture(board)}\n")


def _picture(board: Subscriber) -> str:
    now = datetime.now(UTC)
    width = shutil.get_terminal_size((160, 24)).columns
    health = tuple(state for _, state in sorted(board.health.items()))
    return f"{table(list(board.sessions.values()), now, width)}\n\n{health_table(health, now)}"


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
