"""Plain: the live board without Textual: the same content as lines of text, drawn again when something changed.

Only lines that changed are written, in one piece, so that nothing flickers. It takes no keys: Ctrl-C ends it, and what is
typed meanwhile is neither shown nor left for whoever reads next.
"""

import os
import shutil
import signal
import sys
import termios
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import NoReturn

from ..views.board.ink import Line, Span, cut
from ..views.board.picture import Choice, View
from ..views.board.screen import screen, whole
from .beside import NOTHING, Beside
from .palette import BASIC, COLOURLESS
from .wire import Wire

DRAW_SECONDS = 0.1
CLOCK_SECONDS = 1.0

HINT: Line = (Span("Ctrl-C ends; keys: pip install 'bellboard[tui]' (in a clone: '.[tui]')", "dim"),)

ENTER = "\x1b[?1049h\x1b[?25l"
LEAVE = "\x1b[?25h\x1b[?1049l"
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Terminals that know these show what is between them at once; the others ignore them."""


class Screenful:
    """What the terminal shows now; `changed` says what to write so that it shows something else."""

    def __init__(self, *, colour: bool) -> None:
        self._inks = BASIC if colour else COLOURLESS
        self._shown: list[str] = []
        self._size = (0, 0)

    def changed(self, lines: list[Line], width: int) -> str:
        """Return the characters that make the terminal show these lines; "" if it does."""
        drawn = [self._drawn(cut(line, width)) for line in lines]
        size = (width, len(lines))
        fresh = size != self._size
        words = "\x1b[2J" if fresh else ""
        for number, line in enumerate(drawn):
            if fresh or line != self._shown[number]:
                words += f"\x1b[{number + 1};1H{line}\x1b[K"
        self._shown, self._size = drawn, size
        return f"{BEGIN}{words}{END}" if words else ""

    def _drawn(self, line: Line) -> str:
        return "".join(
            f"\x1b[{code}m{span.text}\x1b[0m" if (code := self._inks[span.role]) and span.text.strip() else span.text
            for span in line
        )


def show(wire: Wire, beside: Beside = NOTHING) -> None:
    """Show the board until interrupted, or until what is beside it is over."""
    news = threading.Event()
    wire.wake = news.set
    screenful = Screenful(colour="NO_COLOR" not in os.environ)
    with _terminal():
        while not beside.over():
            news.clear()
            size = shutil.get_terminal_size((80, 24))
            view = View(datetime.now(UTC), size.columns, size.lines)
            lines = whole(screen(wire.picture(), Choice()), view, [*beside.lines(), HINT])
            if words := screenful.changed(lines, size.columns):
                sys.stdout.write(words)
                sys.stdout.flush()
            time.sleep(DRAW_SECONDS)
            news.wait(CLOCK_SECONDS - DRAW_SECONDS)


@contextmanager
def _terminal() -> Generator[None]:
    """Use the terminal's other screen, and give the terminal back as it was, also when we are told to end."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _silent():
            sys.stdout.write(ENTER)
            sys.stdout.flush()
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
        sys.stdout.write(LEAVE)
        sys.stdout.flush()


@contextmanager
def _silent() -> Generator[None]:
    """Let the terminal not show what is typed, and forget it in the end: nobody takes it."""
    if not sys.stdin.isatty():
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    silent = [*before]
    silent[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt
