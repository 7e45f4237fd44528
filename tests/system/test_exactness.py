"""No crash changes a number: load goes on while workers and supervisors are killed, and the sums equal a clean read."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from claude_load import Load, claude_rows
from harness import House, wait_for

CHAOS = Path(__file__).parents[1] / "support" / "chaos"
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "subscribe_pyzmq.py"
WORKER_KILLS = 20
SUPERVISOR_KILLS = 3


def holder(house: House) -> psutil.Process | None:
    """Return the living process that holds the worker's lock: there may be a spare besides."""
    lock = house.runtime / "worker-claude.lock"
    pid = int(lock.read_text() or 0) if lock.exists() else 0
    return next((worker for worker in house.workers() if worker.pid == pid), None)


def kill_and_restart(house: House, env: dict[str, str]) -> None:
    """Kill the worker twenty times and the supervisor three times while the load runs."""
    supervisor = house.start("--source", f"claude={house.homes}", env=env)
    for round_number in range(SUPERVISOR_KILLS + 1):
        for _ in range(WORKER_KILLS // (SUPERVISOR_KILLS + 1)):
            worker = wait_for(lambda: holder(house), what="a worker")
            time.sleep(random.uniform(0.05, 0.4))  # not waiting for anything: the moment of the kill is to be arbitrary
            worker.send_signal(signal.SIGKILL)
            wait_for(lambda gone=worker: (now := holder(house)) is not None and now != gone, what="the next worker")
        if round_number < SUPERVISOR_KILLS:
            supervisor.kill()
            supervisor.wait()
            wait_for(lambda: not house.workers(), 2.0, "the end of the orphans")
            supervisor = house.start("--source", f"claude={house.homes}", env=env)


def counts(house: House) -> dict[str, tuple[int, int]]:
    return {name: (each["message_count"], each["tool_call_count"]) for name, each in house.sessions().items()}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("loose", [False, True], ids=["exact", "negative control: a loosened ledger over-counts"])
def test_counts_equal_a_clean_read_after_twenty_worker_and_three_supervisor_kills(house: House, loose: bool) -> None:
    env = {"PYTHONPATH": os.pathsep.join([str(CHAOS), house.env["PYTHONPATH"]]), "BELLBOARD_TEST_WIRE": "1"}
    if loose:
        env["BELLBOARD_TEST_LOOSE"] = "1"
    load = Load(house.homes)
    try:
        kill_and_restart(house, env)
    finally:
        load.stop()
    truth = load.truth
    assert sum(load.steps.values()) > 200
    if not loose:
        wait_for(lambda: counts(house) == truth, 40, "the exact counts")
        return
    # A sum and not each session: one may also have lost a step for good, which such a ledger does as well.
    true = sum(messages for messages, _ in truth.values())
    wait_for(lambda: sum(messages for messages, _ in counts(house).values()) > true, 40, "a sum that is too high")


def test_the_bare_pyzmq_example_sees_each_append(house: House) -> None:
    folder = house.homes / "projects" / "-home-you-app"
    folder.mkdir(parents=True)
    path = folder / "00000000-0000-4000-8000-000000000001.jsonl"
    path.write_text(claude_rows(path.stem, 0))
    house.start("--source", f"claude={house.homes}")
    wait_for(lambda: path.stem in house.sessions(), what="the session")
    out = house.root / "seen.txt"
    with out.open("w") as file:
        example = subprocess.Popen(
            [sys.executable, str(EXAMPLE)], stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **house.env}
        )
    try:
        number = itertools.count(1)

        def appended() -> bool:
            with path.open("a") as file:
                file.write(claude_rows(path.stem, next(number)))
            return "updated claude" in out.read_text()

        wait_for(appended, what="the first event")  # the example may still have been joining
        for _ in range(10):
            step = next(number)
            with path.open("a") as file:
                file.write(claude_rows(path.stem, step))
            expected = f"{path.stem} working {2 * (step + 1)}\n"
            wait_for(lambda text=expected: text in out.read_text(), 1.0, f"an event with {expected!r} within a second")
    finally:
        example.terminate()
        example.wait()
