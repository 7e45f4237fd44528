"""Opening: how long `bellboard` alone takes, in a terminal, until it says something and until its board is drawn."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Iterator

from bellboard.supervisor.demo.cast import HOMES

from .board import folder
from .figures import Figure, clean, middle
from .trees import Trees
from .writer import agent

TIMES = 7
SESSIONS = 10
SECONDS = 20.0
OTHER_SCREEN = b"\x1b[?1049h"


def opening(_trees: Trees) -> Iterator[Figure]:
    """Open a private board on the homes of five agents, ten sessions each: until the first line, and the first board."""
    with folder() as home:
        for source, path in HOMES.items():
            (home / path).mkdir(parents=True, exist_ok=True)
            append = agent(source, str(home / path))
            for number in range(SESSIONS):
                append(number, 1)
        _open(str(home))
        times = [_open(str(home)) for _ in range(TIMES)]
    for what, values in zip(("the first line", "the first board"), zip(*times, strict=True), strict=True):
        yield Figure(
            what=f"`bellboard` alone, private, five agents, until {what}", value=middle(values), unit="s",
            bar="<= 1.0" if what == "the first line" else "", detail=f"{min(values):.2f} - {max(values):.2f} s",
        )  # fmt: skip


def _open(home: str) -> tuple[float, float]:
    began = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        words = [sys.executable, "-m", "bellboard.supervisor"]
        given = {
            "HOME": home,
            "TERM": "xterm-256color",
            "BELLBOARD_THEME": "dark",
            "BELLBOARD_RUNTIME_DIR": f"{home}/run",
        }
        os.execve(sys.executable, words, clean(given))  # noqa: S606 - our own interpreter, our own words
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 34, 120, 0, 0))
        said, first, drawn = b"", 0.0, 0.0
        while not drawn and time.monotonic() - began < SECONDS:
            if select.select([terminal], [], [], 0.1)[0]:
                said += os.read(terminal, 65536)
                first = first or (time.monotonic() - began if b"\n" in said else 0.0)
                board = said.partition(OTHER_SCREEN)[2]
                drawn = time.monotonic() - began if b"need" in board and b"quit" in board else 0.0
        if not drawn:
            raise RuntimeError(f"no board was drawn: {said[-500:]!r}")
        os.write(terminal, b"q")
        while _read(terminal):
            pass
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return first, drawn


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody has it open any more
        return b""
