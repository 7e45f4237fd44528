"""A worker that was taken for dead and comes back does not count any more."""

import os
import signal

import psutil
import pytest
from harness import short_folder, wait_for
from proof import Proof

from bellboard.protocol.channel import Poll
from bellboard.protocol.order import Order
from bellboard.supervisor.aggregator.aggregator import Aggregator
from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.health import HealthBook
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.crew.process import Process
from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.roster import Roster
from bellboard.supervisor.intake import Intake
from bellboard.supervisor.store import Store
from bellboard.supervisor.voice import Voice

EXIT_OK = 0


class Desk:
    """An intake, and the real workers that a test starts for it."""

    def __init__(self, folder: str) -> None:
        from datetime import UTC, datetime

        self._now = lambda: Moment(datetime.now(UTC), 1.0)
        self.folder, self.home = folder, os.path.join(folder, "home")
        os.mkdir(self.home)
        self.store, self.book, self.roster = Store(None), HealthBook(Thresholds()), Roster(Policy())
        self.board = Aggregator("e", Rules())
        self.voice = Voice(f"ipc://{folder}/events.sock")
        self.intake = Intake(
            f"ipc://{folder}/ingest.sock", self.board, self.store, self.book, self.roster, self.voice, credit=8
        )
        self.roster.add("faulty")
        self.book.open("faulty")
        self.poll = Poll()
        self.poll.add(self.intake.channel)
        self.processes: list[Process] = []

    def start(self) -> Process:
        """Start the next incarnation, as if the one before were dead."""
        inc = self.store.next_incarnation("faulty")
        order = Order(
            source="faulty",
            inc=inc,
            token="t",  # noqa: S106 - a made-up one
            endpoint=f"ipc://{self.folder}/ingest.sock",
            parent_pid=os.getpid(),
            factory="faulty_source:Faulty",
            options={"home": self.home},
            beat=0.1,
        )
        self.intake.expect("faulty", inc, order.token)
        self.processes.append(Process())
        with open(os.devnull, "rb") as lock:
            self.processes[-1].give(order, lock.fileno())
        return self.processes[-1]

    def serve(self) -> None:
        """Take what comes for a moment."""
        self.poll.wait(0.02)
        self.intake.drain(self._now())
        for process in self.processes:
            process.read_log()

    def count(self) -> int:
        return sum(state.message_count for state in self.board.sessions())

    def append(self) -> None:
        with open(os.path.join(self.home, "one"), "a", encoding="utf-8") as file:
            file.write("line\n")

    def close(self) -> None:
        for process in self.processes:
            process.send(signal.SIGKILL)
            process.wait(10)
            process.close()
        for channel in (self.intake.channel, self.voice.channel):
            channel.close()
        self.store.close()


@pytest.mark.timeout(120)
def test_a_stopped_worker_that_was_superseded_is_fenced_when_it_goes_on(
    proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.path.join(os.path.dirname(__file__), "..", "support"))
    times = proof.many(3, 200)
    with short_folder() as folder:
        desk = Desk(str(folder))
        try:
            present = desk.start()
            for number in range(times):
                desk.append()
                wait_for(lambda n=number: desk.serve() or desk.count() == 2 * n + 1, what="the line")
                zombie, stat = present, psutil.Process(present.pid)
                zombie.send(signal.SIGSTOP)
                wait_for(lambda stat=stat: stat.status() == psutil.STATUS_STOPPED, what="the stop")
                desk.append()  # what the zombie will see when it wakes, and say
                present = desk.start()
                wait_for(lambda n=number: desk.serve() or desk.count() == 2 * n + 2, what="the line of the next worker")
                zombie.send(signal.SIGCONT)
                wait_for(lambda zombie=zombie: desk.serve() or zombie.exit() is not None, what="the zombie's end")
                assert zombie.exit() == EXIT_OK, "fenced, not killed"
                assert desk.count() == 2 * number + 2
            proof.figure(f"{times} of {times} fenced, 0 counted twice")
        finally:
            desk.close()
