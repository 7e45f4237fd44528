import asyncio
from datetime import UTC, datetime

import pytest
from memory_engine import MemoryEngine, MemoryServer

from bellboard.supervisor.fleet.errors import FleetError
from bellboard.supervisor.fleet.forget import forget
from bellboard.supervisor.fleet.lease import Lease
from bellboard.supervisor.fleet.record import Presence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = ("ci-7.s.claude.a", "ci-7.s.claude.b", "ci-7.h.claude", "ci-70.s.claude.a", "laptop.h.claude")


def test_a_machine_that_will_not_come_back_leaves_and_the_others_stay() -> None:
    async def scene() -> None:
        engine = MemoryEngine(MemoryServer())
        for key in KEYS:
            await engine.state.put(key, b"{}", 0)
        assert await forget(engine, "ci-7") == 3
        assert [key for key in KEYS if engine.state.entries[key].value is not None] == list(KEYS[3:])
        assert await forget(engine, "ci-7") == 0

    asyncio.run(scene())


def test_a_machine_that_is_heard_is_not_forgotten() -> None:
    async def scene() -> None:
        engine = MemoryEngine(MemoryServer())
        await engine.state.put(KEYS[0], b"{}", 0)
        lease = Lease(engine.hosts, "ci-7", "one")
        await lease.hold(Presence(host="ci-7", exporter="one", bellboard="1", privacy="names", at=NOW, since=NOW))
        with pytest.raises(FleetError, match="ci-7 is heard: end its exporter first"):
            await forget(engine, "ci-7")
        assert engine.state.entries[KEYS[0]].value == b"{}"
        await lease.drop()
        assert await forget(engine, "ci-7") == 1

    asyncio.run(scene())
