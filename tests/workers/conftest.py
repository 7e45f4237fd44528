import math
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import line_source
import pytest
from line_source import RestingLines
from worker_board import PROOF, Board, Worker

from bellboard.protocol.codec import ORDER
from bellboard.protocol.order import Fenced, Order

NEVER = 3600.0
SUPPORT = os.path.dirname(line_source.__file__)


@pytest.fixture
def endpoint(folder: str) -> str:
    return f"ipc://{folder}/ingest.sock"


@pytest.fixture
def board(endpoint: str) -> Iterator[Board]:
    board = Board(endpoint)
    yield board
    board.channel.close()


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """Make the folder in which each file is a session and each line a step (see line_source.py)."""
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    return sessions


@pytest.fixture
def order(endpoint: str, sessions: Path) -> Callable[..., Order]:
    """Write orders for a worker that does nothing by itself: it looks once, and beats only when it is asked to."""

    def make(**fields: Any) -> Order:
        facts: dict[str, Any] = {
            "source": "lines",
            "inc": 1,
            "token": PROOF,
            "endpoint": endpoint,
            "parent_pid": os.getpid(),
            "factory": "line_source:Lines",
            "options": {"folder": str(sessions)},
            "sweep": NEVER,
            "sweep_watched": NEVER,
            "pulse": NEVER,
            "beat": math.inf,
            "watch": False,
        }
        return Order(**{**facts, **fields})

    return make


@pytest.fixture
def work(board: Board, order: Callable[..., Order]) -> Iterator[Callable[..., Worker]]:
    """Start workers; those that still work after the test are fenced."""
    workers: list[Worker] = []

    def start(**fields: Any) -> Worker:
        workers.append(Worker(order(**fields)))
        workers[-1].start()
        return workers[-1]

    yield start
    for worker in workers:
        if worker.is_alive():
            board.say(Fenced())
        worker.exit()


@pytest.fixture
def deeds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done with a resting source, in order."""
    monkeypatch.setattr(RestingLines, "deeds", [])
    return RestingLines.deeds


@pytest.fixture
def spawn(order: Callable[..., Order]) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start workers as the supervisor does: a process, its order over a line, and a pipe that says that we live."""
    processes: list[subprocess.Popen[bytes]] = []
    lives: list[int] = []

    def start(**fields: Any) -> "subprocess.Popen[bytes]":
        theirs, ours = socket.socketpair()
        life_read, life_write = os.pipe()
        lives.append(life_write)
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "bellboard.workers", str(theirs.fileno()), str(life_read)],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), life_read),
                start_new_session=True,
                cwd="/",
                env={**os.environ, "PYTHONPATH": os.pathsep.join([SUPPORT, os.environ.get("PYTHONPATH", "")])},
            )
        )
        theirs.close()
        os.close(life_read)
        with ours:
            ours.sendall(ORDER.encode(order(**fields)))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
    for life in lives:
        os.close(life)
