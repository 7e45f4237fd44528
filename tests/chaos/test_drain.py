"""A supervisor that is told to end does so in its time, however stubborn its workers are, and nothing is lost."""

import signal
import time

import pytest
from faulty import append, settle
from harness import House, wait_for
from proof import Proof

MOST_SECONDS = 10.0


@pytest.mark.timeout(120)
def test_busy_workers_and_one_that_ignores_everything_are_drained_in_time(house: House, proof: Proof) -> None:
    names = [f"s{number}" for number in range(proof.many(4, 20))]
    settle(house, *names, "stubborn")
    supervisor = house.start(seconds=30)
    for name in names:
        append(house, name, f"{name}-one")
    append(house, "stubborn", "good")
    wait_for(lambda: len(house.sessions()) == len(names) + 1, 30, "all workers at work")
    append(house, "stubborn", "bad", "stuck")
    for name in names:
        append(house, name, f"{name}-one", *["line"] * 2000)
    supervisor.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert supervisor.wait(30) == 0
    took = time.monotonic() - began
    proof.figure(f"{len(names)} busy workers and one that hangs: ended after {took:.1f} s")
    assert took <= MOST_SECONDS
    house.start(seconds=30)
    wait_for(
        lambda: all(house.sessions()[f"{name}-one"]["message_count"] == 2001 for name in names), 30, "every line once"
    )
