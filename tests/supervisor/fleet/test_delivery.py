"""What waits in an outbox in memory, and a history in memory that takes it, or does not."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from memory_engine import MemoryEngine, MemoryServer

from bellboard.supervisor.fleet import outbox
from bellboard.supervisor.fleet.delivery import Delivery
from bellboard.supervisor.fleet.errors import EngineLost, EngineRefused, TooLarge
from bellboard.supervisor.fleet.notices import Notices
from bellboard.supervisor.fleet.outbox import Outbox, Row
from bellboard.supervisor.fleet.telling import Piece


class Van:
    """A delivery; `waiting` is its outbox, `spoilt` says what the engine raises for an event."""

    def __init__(self, *numbers: int) -> None:
        self.waiting = Outbox(None, "laptop", "names")
        self.said: list[str] = []
        self.spoilt: dict[str, Exception] = {}
        self._server = MemoryServer()
        engine = MemoryEngine(self._server)
        append = engine.append

        async def judged(path: tuple[str, ...], value: bytes, once: str) -> None:
            if once in self.spoilt:
                raise self.spoilt[once]
            await append(path, value, once)

        engine.append = judged  # type: ignore[method-assign]
        self.delivery = Delivery(engine, self.waiting, Notices(self.said.append), refused=30.0, told=60.0)
        self.add(*numbers)

    def add(self, *numbers: int) -> None:
        path = ("laptop", "claude", "one", "updated")
        self.waiting.add([Piece(key="k", once=f"{number}", path=path, value=b"event") for number in numbers])

    def there(self) -> list[str]:
        return list(self._server.history)


@pytest.fixture
def van() -> Iterator[Van]:
    made = Van(1, 2, 3)
    yield made
    made.waiting.close()


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await scene()

    asyncio.run(run())


def test_what_has_waited_for_longest_goes_first_and_no_more_at_once_than_asked_for(van: Van) -> None:
    async def scene() -> None:
        assert await van.delivery.push(2, 0.0)
        assert (van.there(), van.waiting.rows) == (["1", "2"], 1)
        assert await van.delivery.push(2, 0.0)
        assert (van.there(), van.waiting.rows) == (["1", "2", "3"], 0)
        assert not await van.delivery.push(2, 0.0)
        assert van.said == []

    play(scene)


def test_a_history_that_is_full_is_said_once_and_left_alone_for_a_while(van: Van) -> None:
    async def scene() -> None:
        van.spoilt = dict.fromkeys("123", EngineRefused("BELLBOARD is full"))
        assert not await van.delivery.push(9, 100.0)
        assert not await van.delivery.push(9, 130.0)
        assert van.said == ["the history is not kept: BELLBOARD is full; tried again every 30 s"]
        van.spoilt.clear()
        assert not await van.delivery.push(9, 159.9)
        assert (van.there(), van.waiting.rows) == ([], 3)
        assert await van.delivery.push(9, 160.0)
        assert (van.there(), van.waiting.rows) == (["1", "2", "3"], 0)
        van.add(4)
        van.spoilt = {"4": EngineRefused("BELLBOARD is full")}
        assert not await van.delivery.push(9, 200.0)
        assert len(van.said) == 2  # it was well in between

    play(scene)


def test_what_was_refused_may_be_taken_after_a_new_beginning(van: Van) -> None:
    async def scene() -> None:
        van.spoilt = {"1": EngineRefused("BELLBOARD is full")}
        assert not await van.delivery.push(9, 100.0)
        van.spoilt.clear()
        van.delivery.begin()
        assert await van.delivery.push(9, 100.0)
        assert (sorted(van.there()), van.waiting.rows) == (["1", "2", "3"], 0)

    play(scene)


def test_what_came_through_before_the_engine_was_lost_does_not_wait_any_more(van: Van) -> None:
    async def scene() -> None:
        van.spoilt = {"2": EngineLost("the answer did not come")}
        with pytest.raises(EngineLost, match="did not come"):
            await van.delivery.push(9, 0.0)
        assert (van.there(), [row.once for row in van.waiting.first(9)]) == (["1", "3"], ["2"])

    play(scene)


def test_what_the_engine_never_takes_is_given_up_and_said(van: Van) -> None:
    async def scene() -> None:
        van.spoilt = {"2": TooLarge("message size exceeds maximum allowed")}
        assert await van.delivery.push(9, 0.0)
        assert (van.there(), van.waiting.rows, van.waiting.lost) == (["1", "3"], 0, 1)
        van.delivery.tell(0.0)
        assert van.said == ["1 events of the history were given up: the engine was away, or slow, for too long"]

    play(scene)


def test_an_outbox_that_counts_what_it_cannot_give_is_not_asked_again_at_once(
    van: Van, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(most: int) -> list[Row]:
        return []

    async def scene() -> None:
        monkeypatch.setattr(van.waiting, "first", nothing)
        assert (van.waiting.rows, await van.delivery.push(9, 0.0)) == (3, False)

    play(scene)


def test_losses_are_said_once_a_minute_and_none_is_left_out(van: Van, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_ROWS", 3)
    van.delivery.tell(100.0)
    assert van.said == []
    van.add(4)
    van.delivery.tell(100.0)
    van.add(5, 6, 7)
    van.delivery.tell(159.9)
    assert len(van.said) == 1
    van.delivery.tell(160.0)
    van.delivery.tell(900.0)
    assert [int(each.split()[0]) for each in van.said] == [3, van.waiting.lost - 3]


def test_what_is_wrong_with_the_outbox_is_said_once(van: Van) -> None:
    van.waiting.trouble = "the outbox cannot be written (disk I/O error)"
    van.delivery.tell(0.0)
    van.delivery.tell(0.0)
    assert van.said == ["the outbox cannot be written (disk I/O error)"]
