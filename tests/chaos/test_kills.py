"""No kill changes a number, wherever it strikes: at each step of the way of the data, in workers and supervisor."""

import os
import time
from collections import Counter
from pathlib import Path

import pytest
from claude_load import Load
from harness import House, wait_for
from proof import Proof

CHAOS = Path(__file__).parents[1] / "support" / "chaos"
CHANCE = "0.03"
SETTINGS = "[restart]\nmost = 0.5\nprobe = 0.5\n"


def counts(house: House) -> dict[str, tuple[int, int]]:
    return {name: (each["message_count"], each["tool_call_count"]) for name, each in house.sessions().items()}


def surplus(house: House, truth: dict[str, tuple[int, int]]) -> float:
    """Return by how much the messages of all sessions together are over-counted, as a share of the true sum."""
    return sum(found for found, _ in counts(house).values()) / sum(true for true, _ in truth.values()) - 1


def deaths(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def keep_alive_until(house: House, env: dict[str, str], log: Path, enough: int) -> int:
    """Start a supervisor whenever none lives, until there were enough deaths; returns how often one was started."""
    starts = 0
    while len(deaths(log)) < enough:
        try:
            supervisor = house.start("--source", f"claude={house.homes}", env=env)
        except AssertionError:
            continue  # it was killed before it was ready
        starts += 1
        wait_for(
            lambda supervisor=supervisor: supervisor.poll() is not None or len(deaths(log)) >= enough,
            3600,
            "enough deaths",
        )
        if supervisor.poll() is None:
            supervisor.kill()
        supervisor.wait()
    return starts


@pytest.mark.timeout(180)
@pytest.mark.parametrize("loose", [False, True], ids=["exact", "negative control"])
def test_counts_equal_the_files_after_kills_at_every_step(house: House, proof: Proof, loose: bool) -> None:
    house.config.write_text(SETTINGS)
    log = house.root / "deaths"
    env = {
        "PYTHONPATH": os.pathsep.join([str(CHAOS), house.env["PYTHONPATH"]]),
        "BELLBOARD_TEST_WIRE": "1",
        "BELLBOARD_TEST_DIE": CHANCE,
        "BELLBOARD_TEST_DEATHS": str(log),
    } | ({"BELLBOARD_TEST_LOOSE": "1"} if loose else {})
    enough = proof.many(25, 500 if not loose else 60)
    load = Load(house.homes)
    try:
        starts = keep_alive_until(house, env, log, enough)
    finally:
        load.stop()
    house.start("--source", f"claude={house.homes}")
    began = time.monotonic()
    if loose:
        # A session may also have lost a step for good: it was lost on the wire, a later one counted, the worker killed.
        wait_for(lambda: surplus(house, load.truth) > 0, 60, "a sum that is too high")
        proof.figure(f"loosened ledger: {len(deaths(log))} kills, over-counts by {surplus(house, load.truth):.1%}")
        return
    wait_for(lambda: counts(house) == load.truth, 60, "the exact counts")
    places = Counter(deaths(log))
    proof.figure(
        f"{sum(places.values())} kills at {len(places)} places, {starts} supervisors, {sum(load.steps.values())} steps: "
        f"0 differences, {time.monotonic() - began:.1f} s after the last start"
    )
    assert len(places) >= proof.many(5, 14)
