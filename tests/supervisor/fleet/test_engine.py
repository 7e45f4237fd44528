"""What an engine has to offer, asked of the one in memory and of a real server: what tests rely on is so."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import nats_server
import pytest
from memory_engine import MemoryEngine, MemoryServer

from bellboard.supervisor.fleet.engine import Engine, Told, Whole
from bellboard.supervisor.fleet.errors import Conflict, EngineLost, TooLarge
from bellboard.supervisor.fleet.settings import NatsSettings

nats_server.needs_server()
from bellboard.supervisor.fleet.nats_engine import MOST_VALUE, NatsEngine


class Place(NamedTuple):
    engine: Callable[[], Engine]
    leave: Callable[[], None]


@pytest.fixture(params=["memory", "nats"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "memory":
        memory = MemoryServer()
        yield Place(lambda: MemoryEngine(memory), memory.leave)
        return
    with nats_server.nats_server(tmp_path / "nats") as server:
        yield Place(lambda: NatsEngine(NatsSettings(url=server.url)), server.kill)


def play(place: Place, scene: Callable[[Engine], Awaitable[None]]) -> None:
    async def run() -> None:
        engine = place.engine()
        await engine.connect()
        try:
            async with asyncio.timeout(30):
                await scene(engine)
        finally:
            await engine.close()

    asyncio.run(run())


async def told(engine: Engine, prefix: str = "") -> list[tuple[str, bytes | None]]:
    return [(key, entry.value) for key, entry in (await nats_server.standing(engine.state, prefix)).items()]


def test_a_value_is_only_written_over_by_who_names_what_stands_there(place: Place) -> None:
    async def scene(engine: Engine) -> None:
        assert await engine.state.get("a.s.x") is None
        first = await engine.state.put("a.s.x", b"one", 0)
        for wrong in (0, first + 7):
            with pytest.raises(Conflict):
                await engine.state.put("a.s.x", b"wrong", wrong)
        second = await engine.state.put("a.s.x", b"two", first)
        entry = await engine.state.get("a.s.x")
        assert entry is not None
        assert (entry.key, entry.revision, entry.value) == ("a.s.x", second, b"two")
        assert second > first

    play(place, scene)


def test_what_was_dropped_has_a_revision_and_can_be_put_again(place: Place) -> None:
    async def scene(engine: Engine) -> None:
        revision = await engine.state.put("a.s.x", b"one", 0)
        with pytest.raises(Conflict):
            await engine.state.drop("a.s.x", revision + 1)
        dropped = await engine.state.drop("a.s.x", revision)
        entry = await engine.state.get("a.s.x")
        assert entry is not None
        assert (entry.revision, entry.value) == (dropped, None)
        with pytest.raises(Conflict):
            await engine.state.put("a.s.x", b"two", 0)
        await engine.state.put("a.s.x", b"two", dropped)
        assert await told(engine) == [("a.s.x", b"two")]

    play(place, scene)


def test_a_watch_tells_what_stands_then_that_this_was_all_then_each_change(place: Place) -> None:
    async def scene(engine: Engine) -> None:
        revisions = {key: await engine.state.put(key, key.encode(), 0) for key in ("a.s.x", "a.s.y", "ab.s.x", "b.h.x")}
        await engine.state.drop("a.s.y", revisions["a.s.y"])
        heard: list[Told] = []
        async with contextlib.aclosing(engine.state.watch("a")) as told:
            async for each in told:
                heard.append(each)
                if isinstance(each, Whole):
                    await engine.state.put("b.h.x", b"not below a", revisions["b.h.x"])
                    await engine.state.put("a.s.z", b"new", 0)
                    await engine.state.drop("a.s.x", revisions["a.s.x"])
                if len(heard) == 4:
                    break
        words = ["whole" if isinstance(each, Whole) else (each.key, each.value) for each in heard]
        assert words == [("a.s.x", b"a.s.x"), "whole", ("a.s.z", b"new"), ("a.s.x", None)]

    play(place, scene)


def test_a_watch_of_nothing_and_of_much_is_whole_too(place: Place) -> None:
    async def scene(engine: Engine) -> None:
        assert await told(engine, "nobody") == []
        for number in range(1200):
            await engine.state.put(f"a.s.{number}", b"v" * 300, 0)
        assert len(await told(engine)) == 1200

    play(place, scene)


def test_a_watch_ends_as_soon_as_something_may_have_been_missed(place: Place) -> None:
    async def scene(engine: Engine) -> None:
        with pytest.raises(EngineLost):
            async for each in engine.state.watch():
                assert isinstance(each, Whole)
                place.leave()
        with pytest.raises(EngineLost):
            await engine.state.get("a.s.x")
        with pytest.raises(EngineLost):
            await engine.append(("a", "b", "c", "updated"), b"{}", "1")
        with pytest.raises(EngineLost):
            await engine.connect()

    play(place, scene)


def test_the_buckets_do_not_mix(place: Place) -> None:
    async def scene(engine: Engine) -> None:
        await engine.hosts.put("a", b"here", 0)
        assert await told(engine) == []
        assert list(await nats_server.standing(engine.hosts)) == ["a"]

    play(place, scene)


def test_a_value_that_is_too_large_is_refused_alone(tmp_path: Path) -> None:
    async def scene(engine: Engine) -> None:
        for size in (MOST_VALUE + 1, 2 << 20):
            with pytest.raises(TooLarge):
                await engine.state.put("a.s.x", b"v" * size, 0)
        await engine.state.put("a.s.x", b"v" * (500 << 10), 0)

    with nats_server.nats_server(tmp_path / "nats") as server:
        play(Place(lambda: NatsEngine(NatsSettings(url=server.url)), server.kill), scene)
