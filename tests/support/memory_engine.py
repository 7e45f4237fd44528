"""A fleet's engine in memory, for tests: as strict about revisions as a real one, and broken whenever a test says so."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from bellboard.supervisor.fleet.engine import Entry, Told, Whole
from bellboard.supervisor.fleet.errors import Conflict, EngineLost


class MemoryBucket:
    """A bucket; `written` are all entries ever, in order."""

    def __init__(self, server: "MemoryServer") -> None:
        self.entries: dict[str, Entry] = {}
        self.written: list[Entry] = []
        self._server = server
        self._watchers: set[asyncio.Queue[Entry | None]] = set()

    async def get(self, key: str) -> Entry | None:
        await self._server.reach()
        return self.entries.get(key)

    async def put(self, key: str, value: bytes, revision: int) -> int:
        return await self._write(key, value, revision)

    async def drop(self, key: str, revision: int) -> int:
        return await self._write(key, None, revision)

    async def watch(self, prefix: str = "") -> AsyncGenerator[Told]:
        await self._server.reach()
        queue: asyncio.Queue[Entry | None] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            for entry in list(self.entries.values()):
                if entry.value is not None and _below(entry.key, prefix):
                    yield entry
            yield Whole()
            while (entry := await queue.get()) is not None:
                if _below(entry.key, prefix):
                    yield entry
            raise EngineLost("the test has broken it")
        finally:
            self._watchers.discard(queue)

    def forget(self, key: str) -> None:
        """Let a key expire: watchers are not told, as with real engines."""
        del self.entries[key]

    def cut(self) -> None:
        """End all watches."""
        for queue in self._watchers:
            queue.put_nowait(None)

    async def _write(self, key: str, value: bytes | None, revision: int) -> int:
        await self._server.reach()
        stands = self.entries.get(key)
        if revision != (0 if stands is None else stands.revision):
            raise Conflict(key)
        self._server.revision += 1
        entry = Entry(key=key, revision=self._server.revision, value=value, at=datetime.now(UTC))
        self.entries[key] = entry
        self.written.append(entry)
        for queue in self._watchers:
            queue.put_nowait(entry)
        return entry.revision


class MemoryServer:
    """What several engines talk to."""

    def __init__(self) -> None:
        self.revision = 0
        self.away = False
        self.history: dict[str, tuple[tuple[str, ...], bytes]] = {}
        self.state = MemoryBucket(self)
        self.hosts = MemoryBucket(self)

    async def reach(self) -> None:
        """Take a turn of the loop, as anything that goes over a wire does. Raises EngineLost while it is away."""
        await asyncio.sleep(0)
        if self.away:
            raise EngineLost("the test has taken it away")

    def leave(self) -> None:
        """Go away: everybody who is connected notices."""
        self.away = True
        self.state.cut()
        self.hosts.cut()


class MemoryEngine:
    """One exporter's or viewer's line to the server."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    @property
    def state(self) -> MemoryBucket:
        return self._server.state

    @property
    def hosts(self) -> MemoryBucket:
        return self._server.hosts

    async def connect(self) -> None:
        await self._server.reach()

    async def append(self, path: tuple[str, ...], value: bytes, once: str) -> None:
        await self._server.reach()
        self._server.history.setdefault(once, (path, value))

    async def close(self) -> None:
        pass


def _below(key: str, prefix: str) -> bool:
    return not prefix or key == prefix or key.startswith(f"{prefix}.")
