"""Latency: from the moment a message is written to the moment a subscriber holds the session with it."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

from bellboard.protocol import Subscriber

from .board import Board, board, folder, processors
from .figures import Figure, clean, percentile, python
from .trees import Trees

SOURCES = ("claude", "codex", "gemini", "opencode", "pi")
SESSIONS = 20
APPENDS = 600
PAUSE = 0.02


def latency(_trees: Trees) -> Iterator[Figure]:
    """Every source, with inotify, idle and under load; then without inotify."""
    for source in SOURCES:
        yield from _figures(f"append -> subscriber, {source}", _measured(source), ("<= 5", "<= 25"))
    with _load():
        for source in SOURCES:
            yield from _figures(f"append -> subscriber, {source}, loaded", _measured(source), ("", "<= 100"))
    times = _measured("claude", appends=200, pause=0.05, watch=False, sweep=1.0)
    yield from _figures("append -> subscriber, claude, sweep of 1 s", times, ("", "<= 1020"))


def _figures(what: str, times: list[float], bars: tuple[str, str]) -> Iterator[Figure]:
    """`times` are in milliseconds, infinite for what never came."""
    missed = sum(each == float("inf") for each in times)
    p50, p99, most = percentile(times, 0.5), percentile(times, 0.99), max(times)
    yield Figure(what=f"{what}, p50", value=p50, unit="ms", bar=bars[0])
    yield Figure(what=f"{what}, p99", value=p99, unit="ms", bar=bars[1], detail=f"most {most:.1f} ms")
    yield Figure(what=f"{what}, missed", value=missed, unit=f"of {len(times)}", bar="<= 0")


Viewing: TypeAlias = Callable[[Board], AbstractContextManager[str]]
"""Attaches something to a board; yields the folder of the board at which the arrivals are noted."""


def _measured(source: str, appends: int = APPENDS, pause: float = PAUSE, **work: object) -> list[float]:
    return measured(source, lambda running: contextlib.nullcontext(running.runtime), appends, pause, **work)


def measured(
    source: str, viewing: Viewing, appends: int = APPENDS, pause: float = PAUSE, **work: object
) -> list[float]:
    """Return the milliseconds from each append to its arrival, infinite for what never came."""
    with folder() as home:
        words = [source, str(home), str(appends), str(pause), str(SESSIONS)]
        writer = subprocess.Popen(
            python("-m", "tests.bench.writer", *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean(),
        )
        try:
            _wait_for_home(home)
            with board({source: str(home)}, **work) as running:
                running.settle(SESSIONS)
                with viewing(running) as where:
                    return _watch(where, writer)
        finally:
            writer.kill()
            writer.wait()


def _wait_for_home(home: Path) -> None:
    deadline = time.monotonic() + 20
    while not any(home.iterdir()):
        if time.monotonic() > deadline:
            raise RuntimeError("the writer wrote nothing")
        time.sleep(0.01)


def _watch(where: str, writer: subprocess.Popen[str]) -> list[float]:
    seen: dict[tuple[str, int], float] = {}
    told: dict[str, int] = {}
    with Subscriber(where) as subscriber:
        subscriber.join()
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
        ended: float | None = None
        while ended is None or time.monotonic() - ended < 3.0:
            items = subscriber.receive(0.2)
            now = time.monotonic()
            for item in items:
                session = getattr(item, "session", None)
                if session is not None:
                    # One event may stand for several messages: each of them is known now.
                    for message in range(told.get(session.id, 1) + 1, session.message_count + 1):
                        seen[session.id, message] = now
                    told[session.id] = max(told.get(session.id, 1), session.message_count)
            if ended is None and writer.poll() is not None:
                ended = now
    assert writer.stdout is not None
    times: list[float] = []
    for line in writer.stdout:
        name, message, at = line.split()
        when = seen.get((name, int(message)))
        times.append(float("inf") if when is None else (when - float(at)) * 1000)
    return times


@contextlib.contextmanager
def _load() -> Generator[None]:
    """Keep two processes busy for each processor."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * processors())]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
