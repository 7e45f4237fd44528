"""The relay of a fleet, on real sockets and with an engine in memory: whoever attaches has what the engine has."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from fleet_told import health_record, key, presence, session_record
from memory_engine import MemoryEngine, MemoryServer

from bellboard.protocol.event import Snapshot, topic_of
from bellboard.protocol.session import SessionState
from bellboard.protocol.subscriber import Subscriber
from bellboard.supervisor.fleet import condition, relay
from bellboard.supervisor.fleet.condition import Condition
from bellboard.supervisor.fleet.record import HealthRecord, Presence, SessionRecord, encode
from bellboard.supervisor.fleet.relay import Relay

SECONDS = 10.0


class Viewer:
    """Somebody who attaches as to any board; `heard` is what it was told, a line each."""

    def __init__(self, folder: str) -> None:
        self._board = Subscriber(folder)
        self.heard: list[str] = []

    @property
    def sessions(self) -> dict[tuple[str, str], SessionState]:
        return self._board.sessions

    @property
    def offline(self) -> set[str]:
        return {name for name, state in self._board.health.items() if state.status == "offline"}

    def look(self) -> None:
        for item in self._board.receive(0):
            self.heard.append("snapshot" if isinstance(item, Snapshot) else f"{topic_of(item).decode()} {item.kind}")

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not met():
                self.look()
                await asyncio.sleep(0.01)

    @property
    def silence(self) -> float:
        return self._board.silence or 0.0

    def close(self) -> None:
        self._board.close()


async def said(server: MemoryServer, *what: SessionRecord | HealthRecord | Presence) -> None:
    for each in what:
        bucket = server.hosts if isinstance(each, Presence) else server.state
        stands = bucket.entries.get(key(each))
        await bucket.put(key(each), encode(each), 0 if stands is None else stands.revision)


@asynccontextmanager
async def kept(folder: str, server: MemoryServer) -> AsyncGenerator[Relay]:
    """A relay of a server at work in a folder."""
    made = Relay(folder, MemoryEngine(server), "e")
    running = asyncio.ensure_future(made.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.wait([running])
        made.close()


async def stage(folder: str, wanted: str, odd: int = 0) -> Condition:
    async with asyncio.timeout(SECONDS):
        while True:
            now = condition.read(folder)
            if (now.stage, now.odd) == (wanted, odd):
                return now
            await asyncio.sleep(0.01)


def test_whoever_attaches_has_what_stands_in_the_engine_and_hears_what_changes(folder: str) -> None:
    async def run() -> None:
        server = MemoryServer()
        await said(server, presence("laptop"), session_record("laptop", "one"), health_record("laptop"))
        async with kept(folder, server):
            viewer = Viewer(folder)
            await viewer.until(lambda: viewer.heard == ["snapshot"])
            await said(server, session_record("laptop", "one", version=2, activity="working"))
            await said(server, presence("tower"), session_record("tower", "one"))
            await server.state.drop(key(session_record("laptop", "one")), 4)
            await viewer.until(lambda: len(viewer.heard) == 4)
            viewer.close()
        assert viewer.heard == [
            "snapshot",
            "session.claude@laptop.one updated",
            "session.claude@tower.one discovered",
            "session.claude@laptop.one removed",
        ]
        assert list(viewer.sessions) == [("claude@tower", "one")]

    asyncio.run(run())


def test_nobody_joins_before_all_is_known_and_why_is_said(folder: str) -> None:
    async def run() -> None:
        server = MemoryServer()
        server.leave()
        async with kept(folder, server) as made:
            assert await stage(folder, "lost") == Condition(stage="lost", text="the test has taken it away")
            viewer = Viewer(folder)
            await asyncio.sleep(0.2)
            viewer.look()
            assert (viewer.heard, made.live) == ([], False)
            server.away = False
            await viewer.until(lambda: viewer.heard == ["snapshot"])
            assert condition.read(folder) == Condition(stage="live")
            viewer.close()

    asyncio.run(run())


def test_while_the_engine_is_away_the_picture_grows_old_and_then_only_what_differs_is_told(folder: str) -> None:
    async def run() -> None:
        server = MemoryServer()
        await said(server, presence("laptop"), *(session_record("laptop", name) for name in ("a", "b", "c")))
        async with kept(folder, server):
            viewer = Viewer(folder)
            await viewer.until(lambda: viewer.heard == ["snapshot"])
            server.leave()
            await viewer.until(lambda: viewer.silence > 1.5)
            assert viewer.heard == ["snapshot"]
            server.away = False
            server.state.forget(key(session_record("laptop", "b")))
            # Written by somebody while we were away.
            entry = server.state.entries[key(session_record("laptop", "c"))]
            moved = session_record("laptop", "c", version=2, activity="working")
            await server.state.put(entry.key, encode(moved), entry.revision)
            await viewer.until(lambda: len(viewer.heard) == 3)
            assert viewer.heard == [
                "snapshot",
                "session.claude@laptop.c updated",
                "session.claude@laptop.b removed",
            ]
            assert {name: state.activity for (_, name), state in viewer.sessions.items()} == {
                "a": "idle",
                "c": "working",
            }
            viewer.close()

    asyncio.run(run())


def test_what_is_not_ours_is_counted_where_it_can_be_seen(folder: str) -> None:
    async def run() -> None:
        server = MemoryServer()
        await server.state.put("laptop.s.claude.later", b'{"kind":"session","v":9}', 0)
        async with kept(folder, server):
            assert await stage(folder, "live", odd=1)
            await server.state.put("laptop.s.claude.other", b"?", 0)
            assert await stage(folder, "live", odd=2)

    asyncio.run(run())


def test_a_machine_whose_exporter_is_ended_is_offline_and_back_when_it_is_started(folder: str) -> None:
    async def run() -> None:
        server = MemoryServer()
        await said(server, presence("laptop"), health_record("laptop"))
        async with kept(folder, server):
            viewer = Viewer(folder)
            await viewer.until(lambda: viewer.heard == ["snapshot"])
            assert viewer.offline == set()
            await server.hosts.drop("laptop", server.hosts.entries["laptop"].revision)
            await viewer.until(lambda: viewer.offline == {"claude@laptop"})
            await said(server, presence("laptop"))
            await viewer.until(lambda: viewer.offline == set())
            viewer.close()

    asyncio.run(run())


def test_many_sessions_come_whole_and_their_last_hour_can_be_asked_for(folder: str) -> None:
    async def run() -> None:
        server = MemoryServer()
        await said(server, presence("laptop"), *(session_record("laptop", f"s{number}") for number in range(300)))
        async with kept(folder, server):
            viewer = Viewer(folder)
            await viewer.until(lambda: viewer.heard == ["snapshot"])
            await said(server, session_record("laptop", "s7", version=2, message_count=5))
            await viewer.until(lambda: len(viewer.heard) == 2)
            from bellboard.protocol import recall

            pulses = await asyncio.to_thread(recall.pulses, folder)
            assert [(pulse.source, pulse.id, sum(pulse.counts)) for pulse in pulses] == [("claude@laptop", "s7", 5)]
            history = await asyncio.to_thread(recall.history, folder, "claude@laptop", "s7")
            assert [mark.messages for mark in history.marks] == [0, 5]
            assert len(viewer.sessions) == 300
            viewer.close()

    asyncio.run(run())


def test_a_relay_leaves_no_socket_behind(folder: str) -> None:
    import os

    async def run() -> None:
        async with kept(folder, MemoryServer()):
            await stage(folder, "live")
            modes = {name: os.stat(os.path.join(folder, name)).st_mode & 0o777 for name in relay.SOCKETS}
            assert modes == dict.fromkeys(relay.SOCKETS, 0o600)

    asyncio.run(run())
    assert os.listdir(folder) == []
