import asyncio
import os
import select
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bellboard.protocol import subscriber as module
from bellboard.protocol.addresses import EVENTS, SNAPSHOT, address
from bellboard.protocol.ask import SnapshotPage, SnapshotRequest
from bellboard.protocol.channel import Answering, Poll, Publishing
from bellboard.protocol.codec import EVENT, SNAPSHOT_PAGE, SNAPSHOT_REQUEST
from bellboard.protocol.errors import AddressError, NotRunning
from bellboard.protocol.event import HealthChanged, Heartbeat, Snapshot, Updated, topic_of
from bellboard.protocol.session import HealthState, SessionState
from bellboard.protocol.subscriber import Item, Subscriber

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PATIENCE = 5.0


def state(name: str, messages: int = 0, source: str = "pi") -> SessionState:
    return SessionState(id=name, source=source, message_count=messages)


class Board:
    """The smallest board: it says what it is told to say, loses what it is told to lose, and answers when stepped."""

    def __init__(self, folder: str, *, epoch: str = "e") -> None:
        self.epoch = epoch
        self.seq = 0
        self.source_seqs: dict[str, int] = {}
        self.sessions: dict[tuple[str, str], SessionState] = {}
        self.health: dict[str, HealthState] = {}
        self.requests: list[SnapshotRequest] = []
        self.page_size = 100
        self._answers: list[tuple[bytes, bytes]] = []
        self._events = Publishing(address(folder, EVENTS))
        self._snapshot = Answering(address(folder, SNAPSHOT))

    def close(self) -> None:
        self._events.close()
        self._snapshot.close()

    def say(self, session: SessionState, *, lost: bool = False) -> Updated:
        self.sessions[session.source, session.id] = session
        event = Updated(
            epoch=self.epoch,
            seq=self._count(session.source),
            source=session.source,
            source_seq=self.source_seqs[session.source],
            id=session.id,
            version=1,
            at=AT,
            session=session,
        )
        if not lost:
            self.publish(event)
        return event

    def sicken(self, source: str) -> HealthChanged:
        self.health[source] = HealthState(source=source, status="degraded")
        event = HealthChanged(
            epoch=self.epoch,
            seq=self._count(source),
            source=source,
            source_seq=self.source_seqs[source],
            at=AT,
            health=self.health[source],
        )
        self.publish(event)
        return event

    def beat(self) -> None:
        self.publish(Heartbeat(epoch=self.epoch, seq=self.seq, source_seqs=dict(self.source_seqs), at=AT))

    def publish(self, event: Updated | HealthChanged | Heartbeat) -> None:
        self._events.publish(topic_of(event), EVENT.encode(event))

    def noise(self, topic: bytes, data: bytes) -> None:
        self._events.publish(topic, data)

    def subscriptions(self) -> int:
        return self._events.new_subscriptions()

    def hear(self) -> None:
        """Take note of what is asked, and make the answer: it shows this moment, whenever it is sent."""
        while (received := self._snapshot.receive()) is not None:
            request = SNAPSHOT_REQUEST.decode(received[1][-1])
            assert isinstance(request, SnapshotRequest)
            self.requests.append(request)
            self._answers += [(received[0], SNAPSHOT_PAGE.encode(page)) for page in self._pages(request)]

    def answer(self) -> None:
        """Send the answers to what was asked."""
        for peer, data in self._answers:
            self._snapshot.send(peer, [data])
        self._answers.clear()

    def spoil(self) -> None:
        """Send half of an answer before the whole one."""
        peer, data = self._answers[0]
        self._snapshot.send(peer, [data[: len(data) // 2]])

    def step(self) -> None:
        """Do what a board does when it gets round its loop."""
        if self.subscriptions():
            self.beat()
        self.hear()
        self.answer()

    def _pages(self, request: SnapshotRequest) -> list[SnapshotPage]:
        wanted = [each for each in self.sessions.values() if request.sources is None or each.source in request.sources]
        starts = range(0, max(1, len(wanted)), self.page_size)
        return [
            SnapshotPage(
                request=request.request,
                page=number,
                last=number == len(starts) - 1,
                epoch=self.epoch,
                seq=self.seq,
                source_seqs=dict(self.source_seqs),
                sessions=tuple(wanted[start : start + self.page_size]),
                health=tuple(self.health.values()) if number == 0 else (),
            )
            for number, start in enumerate(starts)
        ]

    def _count(self, source: str) -> int:
        self.seq += 1
        self.source_seqs[source] = self.source_seqs.get(source, 0) + 1
        return self.seq


@pytest.fixture
def board(folder: str) -> Iterator[Board]:
    board = Board(folder)
    yield board
    board.close()


@pytest.fixture
def follow(folder: str) -> Iterator[Callable[..., Subscriber]]:
    """Make subscribers of the board in the folder, and close them afterwards."""
    made: list[Subscriber] = []

    def make(**options: Any) -> Subscriber:
        made.append(Subscriber(folder, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        Poll().wait(0.001)


def seen(subscriber: Subscriber, count: int, step: Callable[[], object] = lambda: None) -> list[Item]:
    """Step the board until the subscriber has yielded so many items."""
    items: list[Item] = []

    def enough() -> bool:
        step()
        items.extend(subscriber.receive(0.01))
        return len(items) >= count

    until(enough)
    return items


def joined(board: Board, subscriber: Subscriber) -> Subscriber:
    assert [type(item) for item in seen(subscriber, 1, board.step)] == [Snapshot]
    return subscriber


def test_without_a_board_it_says_at_once_how_to_start_one(folder: str) -> None:
    with pytest.raises(NotRunning, match=rf"no supervisor in {folder}: start one with `bellboard run`"):
        Subscriber(folder)


def test_a_folder_that_is_too_deep_is_explained(folder: str) -> None:
    with pytest.raises(AddressError, match="choose a shorter folder"):
        Subscriber(os.path.join(folder, "d" * 100))


def test_the_folder_is_the_default_one_unless_it_is_given(
    folder: str, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLBOARD_RUNTIME_DIR", folder)
    with Subscriber() as subscriber:
        assert subscriber.runtime_dir == folder
        joined(board, subscriber)


def test_joining_goes_heartbeat_then_snapshot_then_what_is_newer(
    board: Board, follow: Callable[..., Subscriber]
) -> None:
    board.say(state("old", 1))
    subscriber = follow()
    until(board.subscriptions)
    board.say(state("early", 2))
    assert subscriber.receive(0.02) == []
    board.hear()
    assert board.requests == [], "nothing is asked before the first heartbeat"
    board.beat()

    def asked() -> list[SnapshotRequest]:
        assert subscriber.receive(0.01) == []
        board.hear()
        return board.requests

    until(asked)
    assert board.requests == [SnapshotRequest(request=1, sources=None, seen=2)]
    board.say(state("late", 3))
    until(lambda: subscriber.receive(0.01) or len(subscriber._replica._buffer) == 2)
    board.answer()
    assert seen(subscriber, 1) == [
        Snapshot(
            epoch="e",
            seq=3,
            source_seqs={"pi": 3},
            sessions=(state("old", 1), state("early", 2), state("late", 3)),
            health=(),
        )
    ]
    assert (subscriber.resyncs, subscriber.connected) == (0, True)


def test_events_are_yielded_as_they_come(board: Board, follow: Callable[..., Subscriber]) -> None:
    subscriber = joined(board, follow())
    said = [board.say(state("a", 1)), board.sicken("pi"), board.say(state("a", 2))]
    assert seen(subscriber, 3) == said
    assert subscriber.sessions == {("pi", "a"): state("a", 2)}
    assert subscriber.health == {"pi": HealthState(source="pi", status="degraded")}


def test_a_large_board_comes_in_pages(board: Board, follow: Callable[..., Subscriber]) -> None:
    board.page_size = 3
    for number in range(10):
        board.say(state(f"s{number}", number))
    subscriber = follow()
    assert seen(subscriber, 1, board.step) == [
        Snapshot(epoch="e", seq=10, source_seqs={"pi": 10}, sessions=tuple(board.sessions.values()), health=())
    ]


def test_a_gap_is_mended(board: Board, follow: Callable[..., Subscriber]) -> None:
    subscriber = joined(board, follow())
    board.say(state("a", 1), lost=True)
    board.say(state("b", 2))
    assert seen(subscriber, 1, board.step) == [
        Snapshot(epoch="e", seq=2, source_seqs={"pi": 2}, sessions=(state("a", 1), state("b", 2)), health=())
    ]
    assert (subscriber.resyncs, board.requests[-1].request) == (1, 2)
    following = board.say(state("c", 3))
    assert seen(subscriber, 1) == [following]


def test_a_heartbeat_shows_that_the_last_event_was_lost(board: Board, follow: Callable[..., Subscriber]) -> None:
    subscriber = joined(board, follow())
    board.say(state("a", 1), lost=True)
    assert subscriber.receive(0.02) == []
    board.beat()
    assert seen(subscriber, 1, board.step) == [
        Snapshot(epoch="e", seq=1, source_seqs={"pi": 1}, sessions=(state("a", 1),), health=())
    ]


def test_repeated_events_are_passed_over(board: Board, follow: Callable[..., Subscriber]) -> None:
    subscriber = joined(board, follow())
    first = board.say(state("a", 1))
    board.publish(first)
    second = board.say(state("a", 2))
    board.publish(first)
    third = board.say(state("a", 3))
    assert seen(subscriber, 3) == [first, second, third]
    assert subscriber.resyncs == 0


def test_a_new_epoch_is_noticed_by_its_events(board: Board, follow: Callable[..., Subscriber]) -> None:
    subscriber = joined(board, follow())
    board.say(state("a", 1))
    board.epoch, board.seq, board.source_seqs = "f", 0, {}
    board.say(state("b", 2))
    items = seen(subscriber, 2, board.step)
    assert items[-1] == Snapshot(
        epoch="f", seq=1, source_seqs={"pi": 1}, sessions=(state("a", 1), state("b", 2)), health=()
    )


def test_a_board_that_comes_back_is_found_again(folder: str, follow: Callable[..., Subscriber]) -> None:
    first = Board(folder)
    subscriber = joined(first, follow())
    first.say(state("a", 1))
    assert len(seen(subscriber, 1)) == 1
    first.close()
    second = Board(folder, epoch="f")
    try:
        second.say(state("a", 9))
        assert seen(subscriber, 1, second.step) == [
            Snapshot(epoch="f", seq=1, source_seqs={"pi": 1}, sessions=(state("a", 9),), health=())
        ]
        event = second.say(state("b", 1))
        assert seen(subscriber, 1) == [event]
    finally:
        second.close()


def test_only_the_chosen_sources_are_followed(board: Board, follow: Callable[..., Subscriber]) -> None:
    board.say(state("a", 1, "codex"))
    board.say(state("b", 1, "pi"))
    subscriber = follow(sources=["pi"])
    items = seen(subscriber, 1, board.step)
    assert board.requests[-1] == SnapshotRequest(request=1, sources=("pi",), seen=2)
    assert items == [
        Snapshot(epoch="e", seq=2, source_seqs={"codex": 1, "pi": 1}, sessions=(state("b", 1, "pi"),), health=())
    ]
    board.say(state("c", 1, "codex"))
    board.sicken("pi-next")
    mine = board.say(state("d", 1, "pi"))
    board.beat()
    sick = board.sicken("pi")
    assert seen(subscriber, 2) == [mine, sick]
    assert set(subscriber.sessions) == {("pi", "b"), ("pi", "d")}
    assert (set(subscriber.health), subscriber.resyncs) == ({"pi"}, 0)


def test_what_cannot_be_read_is_counted_and_passed_over(board: Board, follow: Callable[..., Subscriber]) -> None:
    subscriber = joined(board, follow())
    board.noise(b"session.pi.x", b'{"kind":"promoted"}')
    board.noise(b"noise", b"\xff\x00")
    board.noise(b"noise", b"")
    event = board.say(state("a", 1))
    assert seen(subscriber, 1) == [event]
    assert (subscriber.undecodable, subscriber.resyncs) == (3, 0)


def test_an_answer_that_cannot_be_read_is_counted_too(board: Board, follow: Callable[..., Subscriber]) -> None:
    subscriber = follow()

    def asked() -> list[SnapshotRequest]:
        if board.subscriptions():
            board.beat()
        subscriber.receive(0.01)
        board.hear()
        return board.requests

    until(asked)
    board.spoil()
    until(lambda: subscriber.receive(0.01) or subscriber.undecodable)
    board.answer()
    assert [type(item) for item in seen(subscriber, 1)] == [Snapshot]


class Clock:
    """Time that goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_one_who_looks_seldom_joins_all_the_same(
    board: Board, follow: Callable[..., Subscriber], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    subscriber = follow()
    items: list[Item] = []

    def looked() -> list[Item]:
        clock.now += 3.0
        items.extend(subscriber.receive(0))
        board.step()
        return items

    until(looked)
    assert [type(item) for item in items] == [Snapshot]


def test_connected_ends_five_seconds_after_the_last_word(
    board: Board, follow: Callable[..., Subscriber], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    subscriber = follow()
    assert not subscriber.connected
    joined(board, subscriber)
    assert subscriber.connected
    clock.now += 6.0
    assert not subscriber.connected
    board.beat()
    until(lambda: subscriber.receive(0.01) or subscriber.connected)


class Driven(Subscriber):
    """A subscriber that lets its board step whenever it waits, so that both live in one thread."""

    board: Board

    def receive(self, timeout: float) -> list[Item]:
        self.board.step()
        return super().receive(min(timeout, 0.01))


@pytest.fixture
def driven(folder: str, board: Board) -> Iterator[Driven]:
    with Driven(folder) as subscriber:
        subscriber.board = board
        yield subscriber


def test_join_returns_the_first_whole_picture(board: Board, driven: Driven) -> None:
    board.say(state("a", 1))
    assert driven.join() == Snapshot(epoch="e", seq=1, source_seqs={"pi": 1}, sessions=(state("a", 1),), health=())


def test_iterating_yields_the_snapshot_and_then_the_events(board: Board, driven: Driven) -> None:
    board.say(state("a", 1))
    items = iter(driven)
    assert isinstance(next(items), Snapshot)
    said = [board.say(state("a", 2)), board.say(state("a", 3))]
    assert [next(items), next(items)] == said
    board.say(state("b", 1), lost=True)
    board.beat()
    assert isinstance(next(items), Snapshot), "a resynchronisation is a snapshot again"


def test_iterating_goes_on_where_receiving_has_got_to(board: Board, driven: Driven) -> None:
    driven.join()
    event = board.say(state("a", 1))
    assert next(iter(driven)) == event


def silent(folder: str, words: Iterable[str]) -> None:
    """Leave behind what a supervisor that was killed leaves behind."""
    for word in words:
        with open(os.path.join(folder, word), "wb"):
            pass


def test_a_socket_that_nobody_answers_is_no_supervisor(folder: str) -> None:
    silent(folder, [EVENTS, SNAPSHOT])
    with Subscriber(folder, patience=0.05) as subscriber, pytest.raises(NotRunning, match="does not answer"):
        subscriber.join()
    with Subscriber(folder, patience=0.05) as subscriber, pytest.raises(NotRunning, match="does not answer"):
        next(iter(subscriber))


async def first(subscriber: Subscriber, count: int, after: Callable[[Item], object]) -> list[Item]:
    """Collect so many items; `after` is told each of them."""
    items: list[Item] = []
    async with subscriber:
        async for item in subscriber:
            items.append(item)
            after(item)
            if len(items) == count:
                break
    return items


async def stepping(board: Board) -> None:
    while True:
        board.step()
        await asyncio.sleep(0.001)


def test_async_iteration_yields_the_same(folder: str, board: Board) -> None:
    said: list[Item] = []

    def answer_back(_: Item) -> None:
        said.append(board.say(state("a", len(said))))

    async def run() -> list[Item]:
        steps = asyncio.create_task(stepping(board))
        try:
            return await asyncio.wait_for(first(Subscriber(folder), 4, answer_back), PATIENCE)
        finally:
            steps.cancel()

    items = asyncio.run(run())
    assert isinstance(items[0], Snapshot)
    assert items[1:] == said[:3]


def test_async_iteration_wakes_up_by_itself(folder: str, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_SECONDS", 60.0)

    async def run() -> float:
        began = time.monotonic()
        steps = asyncio.create_task(stepping(board))
        try:
            await first(Subscriber(folder), 20, lambda _: board.say(state("a")))
        finally:
            steps.cancel()
        return time.monotonic() - began

    assert asyncio.run(run()) < PATIENCE


def test_async_iteration_does_not_spin(folder: str, board: Board) -> None:
    looks: list[float] = []

    class Counting(Subscriber):
        def receive(self, timeout: float) -> list[Item]:
            looks.append(timeout)
            assert len(looks) < 1000, "it goes round and round"
            return super().receive(timeout)

    async def run() -> None:
        steps = asyncio.create_task(stepping(board))
        try:
            await asyncio.wait_for(first(Counting(folder), 3, lambda _: board.say(state("a"))), PATIENCE)
        finally:
            steps.cancel()

    asyncio.run(run())
    assert len(looks) < 50


@pytest.mark.parametrize("heartbeat", [False, True])
def test_async_iteration_does_not_wait_for_ever(folder: str, board: Board, *, heartbeat: bool) -> None:
    async def run() -> None:
        async with Subscriber(folder, patience=0.05) as subscriber:
            async for _ in subscriber:
                pass

    async def beating() -> None:
        while True:
            if heartbeat:
                board.beat()
            await asyncio.sleep(0.001)

    async def both() -> None:
        beats = asyncio.create_task(beating())
        try:
            await asyncio.wait_for(run(), PATIENCE)
        finally:
            beats.cancel()

    with pytest.raises(NotRunning, match="does not answer"):
        asyncio.run(both())


@pytest.mark.parametrize("turns", range(8))
def test_async_iteration_ends_when_it_is_cancelled_though_something_comes_at_that_moment(
    folder: str, board: Board, turns: int
) -> None:
    async def follow(subscriber: Subscriber, joined: asyncio.Event) -> None:
        async for _ in subscriber:
            joined.set()

    async def run() -> None:
        async with Subscriber(folder) as subscriber:
            steps = asyncio.create_task(stepping(board))
            joined = asyncio.Event()
            following = asyncio.create_task(follow(subscriber, joined))
            await asyncio.wait_for(joined.wait(), PATIENCE)
            steps.cancel()
            board.say(state("a", 1))
            assert select.select([subscriber._listening.fd], [], [], PATIENCE)[0]
            for _ in range(turns):
                await asyncio.sleep(0)
            following.cancel()
            done, _ = await asyncio.wait([following], timeout=PATIENCE)
            assert following in done

    asyncio.run(run())
