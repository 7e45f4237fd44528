"""A worker that dies at once does not burn the machine. (The hours are in tests/supervisor/crew/test_restart.py.)"""

import time

import psutil
import pytest
from faulty import settle
from harness import House, wait_for
from proof import Proof

MOST_STARTS = 12
MOST_SHARE = 0.005


@pytest.mark.timeout(60)
def test_a_worker_that_dies_at_once_is_started_seldom_and_the_supervisor_rests(house: House, proof: Proof) -> None:
    settle(house, "well")
    with house.config.open("a") as file:
        file.write('[sources.sick]\nfactory = "faulty_source:dies"\n')
    supervisor = psutil.Process(house.start().pid)
    seconds = 300.0 if proof.full else 12.0
    began = time.monotonic()
    wait_for(lambda: house.health()["sick"]["restarts"] >= 5, 40, "five deaths")
    opened = house.health()["sick"]
    assert (opened["status"], "next try in 5 min" in opened["reason"]) == ("failed", True)
    # From here on nobody asks, so that what is measured is the board's own work.
    since, used = time.monotonic(), sum(supervisor.cpu_times()[:4])
    wait_for(lambda: time.monotonic() - began > seconds, seconds + 5, "the end of the time")
    share = (sum(supervisor.cpu_times()[:4]) - used) / (time.monotonic() - since)
    starts = house.health()["sick"]["restarts"] + 1
    proof.figure(f"{starts} starts in {seconds:.0f} s; supervisor with its dead workers {share:.2%} of a processor")
    assert starts <= MOST_STARTS
    if proof.full:
        assert share < MOST_SHARE
