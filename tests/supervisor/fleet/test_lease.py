import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from exporting import presence
from memory_engine import MemoryBucket, MemoryServer

from bellboard.supervisor.fleet.lease import Lease
from bellboard.supervisor.fleet.record import Presence

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def said(exporter: str) -> Presence:
    return Presence(host="laptop", exporter=exporter, bellboard="1", privacy="names", at=NOW, since=NOW)


def play(scene: Callable[[MemoryBucket], Awaitable[None]]) -> None:
    async def run() -> None:
        await scene(MemoryServer().hosts)

    asyncio.run(run())


def test_it_is_held_by_who_came_first_for_as_long_as_he_says_so() -> None:
    async def scene(hosts: MemoryBucket) -> None:
        one, two = Lease(hosts, "laptop", "one"), Lease(hosts, "laptop", "two")
        assert await one.hold(said("one")) is None
        assert await one.hold(said("one")) is None
        assert presence(await two.hold(said("two"))) == said("one")
        hosts.forget("laptop")
        assert await two.hold(said("two")) is None
        assert presence(await one.hold(said("one"))) == said("two")

    play(scene)


def test_when_it_was_dropped_the_next_one_has_it() -> None:
    async def scene(hosts: MemoryBucket) -> None:
        one, two = Lease(hosts, "laptop", "one"), Lease(hosts, "laptop", "two")
        await one.hold(said("one"))
        await one.drop()
        assert await two.hold(said("two")) is None

    play(scene)


def test_an_heir_need_not_wait() -> None:
    async def scene(hosts: MemoryBucket) -> None:
        await Lease(hosts, "laptop", "one").hold(said("one"))
        assert await Lease(hosts, "laptop", "two", before="one").hold(said("two")) is None
        assert presence(await Lease(hosts, "laptop", "three", before="one").hold(said("three"))) == said("two")

    play(scene)


def test_a_write_that_came_through_unheard_is_known_as_ones_own() -> None:
    async def scene(hosts: MemoryBucket) -> None:
        one = Lease(hosts, "laptop", "one")
        await one.hold(said("one"))
        await hosts.put("laptop", hosts.entries["laptop"].value or b"", hosts.entries["laptop"].revision)
        assert await one.hold(said("one")) is None

    play(scene)


def test_what_nobody_can_read_is_somebody_elses() -> None:
    async def scene(hosts: MemoryBucket) -> None:
        await hosts.put("laptop", b"of a release to come", 0)
        assert await Lease(hosts, "laptop", "one").hold(said("one")) is not None

    play(scene)
