"""Ground: whether the terminal is dark or light, so that the board fits in.

`BELLBOARD_THEME` says so, or `COLORFGBG`, or the terminal itself, which is asked (OSC 11) and given a moment to answer. The
question after it (DA1) is one that every terminal answers: so one that does not know its colour costs no waiting.
"""

import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Mapping

PATIENCE_SECONDS = 0.3
QUESTION = "\x1b]11;?\x1b\\\x1b[c"

_COLOUR = re.compile(rb"\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
_LAST = re.compile(rb"\x1b\[\?[0-9;]*c")


def dark(environ: Mapping[str, str]) -> bool:
    """Return whether the board is to be dark; without any knowledge it is."""
    said = told(environ)
    if said is None and sys.stdin.isatty() and sys.stdout.isatty():
        said = answered(_ask())
    return said is not False


def told(environ: Mapping[str, str]) -> bool | None:
    """Return what the environment says, None if it says nothing."""
    if (theme := environ.get("BELLBOARD_THEME", "").strip().lower()) in {"dark", "light"}:
        return theme == "dark"
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return int(ground) in {0, 1, 2, 3, 4, 5, 6, 8} if ground.isdecimal() else None


def answered(reply: bytes) -> bool | None:
    """Return what a terminal's answer means, None if there is no colour in it."""
    found = _COLOUR.search(reply)
    if found is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5


def _ask() -> bytes:
    """Ask the terminal, and return what it says within a moment."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    reply = b""
    try:
        tty.setcbreak(terminal)
        sys.stdout.write(QUESTION)
        sys.stdout.flush()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _LAST.search(reply) and (left := deadline - time.monotonic()) > 0:
            if select.select([terminal], [], [], left)[0]:
                reply += os.read(terminal, 1024)
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
    return reply
