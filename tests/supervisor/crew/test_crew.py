import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest
from harness import wait_for

from bellboard.protocol.channel import Poll
from bellboard.protocol.order import Drain, Order
from bellboard.supervisor.crew import crew
from bellboard.supervisor.crew.crew import LAST_WORDS_SECONDS, START_TROUBLE_SECONDS, Crew, Ended
from bellboard.supervisor.crew.death import Death
from bellboard.supervisor.crew.logbook import Logbook
from bellboard.supervisor.crew.quarantine import Cause
from bellboard.supervisor.crew.reserve import KEEP_SECONDS
from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.roster import DRAIN_SECONDS, Push, Roster
from bellboard.supervisor.errors import CannotStart
from bellboard.supervisor.folders import lock_holder, worker_lock

StandIn = Callable[[str], None]

PROOF = "t"


class Place:
    """A crew whose line to its workers is a list, and whose workers part when a test says so."""

    def __init__(self, folder: str) -> None:
        self.told: list[tuple[str, Drain]] = []
        self.reachable = True
        self.parted: set[tuple[str, int]] = set()
        self.poll = Poll()
        self.roster = Roster(Policy())
        parted: Callable[[str, int], bool] = lambda source, inc: (source, inc) in self.parted  # noqa: E731
        self.crew = Crew(self.roster, self.poll, self._tell, parted, folder, Logbook(None))

    def _tell(self, source: str, drain: Drain) -> bool:
        self.told.append((source, drain))
        return self.reachable

    def start(self, source: str = "mock", clock: float = 0.0) -> int:
        """Start a worker that can be started; returns its pid."""
        if source not in self.roster.members:
            self.roster.add(source)
        inc = self.roster.members[source].inc + 1
        return self.try_start(source, inc, clock)

    def try_start(self, source: str, inc: int, clock: float = 0.0) -> int:
        order = Order(source=source, inc=inc, token=PROOF, endpoint="ipc:///nowhere", parent_pid=os.getpid())
        return self.crew.start(order, clock)

    def wait_until_it_ended(self, source: str = "mock") -> None:
        """Wait for the end of a worker that nobody has reaped."""
        process = self.crew._processes[source]
        wait_for(lambda: process.exit() is not None, what="the end of the worker")

    def reap(self, clock: float = 1.0) -> list[Ended]:
        """What is found when the first worker is found to have ended."""
        return wait_for(lambda: self.crew.reap(clock), what="a worker to reap")


@pytest.fixture
def place(folder: str) -> Iterator[Place]:
    made = Place(folder)
    yield made
    made.crew.close()


def test_a_started_worker_is_known_and_watched_until_it_is_reaped(stand_in: StandIn, place: Place) -> None:
    stand_in("exec sleep 60")
    pid = place.start(clock=5.0)
    member = place.roster.members["mock"]
    assert (member.pid, member.inc, member.started_at) == (pid, 1, 5.0)
    assert place.crew.reap(6.0) == []
    assert place.poll.wait(0) == set()

    os.kill(pid, signal.SIGKILL)
    assert place.poll.wait(10) != set()
    assert place.reap(6.0) == [Ended("mock", 1, Death("killed by SIGKILL", "killed"), progressed=False)]
    assert (member.pid, len(member.backoff.killed)) == (None, 1)
    assert place.poll.wait(0) == set()
    assert place.crew.reap(6.0) == []


def test_a_death_after_progress_says_so(stand_in: StandIn, place: Place) -> None:
    stand_in("kill -SEGV $$")
    place.start()
    place.roster.progress("mock")
    assert place.reap() == [Ended("mock", 1, Death("killed by SIGSEGV", "crash"), progressed=True)]


def test_a_worker_that_ended_by_itself_is_given_time_for_its_last_words(stand_in: StandIn, place: Place) -> None:
    stand_in("exit 69")
    place.start()
    place.wait_until_it_ended()
    assert place.crew.reap(10.0) == []
    assert place.crew.reap(10.0 + LAST_WORDS_SECONDS - 0.01) == []
    assert place.crew.reap(10.0 + LAST_WORDS_SECONDS) == [
        Ended("mock", 1, Death("exit code 69", "crash"), progressed=False)
    ]


def test_a_worker_that_has_said_its_last_words_is_reaped_at_once(stand_in: StandIn, place: Place) -> None:
    stand_in("exit 69")
    place.start()
    place.wait_until_it_ended()
    assert place.crew.reap(10.0) == []
    place.roster.absent("mock", ("/nowhere",))
    place.parted.add(("mock", 1))
    assert place.crew.reap(10.0) == [Ended("mock", 1, None, progressed=False)]


def test_a_drain_is_said_and_only_who_cannot_hear_it_is_terminated(stand_in: StandIn, place: Place) -> None:
    stand_in("exec sleep 60")
    place.start()
    place.crew.push(place.roster.stop("mock", 0.0))
    assert place.told == [("mock", Drain(deadline=DRAIN_SECONDS))]
    assert place.crew.reap(0.0) == []

    place.reachable = False
    place.crew.push([Push("mock", "drain")])
    assert place.reap() == [Ended("mock", 1, None, progressed=False)]
    assert place.roster.due(1.0) == ["mock"]


@pytest.mark.parametrize(
    ("pushes", "error", "cause"),
    [([], "killed by SIGTERM", "killed"), ([Push("mock", "kill")], "killed by SIGKILL", "killed")],
    ids=["the gentle one", "the stubborn one"],
)
def test_a_worker_is_ended_as_firmly_as_it_needs(
    stand_in: StandIn, place: Place, pushes: list[Push], error: str, cause: Cause
) -> None:
    stand_in(("trap '' TERM; " if pushes else "") + "echo ready; exec sleep 60")
    place.start()
    wait_for(lambda: place.poll.wait(1), what="the worker to be ready")
    place.crew.push([Push("mock", "term"), Push("nobody", "kill")])
    place.crew.push(pushes)
    assert place.reap() == [Ended("mock", 1, Death(error, cause), progressed=False)]


def test_what_a_worker_writes_is_passed_on_with_its_name(
    stand_in: StandIn, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bellboard")
    stand_in("echo to stdout; echo to stderr >&2; exec sleep 60")
    place.start()

    def heard() -> bool:
        place.poll.wait(1)
        place.crew.read_logs(1.0)
        return len(caplog.messages) >= 2

    wait_for(heard, what="two lines")
    assert caplog.messages == ["mock: to stdout", "mock: to stderr"]


def test_last_lines_are_passed_on_before_the_end_is(
    stand_in: StandIn, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bellboard")
    stand_in("echo oh no; kill -ABRT $$")
    place.start()
    place.reap()
    assert caplog.messages == ["mock: oh no", "mock: the worker ended: killed by SIGABRT"]


def test_a_worker_that_closes_its_standard_streams_does_not_keep_anybody_awake(stand_in: StandIn, place: Place) -> None:
    stand_in("exec >/dev/null 2>&1; exec sleep 60")
    pid = place.start()
    assert place.poll.wait(10) != set()
    place.crew.read_logs(1.0)
    assert place.poll.wait(0) == set()
    place.crew.read_logs(1.0)
    os.kill(pid, signal.SIGKILL)
    assert place.reap() == [Ended("mock", 1, Death("killed by SIGKILL", "killed"), progressed=False)]
    assert place.poll.wait(0) == set()


def test_a_worker_that_the_system_cannot_start_is_tried_again_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    place.roster.add("mock")
    with pytest.raises(CannotStart, match="a worker cannot be started: No such file or directory"):
        place.try_start("mock", 1, clock=10.0)
    assert place.roster.due(10.0 + START_TROUBLE_SECONDS - 0.1) == []
    assert place.roster.due(10.0 + START_TROUBLE_SECONDS) == ["mock"]


def test_a_worker_is_not_started_while_something_of_an_earlier_one_lives(
    stand_in: StandIn, place: Place, folder: str
) -> None:
    held = worker_lock(folder, "mock")
    assert held is not None
    place.roster.add("mock")
    with pytest.raises(CannotStart, match="something that an earlier worker started still holds"):
        place.try_start("mock", 1, clock=10.0)
    assert place.roster.due(10.0) == []
    os.close(held)
    stand_in("exec sleep 60")
    place.start(clock=11.0)
    assert worker_lock(folder, "mock") is None, "the worker holds its lock itself"


def test_a_hung_worker_is_aborted_and_its_death_says_so(stand_in: StandIn, place: Place) -> None:
    stand_in("exec sleep 60")
    place.start()
    place.crew.push(place.roster.condemn("mock", "hung", 1.0))
    assert place.reap() == [
        Ended("mock", 1, Death("it did not say anything for too long (hung) and was ended", "hung"), progressed=False)
    ]


def test_usage_is_of_all_living_workers(stand_in: StandIn, place: Place) -> None:
    stand_in("exec sleep 60")
    place.start("one")
    place.start("two")
    found = place.crew.usage()
    assert [source for source, _, _ in found] == ["one", "two"]
    assert all(rss is not None and rss > 0 for _, rss, _ in found)


def test_killing_all_ends_all_at_once(stand_in: StandIn, place: Place) -> None:
    stand_in("trap '' TERM; exec sleep 60")
    for source in ("one", "two"):
        place.start(source)
    place.crew.kill_all()
    for source in ("one", "two"):
        place.wait_until_it_ended(source)
    assert {ended.death for ended in place.crew.reap(1.0)} == {Death("killed by SIGKILL", "killed")}
    assert place.roster.empty


def test_closing_leaves_nobody_behind(stand_in: StandIn, place: Place) -> None:
    stand_in("trap '' TERM; exec sleep 60")
    pid = place.start()
    place.crew.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert place.crew.usage() == []


def dies(place: Place, clock: float) -> None:
    """A worker that had got somewhere is killed and reaped."""
    place.roster.progress("mock")
    os.kill(place.roster.members["mock"].pid or 0, signal.SIGKILL)
    place.reap(clock)


def ready(place: Place) -> int:
    """Wait until the spare says that it is ready; returns its pid."""
    spare = place.crew._spare
    assert spare is not None
    wait_for(spare.is_ready, what="the spare to be ready")
    return spare.pid


def test_after_a_death_the_next_worker_is_one_that_was_there_already(place: Place, folder: str) -> None:
    place.start()
    place.crew.tend(1.0)
    assert place.crew._spare is None, "nothing has died"
    dies(place, 2.0)
    place.crew.tend(2.0)
    waiting = ready(place)
    assert waiting not in {member.pid for member in place.roster.members.values()}
    assert os.getsid(waiting) == waiting
    assert place.start(clock=3.0) == waiting
    assert place.crew._spare is None
    assert worker_lock(folder, "mock") is None, "it holds its lock"
    assert lock_holder(folder, "mock") == waiting
    assert [source for source, _, _ in place.crew.usage()] == ["mock"]


def test_a_spare_that_is_not_ready_or_stopped_or_dead_just_is_not_there(stand_in: StandIn, place: Place) -> None:
    place.start()
    dies(place, 1.0)
    place.crew.tend(1.0)
    spare = ready(place)
    os.kill(spare, signal.SIGSTOP)
    wait_for(lambda: psutil.Process(spare).status() == psutil.STATUS_STOPPED, what="the stop")
    assert place.start(clock=2.0) != spare
    os.kill(spare, signal.SIGKILL)
    wait_for(lambda: place.crew.tend(2.0) or place.crew._spare is None, what="the end of the spare")
    place.crew.tend(3.0)
    assert place.crew._spare is None, "none before the next death"

    stand_in("exec sleep 60")
    dies(place, 4.0)
    place.crew.tend(4.0)
    silent = place.crew._spare
    assert silent is not None
    assert place.start(clock=5.0) != silent.pid


def test_a_spare_is_ended_after_a_calm_hour_and_by_closing(stand_in: StandIn, place: Place) -> None:
    stand_in("trap '' TERM; exec sleep 60")
    place.start()
    dies(place, 1.0)
    place.crew.tend(1.0)
    spare = place.crew._spare
    assert spare is not None
    wait_for(lambda: place.crew.tend(1.0 + KEEP_SECONDS) or place.crew._spare is None, what="the end of the spare")
    place.start(clock=5000.0)
    dies(place, 5000.0)
    place.crew.tend(5000.0)
    spare = place.crew._spare
    assert spare is not None
    place.crew.close()
    assert [spare.exit(), place.crew._spare] == [-signal.SIGKILL, None]


def test_closing_does_not_wait_for_ever_and_says_so(
    stand_in: StandIn, place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in("exec sleep 60")
    pid = place.start()
    process = place.crew._processes["mock"]
    with monkeypatch.context() as patch:
        patch.setattr(crew, "CLOSE_SECONDS", 0.1)
        # As if it were waiting for a disk that does not answer.
        patch.setattr(process, "_kill_group", os.getpid)
        place.crew.close()
    assert caplog.messages == [f"mock: process {pid} does not end even when it is killed; it is left to the system"]
    process._kill_group()
    assert process.wait(10)
