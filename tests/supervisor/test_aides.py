import os
import signal
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from harness import wait_for

from bellboard.supervisor.aides import SETTLED_SECONDS, Aide
from bellboard.supervisor.crew.restart import Policy

POLICY = Policy(first=1.0, most=4.0, at_least=0.0, probes=(300.0,))


@pytest.fixture
def aide(stand_in: Callable[[str], None], folder: str) -> Iterator[Aide]:
    """An aide that notes the words it was started with and lives until it is ended."""
    stand_in(f'echo "$@" >>{folder}/said\nexec sleep 60')
    made = Aide("gateway", ("serve", "--port", "0"), POLICY)
    yield made
    made.close()


def gone(pid: int | None) -> None:
    assert pid is not None
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", what="its end")


def test_an_aide_is_a_command_of_ours_in_a_process_of_its_own(aide: Aide, folder: str) -> None:
    assert (aide.pid, aide.restarts) == (None, -1)
    aide.tend(0.0)
    pid = aide.pid
    aide.tend(0.1)
    assert (aide.pid, aide.restarts) == (pid, 0)
    said = Path(folder, "said")
    wait_for(lambda: said.exists() and said.read_text(), what="its words")
    assert said.read_text() == "-m bellboard.supervisor serve --port 0\n"
    assert pid is not None
    assert os.getsid(pid) == pid, "a signal to our terminal is not for it"


def test_one_that_ends_is_started_again_at_once_and_then_after_ever_longer_pauses(aide: Aide) -> None:
    starts: list[float] = []
    clock = 0.0
    for _ in range(4):
        before = aide.restarts
        while aide.restarts == before:
            aide.tend(clock)
            clock += 0.25
        starts.append(clock)
        pid = aide.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        gone(pid)
    pauses = [after - before for before, after in pairwise(starts)]
    assert pauses[0] == 0.25
    assert pauses == sorted(pauses)
    assert 1.0 <= pauses[-1] <= 2.5


def test_one_that_had_settled_has_only_had_an_accident(aide: Aide) -> None:
    for clock in (0.0, SETTLED_SECONDS, 2 * SETTLED_SECONDS, 3 * SETTLED_SECONDS):
        before = aide.restarts
        aide.tend(clock)
        assert aide.restarts == before + 1
        pid = aide.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        gone(pid)


def test_one_that_cannot_be_started_is_tried_again_later(aide: Aide, folder: str) -> None:
    aide._words = [f"{folder}/nothing"]
    aide.tend(0.0)
    assert (aide.pid, aide.restarts) == (None, 0)
    aide.tend(0.0)
    aide.tend(0.1)
    assert aide.restarts == 1, "now it waits"


def test_what_it_held_is_given_back_when_it_is_closed(aide: Aide) -> None:
    before = len(os.listdir("/proc/self/fd"))
    aide.tend(0.0)
    pid = aide.pid
    aide.close()
    assert aide.pid is None
    gone(pid)
    assert len(os.listdir("/proc/self/fd")) == before
