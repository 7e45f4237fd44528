"""Restart: a worker with 5,000 sessions is killed while something is written."""

import os
import signal
import time
from collections.abc import Iterator

from bellboard.protocol import Subscriber

from .board import Board, board, folder
from .figures import Figure, percentile
from .reread import reread
from .trees import Trees
from .writer import agent, name_of

SESSIONS = 5000
KILLS = 15


def restart(_trees: Trees) -> Iterator[Figure]:
    """SIGKILL and an appended message at once; until a subscriber has the message, and all that the new worker read."""
    with folder() as home:
        append = agent("claude", str(home))
        for number in range(SESSIONS):
            for message in range(1, 4):
                append(number, message)
        bytes_there = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(home) for name in names)
        with board({"claude": str(home)}) as running:
            running.settle(SESSIONS)
            found = [_killed(running, append, kill) for kill in range(KILLS)]
        again = reread(home, SESSIONS)
    yield again
    times, reads = [time for time, _ in found], [read for _, read in found]
    yield Figure(what="SIGKILL, 5,000 sessions, caught up, p50", value=percentile(times, 0.5), unit="ms", bar="<= 150")
    yield Figure(what="SIGKILL, 5,000 sessions, caught up, p99", value=percentile(times, 0.99), unit="ms", bar="<= 400")
    yield Figure(
        what="SIGKILL, 5,000 sessions, all that the new worker read", value=max(reads), unit="MB",
        detail=f"Python's own modules included; the artifacts are {bytes_there / 1e6:.1f} MB",
    )  # fmt: skip


def _killed(running: Board, append: object, kill: int) -> tuple[float, float]:
    """Return how long it took (ms), and how much the new worker has read, modules of Python included (MB)."""
    pid = running.workers()["claude"]
    number = kill * 7 % SESSIONS
    with Subscriber(running.runtime) as subscriber:
        subscriber.join()
        before = subscriber.sessions["claude", name_of("claude", number)].message_count
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        append(number, before + 1)  # type: ignore[operator]
        while subscriber.sessions["claude", name_of("claude", number)].message_count <= before:
            if time.monotonic() - began > 30:
                raise RuntimeError("the new worker never caught up")
            subscriber.receive(1.0)
        took = (time.monotonic() - began) * 1000
        assert subscriber.sessions["claude", name_of("claude", number)].message_count == before + 1
    time.sleep(1.5)  # let it finish its pass, and let the next restart be a first one
    with open(f"/proc/{running.workers()['claude']}/io", encoding="ascii") as file:
        fields = dict(line.split(": ") for line in file)
    return took, int(fields["rchar"]) / 1e6
