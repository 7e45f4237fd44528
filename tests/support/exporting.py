"""An exporter between a mock board and an engine, fast enough for tests, and what a fleet's engine is to hold then."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import msgspec
from memory_engine import MemoryServer

from bellboard.protocol import privacy
from bellboard.protocol.session import HealthState, SessionState
from bellboard.protocol.testing import MockBoard
from bellboard.supervisor.fleet.engine import Engine, Entry
from bellboard.supervisor.fleet.export import Exporter, Pace
from bellboard.supervisor.fleet.keys import health_key, session_key
from bellboard.supervisor.fleet.outbox import FILE, PAGE_BYTES, Outbox
from bellboard.supervisor.fleet.record import Presence, SessionRecord, decode, decode_presence
from bellboard.supervisor.fleet.telling import Telling

QUICK = Pace(beat=0.1, standby=0.1, look=0.05, first=0.05, most=0.2, refused=0.1, told=0.1)
PATIENCE_SECONDS = 20.0

Picture = dict[str, SessionState | HealthState]


class Running:
    """An exporter that runs; `said` are its sentences."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.said: list[str] = []
        self.task: asyncio.Task[None] | None = None

    def heard(self, words: str) -> bool:
        """Whether it has said this."""
        return any(words in each for each in self.said)


@contextlib.asynccontextmanager
async def exporting(
    board: MockBoard | str,
    engine: Engine,
    host: str = "laptop",
    *,
    level: privacy.Level = "names",
    folder: str | None = None,
    outbox: Outbox | None = None,
    pace: Pace = QUICK,
) -> AsyncGenerator[Running]:
    """Run an exporter for as long as the block runs; `outbox` instead of one of its own in `folder`."""
    where = board if isinstance(board, str) else board.runtime_dir
    running = Running(outbox or Outbox(folder, host, level))
    exporter = Exporter(
        where,
        engine,
        Telling(host, level),
        running.outbox,
        secrets.token_hex(4),
        running.said.append,
        pace=pace,
    )
    running.task = asyncio.ensure_future(exporter.run())
    try:
        yield running
    finally:
        running.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running.task
        running.outbox.close()


async def until(what: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110 - what is waited for happens elsewhere
            await asyncio.sleep(0.01)


def damage(outbox: Outbox, folder: str) -> None:
    """Damage the file of an outbox that is open: nothing can be found in it any more."""
    outbox._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    outbox._database.execute("PRAGMA cache_size = 0")
    path = os.path.join(folder, FILE)
    with open(path, "r+b") as file:
        file.seek(PAGE_BYTES)
        file.write(b"\xa5" * (os.path.getsize(path) - PAGE_BYTES))


def picture(entries: Mapping[str, Entry]) -> Picture:
    """Return what stands in a state bucket, by key."""
    found: Picture = {}
    for key, entry in entries.items():
        if entry.value is not None:
            record = decode(entry.value)
            assert record is not None, entry
            found[key] = record.session if isinstance(record, SessionRecord) else record.health
    return found


def wanted(board: MockBoard, host: str = "laptop", level: privacy.Level = "names") -> Picture:
    """Return what has to stand there of a mock board."""
    found: Picture = {
        session_key(host, source, name): privacy.session(state, level)
        for (source, name), state in board.sessions.items()
    }
    states: dict[str, HealthState] = dict(board._state.states)
    return found | {health_key(host, source): privacy.health(state, level) for source, state in states.items()}


def presence(entry: Entry | None) -> Presence | None:
    """Return what stands in a machine's key."""
    return None if entry is None or entry.value is None else decode_presence(entry.value)


def event(value: bytes) -> dict[str, Any]:
    """Return an event of the history."""
    return msgspec.json.decode(value)


def stands(server: MemoryServer, board: MockBoard) -> bool:
    """Whether the engine holds what the board says."""
    return picture(server.state.entries) == wanted(board)
