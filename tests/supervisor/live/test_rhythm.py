"""When the board is drawn, on a loop whose clock is set by hand."""

import asyncio
import threading
from collections.abc import Callable
from typing import cast

import pytest

from bellboard.supervisor.live.rhythm import DRAW_SECONDS, Rhythm


class Loop:
    """Stands in for the loop of asyncio: notes after how long what is to be called."""

    def __init__(self) -> None:
        self.now = 100.0
        self.calls: list[tuple[float, Callable[[], None]]] = []
        self.closed = False

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.calls.append((round(seconds, 3), call))

    def call_soon_threadsafe(self, call: Callable[[], None]) -> None:
        if self.closed:
            raise RuntimeError("Event loop is closed")
        self.calls.append((0.0, call))

    def turn(self) -> list[float]:
        """Do what is to be done, and return after how long that was to be."""
        calls, self.calls = self.calls, []
        for _, call in calls:
            call()
        return [seconds for seconds, _ in calls]


class Drawn:
    """A rhythm, its loop, and when it was drawn."""

    def __init__(self) -> None:
        self.loop, self.at = Loop(), list[float]()
        self.rhythm = Rhythm(cast("asyncio.AbstractEventLoop", self.loop), self.draw)

    def draw(self) -> None:
        self.at.append(self.loop.now)
        self.rhythm.drawn()


@pytest.fixture
def drawn() -> Drawn:
    return Drawn()


def test_the_first_change_is_drawn_at_once_and_many_more_once_ten_times_a_second(drawn: Drawn) -> None:
    drawn.rhythm.soon()
    assert (drawn.loop.turn(), drawn.at) == ([0.0], [100.0])
    drawn.loop.now += 0.03
    for _ in range(50):
        drawn.rhythm.soon()
    assert (drawn.loop.turn(), len(drawn.at)) == ([DRAW_SECONDS - 0.03], 2)
    drawn.loop.now += 7
    drawn.rhythm.soon()
    assert (drawn.loop.turn(), len(drawn.at)) == ([0.0], 3)


def test_another_thread_wakes_it_through_the_loop_and_nothing_when_that_has_ended(drawn: Drawn) -> None:
    thread = threading.Thread(target=drawn.rhythm.wake)
    thread.start()
    thread.join(10)
    assert (drawn.loop.turn(), drawn.at) == ([0.0], [])
    drawn.rhythm.wake()  # it is due already
    assert (drawn.loop.turn(), drawn.at) == ([0.0], [100.0])
    drawn.loop.closed = True
    drawn.rhythm.wake()
    assert drawn.loop.calls == []


def test_a_board_that_could_not_be_drawn_yet_is_drawn_with_the_next_change() -> None:
    loop, tries = Loop(), list[float]()
    rhythm = Rhythm(cast("asyncio.AbstractEventLoop", loop), lambda: tries.append(loop.now))
    rhythm.soon()
    loop.turn()
    rhythm.soon()
    loop.turn()
    assert tries == [100.0, 100.0]
