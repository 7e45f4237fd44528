import asyncio
import signal
import time
from collections.abc import Callable

import pytest

from bellboard.supervisor.live import ending
from bellboard.supervisor.live.ending import ENDS, EXIT_LOST, Ending


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something has come true; fail if it does not within ten seconds."""
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("number", ENDS)
def test_who_is_told_to_end_and_waits_for_ever_for_a_terminal_that_is_gone_ends_all_the_same(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ended: list[int] = []
    monkeypatch.setattr(ending, "LOST_SECONDS", 0.01)
    monkeypatch.setattr(ending.os, "_exit", ended.append)

    async def run() -> None:
        Ending().listen(asyncio.get_running_loop(), lambda: asked.append("leave"))
        signal.raise_signal(number)
        await until(lambda: asked == ["leave"])
        signal.raise_signal(number)  # impatience changes nothing
        await until(lambda: (asked, ended) == (["leave", "leave"], [EXIT_LOST]))

    asyncio.run(run())


def test_who_has_left_is_not_ended_and_signals_do_what_they_did_before(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    ended: list[int] = []
    monkeypatch.setattr(ending.os, "_exit", ended.append)

    async def run() -> None:
        left = asyncio.Event()
        told.listen(asyncio.get_running_loop(), left.set)
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(left.wait(), 10)

    try:
        with Ending() as told:
            asyncio.run(run())
        told._lost.join(10)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (heard, ended, told._lost.is_alive()) == ([signal.SIGTERM], [], False)
