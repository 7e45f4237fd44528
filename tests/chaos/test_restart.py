"""Restart: what was stored is served at once, and exact soon after."""

import contextlib
import time

import pytest
from harness import House, wait_for
from loaded import Loaded
from proof import Proof

from bellboard.protocol import NotRunning, Subscriber

SERVED_SECONDS = 0.5
EXACT_SECONDS = 2.0


@pytest.mark.timeout(180)
def test_stored_sessions_are_served_at_once_after_a_kill(house: House, proof: Proof) -> None:
    count, times = proof.many(300, 5000), proof.many(1, 5)
    load = Loaded(house, 5000, count)
    load.go()

    def complete() -> bool:
        with Subscriber(str(house.runtime)) as board:
            board.join()
            return len(board.sessions) == count

    wait_for(complete, 60, "all sessions")
    total = load.stop()
    served: list[float] = []
    whole: list[float] = []
    for _ in range(times):
        load.supervisor.kill()
        load.supervisor.wait()
        load.supervisor = house.start("--source", f"mock={house.homes / 'mock'}")
        ready = time.monotonic()
        while True:
            with contextlib.suppress(NotRunning), Subscriber(str(house.runtime)) as board:
                board.join()
                break
        served.append(time.monotonic() - ready)
        assert len(board.sessions) == count
        assert sum(state.message_count for state in board.sessions.values()) == total
        assert load.wrong(board.sessions) == {}
        whole.append(time.monotonic() - ready)
    if proof.full:
        assert max(served) <= SERVED_SECONDS
        assert max(whole) <= EXACT_SECONDS
    proof.figure(
        f"{count:,} sessions, {times} SIGKILLs: whole board served {max(served) * 1000:.0f} ms after READY at most, "
        f"exact ({total:,} messages) after {max(whole) * 1000:.0f} ms"
    )
