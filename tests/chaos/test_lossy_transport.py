"""Whatever is lost, repeated, reordered or killed, and in whichever order: in the end the board equals the files.

Hypothesis chooses the order of events in a house on paper (tests/support/paper_house.py); a board whose ledger was loosened
must be found out by the same machine.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from paper_house import RESEND, Board, File, Files, Worker
from proof import Proof

from bellboard.protocol.update import Update
from bellboard.supervisor.aggregator.ledger import Entry, HandleKey, Ledger, Verdict
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.store import Store

START = datetime(2026, 1, 2, tzinfo=UTC)
NAMES = st.sampled_from(["a", "b", "c"])


class House(RuleBasedStateMachine):
    """All that can happen, one thing at a time."""

    runs = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).runs += 1
        self.clock = 0.0
        self.files = Files()
        self.store = Store(None)
        self.board = Board(self.store, self.now)
        self.workers: list[Worker] = []
        self.supersede()

    @property
    def now(self) -> Moment:
        return Moment(START + timedelta(seconds=self.clock), self.clock)

    @property
    def worker(self) -> Worker:
        return self.workers[-1]

    @rule(name=NAMES, lines=st.integers(1, 8))
    def append(self, name: str, lines: int) -> None:
        self.files.files.setdefault(name, File()).lines += lines

    @rule(name=NAMES, lines=st.integers(0, 8))
    def replace(self, name: str, lines: int) -> None:
        file = self.files.files.setdefault(name, File())
        file.generation, file.lines = file.generation + 1, lines

    @rule(which=st.integers(0, 2))
    def work(self, which: int) -> None:
        """The present worker works, or one that should be gone."""
        worker = self.workers[-1 - min(which, len(self.workers) - 1)]
        if not worker.fenced:
            worker.work(self.clock)

    @rule(which=st.integers(0, 2), size=st.integers(1, 6), dies=st.sampled_from(["", "", "", "before", "after"]))
    def deliver(self, which: int, size: int, dies: str) -> None:
        worker = self.workers[-1 - min(which, len(self.workers) - 1)]
        batch, worker.up = worker.up[:size], worker.up[size:]
        answers = self.board.take(batch, self.now, dies=dies)
        if answers is None:
            self.board_dies()
        else:
            worker.down += answers

    @precondition(lambda self: self.worker.down)
    @rule()
    def answer(self) -> None:
        self.worker.hear()

    @precondition(lambda self: self.worker.up)
    @rule(data=st.data(), fate=st.sampled_from(["lost", "twice", "late"]))
    def disturb(self, data: st.DataObject, fate: str) -> None:
        place = data.draw(st.integers(0, len(self.worker.up) - 1))
        message = self.worker.up.pop(place)
        self.worker.up += {"lost": [], "twice": [message, message], "late": [message]}[fate]

    @precondition(lambda self: self.worker.down)
    @rule()
    def lose_an_answer(self) -> None:
        self.worker.down.pop()

    @rule()
    def supersede(self) -> None:
        """The worker is taken for dead; it may be alive all the same, and go on talking."""
        inc, cursors = self.board.admit()
        self.workers.append(Worker(inc, self.files, cursors))

    @rule()
    def board_dies(self) -> None:
        self.board = Board(self.store, self.now)
        self.supersede()

    @rule(seconds=st.sampled_from([0.1, RESEND + 0.1]))
    def wait(self, seconds: float) -> None:
        self.clock += seconds

    def teardown(self) -> None:
        """The trouble is over: in a bounded number of turns the board equals the files."""
        for _ in range(200):
            self.worker.work(self.clock)
            answers = self.board.take(self.worker.up, self.now)
            assert answers is not None
            self.worker.up = []
            self.worker.down += answers
            while self.worker.down:
                self.worker.hear()
            self.clock += 1.0
        assert self.worker.at_rest
        truth = {name: file.lines for name, file in self.files.files.items()}
        counts = self.board.counts()
        assert {name: counts.get(name, 0) for name in truth} == truth
        self.store.close()


def sized(runs: int) -> settings:
    """So many runs; without shrinking, because a failure is to be told and not to be made beautiful in a test's time."""
    return settings(
        max_examples=runs,
        stateful_step_count=50,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


def test_the_board_equals_the_files_in_the_end_whatever_happened(proof: Proof) -> None:
    House.runs = 0
    run_state_machine_as_test(House, settings=sized(proof.many(60, 3000)))
    proof.figure(f"{House.runs} runs of up to 50 events: 0 differences")


@pytest.mark.timeout(180)
def test_a_loosened_ledger_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def loose(_: Ledger, source: str, update: Update, staged: dict[HandleKey, Entry]) -> Verdict:
        del source, update, staged
        return Verdict("apply")

    monkeypatch.setattr(Ledger, "judge", loose)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(House, settings=sized(5000))  # it ends with the first one that finds it
