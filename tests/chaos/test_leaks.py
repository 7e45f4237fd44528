"""A supervisor that has started thousands of workers is the one that started the first."""

import os

import psutil
import pytest
from faulty import append, settle
from harness import House, wait_for
from proof import Proof

MOST_GROWTH = 0.05
SICK = ("ague", "cough", "fever", "gout")
"""Several, so that all processors are busy with starting workers."""


def measure(process: psutil.Process, house: House) -> dict[str, int]:
    """What a process holds: descriptors, threads, memory, and the files in its folders."""
    # Logs have a bound of their own, five files for each source, and reach it.
    found = [name for folder in (house.runtime, house.state) for _, _, names in os.walk(folder) for name in names]
    files = sum(".log" not in name for name in found)
    return {
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
        "memory": process.memory_info().rss,
        "files": files,
    }


@pytest.mark.timeout(120)
def test_nothing_grows_with_the_number_of_restarts(house: House, proof: Proof) -> None:
    settle(house, "well", settings="[restart]\nfirst = 0\nat_least = 0\nmost = 0.01\nprobe = 0.01\n")
    with house.config.open("a") as file:
        file.writelines(f'[sources.{name}]\nfactory = "faulty_source:dies"\n' for name in SICK)
    append(house, "well", "good")
    supervisor = psutil.Process(house.start().pid)
    warm, many = proof.many(4, 1000), proof.many(10, 10_000)

    def restarted(times: int) -> bool:
        health = house.health()
        return sum(health[name]["restarts"] for name in SICK) >= times

    wait_for(lambda: restarted(warm), 1800, "the first restarts")
    before = measure(supervisor, house)
    wait_for(lambda: restarted(many), 3400, "the restarts")
    append(house, "well", "good")
    wait_for(lambda: house.sessions()["good"]["message_count"] == 2, what="the board")
    # Of the commands that just looked, some connections may still be closing.
    wait_for(lambda: measure(supervisor, house)["descriptors"] <= before["descriptors"] + 2, what="closed connections")
    after = measure(supervisor, house)
    proof.figure(f"{many} restarts: {before} -> {after}")
    assert after["threads"] == before["threads"]
    assert after["files"] <= before["files"] + 1
    if proof.full:
        assert after["memory"] <= before["memory"] * (1 + MOST_GROWTH)
