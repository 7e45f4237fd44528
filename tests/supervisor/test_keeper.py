import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
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
from bellboard.supervisor.errors import AlreadyRunning, StorageError
from bellboard.supervisor.keeper import TRY_SECONDS, Keeper
from bellboard.supervisor.store import FILE, Store

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Cellar:
    """A store with a board in memory that holds one session, and its keeper."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = 0.0
        self.claimed = 0
        self.foreign = False
        self.store = Store(str(folder))
        self.board = Aggregator("e", Rules())
        self.board.ledger.admit("claude", 1)
        self.book = HealthBook(Thresholds())
        self.book.open("claude")
        self.roster = Roster(Policy())
        self.roster.add("claude")
        self.roster.started("claude", 100, 7, 0.0)
        self.keeper = Keeper(self.store, self.board, self.book, self.roster, self._claim)

    def _claim(self) -> None:
        if self.foreign:
            raise AlreadyRunning("another one is here")
        self.claimed += 1
        self.folder.mkdir(exist_ok=True)

    @property
    def now(self) -> Moment:
        return Moment(START + timedelta(seconds=self.at), self.at)

    def hear(self, number: int) -> bool:
        """One more message of the session; returns whether it was stored, and so counts."""
        before, after = str(number - 1) if number > 1 else "", str(number)
        facts = SourceUpdate(session_id="s", message_count_delta=1)
        update = Update(inc=1, seq=number, handle="h", before=digest(before), after=after, facts=facts)
        plan = self.board.plan([("claude", update)], self.now)
        try:
            self.store.commit(plan)
        except StorageError as error:
            self.book.storage(str(error))
            return False
        self.board.adopt(plan, self.now)
        return True

    def tick(self) -> tuple[str, str | None]:
        """Some time passes; returns how the source is said to do, and why."""
        self.at += TRY_SECONDS
        self.keeper.tick(self.now)
        (state,) = self.book.states()
        return state.status, state.reason

    def stored(self) -> dict[str, int]:
        return {each.state.id: each.state.message_count for each in self.store.sessions()}


@pytest.fixture
def cellar(tmp_path: Path) -> Iterator[Cellar]:
    made = Cellar(tmp_path)
    with closing(made.store):
        yield made


def test_a_store_that_works_is_left_alone(cellar: Cellar) -> None:
    assert cellar.hear(1)
    before = sorted(path.name for path in cellar.folder.iterdir())
    assert cellar.tick() == ("healthy", None)
    assert sorted(path.name for path in cellar.folder.iterdir()) == before
    assert cellar.claimed == 0


def test_the_end_of_trouble_is_noticed_though_nobody_has_anything_to_store(cellar: Cellar) -> None:
    assert cellar.hear(1)
    (pages,) = cellar.store._database.execute("PRAGMA page_count").fetchone()
    cellar.store._database.execute(f"PRAGMA max_page_count={pages}")
    cellar.book.storage("cannot write the database: database or disk is full")
    assert cellar.tick()[0] == "healthy"  # a new connection knows no such bound


def test_trouble_that_lasts_is_said_each_time_and_ends_with_its_cause(
    cellar: Cellar, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise StorageError("cannot write the database: disk I/O error")

    cellar.book.storage("x")
    with monkeypatch.context() as patched:
        patched.setattr(cellar.store, "probe", broken)
        for _ in range(3):
            assert cellar.tick() == ("degraded", "nothing can be stored: cannot write the database: disk I/O error")
    assert cellar.tick() == ("healthy", None)


@pytest.mark.parametrize("how", ["folder", "file", "overwritten"])
def test_what_is_lost_is_written_anew_from_memory_and_that_is_a_fact(cellar: Cellar, how: str) -> None:
    assert cellar.hear(1)
    assert cellar.hear(2)
    if how == "folder":
        shutil.rmtree(cellar.folder)
    elif how == "file":
        (cellar.folder / FILE).unlink()
    else:
        (cellar.folder / FILE).write_bytes(b"nonsense" * 1000)
    assert not cellar.hear(3)
    assert cellar.tick() == ("healthy", None)
    (state,) = cellar.book.news(cellar.now.wall)
    assert (state.rebuilt_at, state.rebuilt) == (
        cellar.now.wall,
        "the database was removed or changed by somebody else; it was written anew from memory, and nothing was lost",
    )
    assert cellar.hear(3)
    assert cellar.stored() == {"s": 3}
    cellar.store.close()
    with closing(Store(str(cellar.folder))) as again:
        assert list(again.cursors()) == [("claude", "h", "s", "3")]
        assert again.next_incarnation("claude") == 8


def test_a_pause_that_could_not_be_stored_is_stored_when_trouble_is_over(cellar: Cellar) -> None:
    cellar.store._database.execute("PRAGMA query_only=1")
    with pytest.raises(StorageError):
        cellar.store.pause("claude", paused=True)
    cellar.book.storage("no room")
    assert cellar.tick() == ("healthy", None)  # the probe took a new connection, on which writing works
    cellar.store.close()
    with closing(Store(str(cellar.folder))) as later:
        assert later.paused() == {"claude"}


def test_a_pause_that_met_a_lost_database_is_in_the_new_one(cellar: Cellar) -> None:
    (cellar.folder / FILE).unlink()
    with pytest.raises(StorageError):
        cellar.store.pause("claude", paused=True)
    cellar.roster.pause("claude", cellar.at)
    cellar.tick()
    cellar.store.close()
    with closing(Store(str(cellar.folder))) as later:
        assert later.paused() == {"claude"}


def test_a_tick_that_comes_a_little_early_is_not_passed_over(cellar: Cellar) -> None:
    cellar.tick()
    shutil.rmtree(cellar.folder)
    cellar.at += TRY_SECONDS - 0.02
    cellar.keeper.tick(cellar.now)
    assert (cellar.folder / FILE).exists()


def test_a_loss_is_noticed_though_nobody_has_anything_to_store(cellar: Cellar) -> None:
    assert cellar.hear(1)
    shutil.rmtree(cellar.folder)
    cellar.tick()
    assert (cellar.folder / FILE).exists()


def test_what_cannot_be_made_anew_yet_is_tried_again_and_moves_nothing_aside_a_second_time(
    cellar: Cellar, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cellar.hear(1)
    os.truncate(cellar.folder / FILE, 10)
    connect = sqlite3.connect

    def nowhere(*_words: object, **_more: object) -> sqlite3.Connection:
        return connect("/no/such/folder/file")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", nowhere)
        for _ in range(3):
            status, reason = cellar.tick()
            assert status == "degraded"
            assert reason is not None
            assert "a new one cannot be made: cannot write the database: unable to open database file" in reason
            assert not cellar.hear(2)
    assert cellar.tick() == ("healthy", None)
    assert len([path for path in cellar.folder.glob("*.corrupt-*") if not path.name.endswith("-wal")]) == 1
    assert cellar.stored() == {"s": 1}


def test_a_folder_that_another_supervisor_took_over_meanwhile_is_not_written_to(cellar: Cellar) -> None:
    assert cellar.hear(1)
    shutil.rmtree(cellar.folder)
    cellar.foreign = True
    status, reason = cellar.tick()
    assert (status, cellar.folder.exists()) == ("degraded", False)
    assert reason is not None
    assert reason.endswith("a new one cannot be made: another one is here")
