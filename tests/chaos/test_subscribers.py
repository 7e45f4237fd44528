"""Subscribers: whoever joins late has the board's state, and whoever is slow, stopped or dead slows nobody."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from statistics import median

import psutil
import pytest
from harness import House, wait_for
from loaded import Loaded, pause, percentile
from proof import Proof

from bellboard.protocol import Subscriber

JOIN_SECONDS = 2.0

READERS = """
import sys, zmq
context = zmq.Context()
poller = zmq.Poller()
for _ in range(int(sys.argv[2])):
    line = context.socket(zmq.SUB)
    line.rcvhwm = 2000
    line.connect("ipc://" + sys.argv[1] + "/events.sock")
    line.subscribe(b"")
    poller.register(line)
print("reading", flush=True)
while True:
    for line, _ in poller.poll():
        for _ in range(100):
            try:
                line.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
"""


def live(crowd: list[Subscriber]) -> bool:
    """Let all of them take what has come; returns whether all of them know that they are up to date."""
    for each in crowd:
        each.receive(0)
    return all(each._replica.phase == "live" for each in crowd)


@contextlib.contextmanager
def readers(house: House, count: int) -> Generator[subprocess.Popen[str]]:
    """A process of so many subscribers that read everything."""
    words = [sys.executable, "-c", READERS, str(house.runtime), str(count)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "reading\n"
            yield process
        finally:
            process.kill()


@pytest.mark.timeout(120)
def test_who_joins_late_has_no_gap_and_the_boards_state(house: House, proof: Proof) -> None:
    rate, joins = proof.many(500, 2000), proof.many(10, 100)
    load = Loaded(house, rate, 200)
    load.go()
    took: list[float] = []
    events = resyncs = 0
    began = time.monotonic()
    for _ in range(joins):
        at = time.monotonic()
        with Subscriber(str(house.runtime)) as board:
            board.join()
            took.append(time.monotonic() - at)
            assert load.wrong(board.sessions) == {}
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                events += len(board.receive(0.05))
                assert load.wrong(board.sessions) == {}, "the board was never in such a state"
            resyncs += board.resyncs
    pace = 0.0
    with contextlib.ExitStack() as stack:
        last = [stack.enter_context(Subscriber(str(house.runtime))) for _ in range(5)]
        for each in last:
            each.join()
        total = load.stop()
        pace = total / (time.monotonic() - began)
        stopped = time.monotonic()
        for each in last:
            wait_for(lambda who=each: who.receive(0.01) or sum(s.message_count for s in who.sessions.values()) == total)
            assert load.wrong(each.sessions) == {}
        converged = time.monotonic() - stopped
    assert events > joins
    if proof.full:
        assert (resyncs, max(took) <= JOIN_SECONDS, converged <= JOIN_SECONDS) == (0, True, True)
    proof.figure(
        f"{joins} joins at {pace:,.0f} events/s: {resyncs} gaps, {events:,} events checked, join "
        f"{median(took) * 1000:.0f} ms median and {max(took) * 1000:.0f} ms at most, "
        f"equal state {converged * 1000:.0f} ms after the end"
    )


@pytest.mark.timeout(120)
def test_a_hundred_who_join_at_once_all_have_the_boards_state(house: House, proof: Proof) -> None:
    load = Loaded(house, 500, 500)
    load.go()
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        crowd = [stack.enter_context(Subscriber(str(house.runtime))) for _ in range(proof.many(20, 100))]
        wait_for(lambda: live(crowd), 30, "all joins")
        took = time.monotonic() - began
        total = load.stop()
        for each in crowd:
            wait_for(
                lambda who=each: who.receive(0.01) or sum(s.message_count for s in who.sessions.values()) == total, 30
            )
            assert load.wrong(each.sessions) == {}
    proof.figure(f"{len(crowd)} at once on 500 sessions at 500 events/s: all live after {took:.1f} s, in one process")


@pytest.mark.timeout(300)
def test_the_slow_slow_nobody(house: House, proof: Proof) -> None:
    load = Loaded(house, 1000, 200)
    supervisor = psutil.Process(load.supervisor.pid)
    windows, seconds = proof.many(1, 10), proof.many(1, 5)
    free: list[list[float]] = []
    stalled: list[list[float]] = []
    with readers(house, proof.many(10, 45)), readers(house, 5) as five:
        load.go()
        pause(2 * seconds)
        memory = supervisor.memory_info().rss
        most = 0
        for _ in range(windows):
            for found, how in ((free, signal.SIGCONT), (stalled, signal.SIGSTOP)):
                os.kill(five.pid, how)
                pause(1)
                began = time.monotonic()
                pause(seconds)
                found.append([began, time.monotonic()])
                most = max(most, supervisor.memory_info().rss)
        os.kill(five.pid, signal.SIGCONT)
        total = load.stop()
    assert total > 0
    both = [[load.latencies(*window) for window in found] for found in (free, stalled)]
    assert all(len(each) > 10 for found in both for each in found)
    middles, highs = ([[percentile(each, share) for each in found] for found in both] for share in (0.5, 0.99))
    middle = median(slow / fast for fast, slow in zip(*middles, strict=True))
    high = median(slow / fast for fast, slow in zip(*highs, strict=True))
    if proof.full:
        assert (middle <= 1.1, high <= 1.5, most - memory <= 20 << 20) == (True, True, True), (
            middle,
            high,
            most - memory,
        )
    proof.figure(
        f"50 subscribers, 5 stopped, {windows} pairs of {seconds} s, {total:,} updates in all: "
        f"ingest median {median(middles[0]) * 1000:.2f} -> {median(middles[1]) * 1000:.2f} ms (ratio {middle:.3f}), "
        f"p99 {median(highs[0]) * 1000:.2f} -> {median(highs[1]) * 1000:.2f} ms (ratio {high:.2f}), "
        f"memory {(most - memory) / 2**20:+.1f} MB"
    )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", ["did not read", "was stopped"])
def test_who_did_not_keep_up_ends_with_the_boards_state(house: House, proof: Proof, how: str) -> None:
    load = Loaded(house, 2000, 50)
    words = [sys.executable, "-c", FOLLOW, str(house.runtime), "wait" if how == "did not read" else ""]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "joined\n"
        if how == "was stopped":
            process.send_signal(signal.SIGSTOP)
        load.go()
        pause(proof.many(4, 15))
        total = load.stop()
        began = time.monotonic()
        process.send_signal(signal.SIGCONT)
        process.stdin.write(f"{total}\n")
        process.stdin.flush()
        resyncs, right = process.stdout.readline().split()
        took = time.monotonic() - began
    assert right == "True"
    if proof.full:
        assert int(resyncs) >= 1
        assert took <= JOIN_SECONDS
    proof.figure(f"missed most of {total:,} events; right again after {took:.2f} s and {resyncs} resynchronisation(s)")


FOLLOW = """
import sys, time
from bellboard.protocol import Subscriber
with Subscriber(sys.argv[1]) as board:
    board.join()
    print("joined", flush=True)
    if sys.argv[2]:
        total = int(sys.stdin.readline())
    else:
        import os
        os.set_blocking(0, False)
        total = None
        while total is None:
            board.receive(0.05)
            line = sys.stdin.readline()
            total = int(line) if line else None
    until = time.monotonic() + 30
    while time.monotonic() < until and sum(s.message_count for s in board.sessions.values()) != total:
        board.receive(0.05)
    print(board.resyncs, sum(s.message_count for s in board.sessions.values()) == total, flush=True)
"""


@pytest.mark.timeout(120)
def test_who_follows_over_restarts_of_the_supervisor_ends_with_its_state(house: House, proof: Proof) -> None:
    restarts = proof.many(1, 5)
    load = Loaded(house, 200, 50)
    load.go()
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(Subscriber(str(house.runtime))) for _ in range(proof.many(5, 30))]
        wait_for(lambda: live(crowd), 30, "all joins")
        load.stop()
        longest = 0.0
        for _ in range(restarts):
            load.supervisor.kill()
            load.supervisor.wait()
            load.supervisor = house.start("--source", f"mock={house.homes / 'mock'}")
            began = time.monotonic()
            with Subscriber(str(house.runtime)) as witness:
                epoch = witness.join().epoch

                def same(now: str = epoch) -> bool:
                    return live(crowd) and all(each._replica.epoch == now for each in crowd)

                wait_for(same, 30, "everybody in the new epoch")
                longest = max(longest, time.monotonic() - began)
                assert all(each.sessions == witness.sessions for each in crowd)
    proof.figure(
        f"{len(crowd)} subscribers over {restarts} SIGKILLs of the supervisor: equal after {longest:.1f} s at most"
    )
