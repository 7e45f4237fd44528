"""Supervisor killed: no worker is left. Many started at once: one wins and keeps its sockets."""

import os
import signal
import subprocess
import time

import psutil
import pytest
from faulty import append, settle
from harness import COMMAND, House, alive, wait_for
from proof import Proof

KINDS = ("idle", "busy", "stuck", "stopped")
SOON_SECONDS = 1.0


@pytest.mark.timeout(120)
def test_no_worker_outlives_its_supervisor_whatever_it_is_doing(house: House, proof: Proof) -> None:
    settle(house, *KINDS)
    worst, rounds = 0.0, proof.many(2, 100)
    for _ in range(rounds):
        for kind in KINDS:
            (house.homes / kind / kind).unlink(missing_ok=True)
        supervisor = house.start("--ephemeral")
        workers = wait_for(lambda: found if len(found := house.workers()) == len(KINDS) else [], what="the workers")
        for kind in KINDS:
            append(house, kind, kind)
        wait_for(lambda: len(house.sessions()) == len(KINDS), what="all workers at work")
        append(house, "busy", "busy", "loop")
        append(house, "stuck", "stuck", "stuck")
        psutil.Process(house.health()["stopped"]["pid"]).suspend()
        busy = psutil.Process(house.health()["busy"]["pid"])
        wait_for(lambda busy=busy: busy.status() == psutil.STATUS_RUNNING, what="the deed")
        supervisor.send_signal(signal.SIGKILL)
        began = time.monotonic()
        supervisor.wait()
        wait_for(lambda workers=workers: not any(map(alive, workers)), 5 * SOON_SECONDS, "the end of the workers")
        worst = max(worst, time.monotonic() - began)
    proof.figure(f"{rounds * len(KINDS)} workers of {rounds} killed supervisors gone, the last after {worst:.2f} s")
    assert worst <= SOON_SECONDS


@pytest.mark.timeout(120)
def test_a_spare_worker_does_not_outlive_its_supervisor_either(house: House) -> None:
    settle(house, "quiet")
    append(house, "quiet", "one")
    supervisor = house.start("--ephemeral")
    wait_for(lambda: "one" in house.sessions(), what="the session")
    os.kill(house.health()["quiet"]["pid"], signal.SIGKILL)
    both = wait_for(lambda: found if len(found := house.workers()) == 2 else [], what="a new worker and a spare")
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    wait_for(lambda: not any(map(alive, both)), 5 * SOON_SECONDS, "the end of both")


@pytest.mark.timeout(120)
def test_of_many_that_start_at_once_one_wins_and_keeps_its_sockets(house: House, proof: Proof) -> None:
    settle(house, "quiet")
    rounds, many = proof.many(1, 50), proof.many(6, 20)
    for number in range(rounds):
        append(house, "quiet", "one")
        environment = {**os.environ, **house.env}
        crowd = [
            subprocess.Popen([*COMMAND, "run"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
            for _ in range(many)
        ]
        try:
            wait_for(lambda crowd=crowd: sum(each.poll() is None for each in crowd) == 1, 60, "all but one to refuse")
            (winner,) = [each for each in crowd if each.poll() is None]
            assert {each.returncode for each in crowd if each is not winner} == {1}
            wait_for(
                lambda number=number: house.sessions().get("one", {}).get("message_count") == number + 1,
                what="the board of the one that won",
            )
        finally:
            for each in crowd:
                each.terminate()
            for each in crowd:
                each.communicate(timeout=20)
    proof.figure(f"{rounds} times {many} at once: one won each time, and its sockets answered")
