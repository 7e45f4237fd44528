"""A busy machine kills no healthy worker."""

import multiprocessing
import os
import time

import pytest
from faulty import append, settle
from harness import House, wait_for
from proof import Proof

SOURCES = ("one", "two", "three")


def burn() -> None:
    """Use a processor until killed."""
    while True:
        pass


@pytest.mark.timeout(60)
def test_a_load_of_four_for_each_processor_ends_no_worker(house: House, proof: Proof) -> None:
    settle(house, *SOURCES)
    house.start()
    burners = [
        multiprocessing.get_context("spawn").Process(target=burn, daemon=True) for _ in range(4 * (os.cpu_count() or 1))
    ]
    seconds = 600.0 if proof.full else 10.0
    lines = 0
    try:
        for burner in burners:
            burner.start()
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            lines += 1
            for source in SOURCES:
                append(house, source, source)
            wait_for(lambda until=began + lines: time.monotonic() > until, 60, "the next second")
    finally:
        for burner in burners:
            burner.kill()
            burner.join()
    wait_for(
        lambda: {each["message_count"] for each in house.sessions().values()} == {lines}, 30, "all lines on the board"
    )
    kills = sum(health["restarts"] for health in house.health().values())
    proof.figure(f"load {len(burners)} on {os.cpu_count()} processors for {seconds:.0f} s: {kills} workers ended")
    assert kills == 0
