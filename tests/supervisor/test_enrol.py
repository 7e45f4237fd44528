from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bellboard.protocol.cursor import digest
from bellboard.protocol.update import SourceUpdate, Update
from bellboard.supervisor.aggregator.aggregator import Aggregator
from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.health import HealthBook
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.roster import Roster
from bellboard.supervisor.enrol import Enrolment
from bellboard.supervisor.errors import StorageError
from bellboard.supervisor.store import Store

NOW = Moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 0.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that holds one session of Claude and one of Codex."""
    with closing(Store(str(tmp_path))) as made:
        board = Aggregator("e", Rules())
        for source in ("claude", "codex"):
            board.ledger.admit(source, 1)
            facts = SourceUpdate(session_id="s", message_count_delta=3)
            update = Update(inc=1, seq=1, handle="h", before=digest(""), after="10", facts=facts)
            made.commit(board.plan([(source, update)], NOW))
        yield made


def house(store: Store) -> tuple[Enrolment, Aggregator, Roster]:
    board, roster = Aggregator("e", Rules()), Roster(Policy())
    return Enrolment(store, board, HealthBook(Thresholds()), roster), board, roster


def test_a_source_comes_with_its_counts_and_its_cursors(store: Store) -> None:
    enrolment, board, _ = house(store)
    enrolment.admit(["claude"], NOW)
    assert [(each.source, each.message_count) for each in board.sessions()] == [("claude", 3)]
    assert board.ledger.cursors("claude") == {"h": "10"}


def test_what_is_told_to_nobody_at_a_start_has_no_number(store: Store) -> None:
    enrolment, board, _ = house(store)
    enrolment.admit(["claude", "codex"], NOW)
    assert (board.seq, board.source_seqs) == (0, {})


def test_a_source_that_comes_later_is_told_with_the_next_numbers(store: Store) -> None:
    enrolment, board, _ = house(store)
    enrolment.admit(["claude"], NOW)
    events = list(enrolment.admit(["codex"], NOW))
    assert [(event.seq, event.source, event.source_seq, event.kind) for event in events] == [
        (1, "codex", 1, "discovered")
    ]
    assert (board.seq, board.source_seqs) == (1, {"codex": 1})


def test_a_pause_that_is_not_stored_yet_holds_for_a_source_that_comes_back(store: Store) -> None:
    enrolment, _, roster = house(store)
    enrolment.admit(["claude"], NOW)
    store._database.execute("PRAGMA query_only=1")
    with pytest.raises(StorageError):
        store.pause("codex", paused=True)
    store._database.execute("PRAGMA query_only=0")
    enrolment.admit(["codex"], NOW)
    assert roster.due(0.0) == ["claude"]
