"""A worker that hangs is found in its time and says where it stood; one that is merely stopped is not touched."""

import signal
import time

import pytest
from faulty import append, settle
from harness import House, alive, wait_for
from proof import Proof

QUICK = "[limits]\nsuspect = 1\nhung = 3\nstarved = 12\n"
PRECISION_SECONDS = 2.0
WHERE = {"regex": "__init__.py", "stuck": "faulty_source.py", "read": "faulty_source.py", "loop": "faulty_source.py"}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("deed", WHERE)
def test_a_hang_is_found_in_its_time_and_health_says_where_it_stood(house: House, proof: Proof, deed: str) -> None:
    limit = 30.0 if proof.full else 3.0
    settle(house, "sick", settings="" if proof.full else QUICK)
    append(house, "sick", "good")
    house.start()
    wait_for(lambda: "good" in house.sessions(), what="the worker at work")
    (worker,) = house.workers()
    append(house, "sick", "bad", deed)
    began = time.monotonic()
    wait_for(lambda: not alive(worker), 60, "the end of the hung worker")
    took = time.monotonic() - began
    health = wait_for(lambda: (found := house.health()["sick"])["traceback"] and found, what="the traceback")
    proof.figure(f"{deed}: limit {limit:.0f} s, ended after {took:.1f} s; stood at {health['traceback'][:80]}")
    assert health["traceback"].startswith(WHERE[deed])
    assert "in step" in health["traceback"]
    assert "(hung)" in health["last_error"]
    assert str(house.root) not in str(health)
    if proof.full:
        assert abs(took - limit) <= PRECISION_SECONDS


def test_a_stopped_worker_is_marked_not_killed_and_goes_on_when_it_may(house: House) -> None:
    settle(house, "idle", settings=QUICK)
    append(house, "idle", "one")
    house.start()
    wait_for(lambda: "one" in house.sessions(), what="the worker at work")
    (worker,) = house.workers()
    worker.suspend()
    reason = wait_for(lambda: "stopped" in ((found := house.health()["idle"])["reason"] or "") and found["reason"])
    assert reason == "the worker is stopped: `kill -CONT` its process, or restart it"
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > 4.0, what="more than the limit of a hang")  # the limit is the point
    worker.resume()
    append(house, "idle", "one")
    wait_for(lambda: house.sessions()["one"]["message_count"] == 2, what="the line after the stop")
    assert house.workers() == [worker]
    assert house.health()["idle"]["restarts"] == 0


def test_a_stopped_worker_can_be_restarted_by_command(house: House) -> None:
    settle(house, "idle")
    house.start()
    (worker,) = wait_for(house.workers, what="the worker")
    worker.suspend()
    assert house.command("ctl", "restart", "idle").returncode == 0
    wait_for(lambda: (found := house.workers()) and found != [worker], 12, "another worker")
    assert house.health()["idle"]["restarts"] == 0


def test_a_supervisor_that_was_stopped_itself_blames_nobody(house: House, proof: Proof) -> None:
    settle(house, "idle", settings="" if proof.full else QUICK)
    append(house, "idle", "one")
    supervisor = house.start()
    wait_for(lambda: "one" in house.sessions(), what="the worker at work")
    before = house.workers()
    away = 120.0 if proof.full else 5.0
    supervisor.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > away, away + 5, "longer than the limit of a hang")
    supervisor.send_signal(signal.SIGCONT)
    append(house, "idle", "one")
    wait_for(lambda: house.sessions()["one"]["message_count"] == 2, what="the next line")
    health = house.health()["idle"]
    assert (house.workers(), health["restarts"], health["status"]) == (before, 0, "healthy")
    proof.figure(f"supervisor stopped for {away:.0f} s: {health['restarts']} kills")
