import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from any_value import values
from hypothesis import given, settings
from msgspec import UNSET, msgpack, structs
from stores import contents, plan, stored

from bellboard.protocol.session import SessionState
from bellboard.supervisor import journal
from bellboard.supervisor.aggregator.plan import Plan
from bellboard.supervisor.damage import Damaged
from bellboard.supervisor.journal import SLOT_BYTES, End, Journal, Page, Stored
from bellboard.supervisor.store import FILE, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(str(tmp_path))) as made:
        yield made


def in_tables(store: Store) -> list[str]:
    return [name for (name,) in store._database.execute("SELECT id FROM sessions ORDER BY id")]


def left_in_the_journal(before: Path, after: Path) -> None:
    """Leave behind what a killed process does: sessions one and two, in the journal alone."""
    before.mkdir()
    with closing(Store(str(before))) as killed:
        killed.commit(plan("one", "two"))
        killed.commit(plan("two", cursor="20", title="new"))
        assert in_tables(killed) == []
        shutil.copytree(before, after)


LEFT = (
    [stored("one"), stored("two", title="new")],
    [("claude", "one", "one", "10"), ("claude", "two", "two", "20")],
)


def test_what_a_killed_process_left_in_the_journal_is_found_there(tmp_path: Path) -> None:
    left_in_the_journal(tmp_path / "before", tmp_path / "after")
    with closing(Store(str(tmp_path / "after"))) as store:
        assert (store.rebuilt, contents(store), in_tables(store)) == (None, LEFT, ["one", "two"])


@settings(max_examples=50, deadline=None)
@given(values(SessionState))
def test_a_page_comes_back_as_it_was_written(state: SessionState) -> None:
    written = Page([Stored(structs.replace(state, host=UNSET), True, False, 1.5)], [("claude", "handle", "id", "10")])
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(journal.TABLE)
        ours = Journal()
        ours.add(written, ours.write(database, written))
        found = Journal()
        found.load(database)
        assert (found.last, found.slots) == (written, ours.slots)


def spoil(store: Store) -> None:
    """From now on the journal cannot be brought into the tables, as on a full disk."""
    store._database.execute(
        "CREATE TEMP TRIGGER spoil BEFORE INSERT ON cursors BEGIN SELECT RAISE(ABORT, 'spoilt'); END"
    )


def test_what_cannot_be_brought_into_the_tables_is_found_in_the_journal_all_the_same(tmp_path: Path) -> None:
    left_in_the_journal(tmp_path / "before", tmp_path / "after")
    with closing(Store(str(tmp_path / "after"))) as store:
        spoil(store)
        assert (contents(store), in_tables(store)) == (LEFT, [])
    with closing(Store(str(tmp_path / "after"))) as store:
        store._database.execute("INSERT INTO sessions SELECT 'claude', 'one', 1, 0, 0, '{}', 0")  # older, and long gone
        spoil(store)
        assert contents(store) == LEFT


def test_a_new_connection_goes_on_with_the_journal_of_the_one_before(store: Store) -> None:
    store.commit(plan("one", "two"))
    store._file._reopen()
    store.commit(plan("two", cursor="20", title="new"))
    assert contents(store) == LEFT


def test_in_memory_nothing_is_left_of_half_a_session_after_a_new_connection(tmp_path: Path) -> None:
    with closing(Store(str(tmp_path), kept=False)) as store:
        store.commit(plan("one"))
        assert contents(store) != ([], [])
        store.commit(plan("two"))
        store._file._reopen()
        assert contents(store) == ([], [])


def test_a_journal_that_is_full_is_brought_into_the_tables(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "JOURNAL_SLOTS", 2)
    for step in ("1", "2"):
        store.commit(plan("one", cursor=step))
    assert (in_tables(store), store._journal.slots) == ([], 2)
    store.commit(plan("one", cursor="3"))
    assert (in_tables(store), store._journal.slots) == (["one"], 0)
    store.commit(plan("one", cursor="last"))
    assert list(store.cursors()) == [("claude", "one", "one", "last")]


def test_what_is_left_of_an_earlier_turn_is_not_read(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with closing(Store(str(tmp_path / "first"))) as killed:
        killed.commit(plan("one"))
        killed.commit(plan("two"))
        forgetting = Plan()
        forgetting.forgotten.append(("claude", "two"))
        killed.commit(forgetting)
        shutil.copytree(tmp_path / "first", tmp_path / "second", dirs_exist_ok=True)
    with closing(Store(str(tmp_path / "second"))) as killed:
        assert contents(killed) == ([stored("one")], [("claude", "one", "one", "10")])
        killed.commit(plan("one", cursor="20"))
        shutil.copytree(tmp_path / "second", tmp_path / "third")
    with closing(Store(str(tmp_path / "third"))) as store:
        assert (store.rebuilt, contents(store)) == (None, ([stored("one")], [("claude", "one", "one", "20")]))


@pytest.mark.parametrize("shift", range(8))
def test_the_middle_of_an_older_page_is_never_taken_for_the_beginning_of_one(tmp_path: Path, shift: int) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    with closing(Store(str(before))) as killed:
        killed.commit(plan("one", title="x" * shift + "\0\0\0\0\0\0\0\2" * 3000))  # what the number of the next turn is
        forgetting = Plan()
        forgetting.forgotten.append(("claude", "one"))
        killed.commit(forgetting)
        killed.commit(plan("two"))
        shutil.copytree(before, after)
    with closing(Store(str(after))) as store:
        assert (store.rebuilt, contents(store)) == (None, ([stored("two")], [("claude", "two", "two", "10")]))


def test_a_page_is_read_only_behind_the_one_behind_which_it_was_written(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    with closing(Store(str(before))) as killed:
        for cursor in ("10", "20", "30"):
            killed.commit(plan("one", cursor=cursor))
        killed._database.execute(
            "UPDATE slots SET body = CAST(X'010000000000000000' || substr(body, 10) AS BLOB) WHERE slot = 1"
        )
        shutil.copytree(before, after)
        found = Journal()
        found.load(killed._database)
        assert found.last.cursors == [("claude", "one", "one", "10")]  # as after a power cut: none of what came later
        found.write(killed._database, Page([], [("claude", "one", "one", "21")]))
        with pytest.raises(Damaged, match="a page of the journal has a wrong checksum"):
            found.load(killed._database)


def test_a_full_journal_that_cannot_be_brought_into_the_tables_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "JOURNAL_SLOTS", 0)
    with closing(Store(str(tmp_path))) as store:
        spoil(store)
        store.commit(plan("one"))
        store.commit(plan("one", cursor="20"))
        assert in_tables(store) == []
    with closing(Store(str(tmp_path))) as again:
        assert contents(again) == ([stored("one")], [("claude", "one", "one", "20")])


SPOILT = {
    "flipped bit": "UPDATE slots SET body = CAST(replace(body, 'one', 'ome') AS BLOB)",
    "other turn": "UPDATE slots SET body = CAST(X'010000000000000003' || substr(body, 10) AS BLOB) WHERE slot = 0",
    "slot without its end": "UPDATE slots SET body = substr(body, 1, 99) WHERE slot = 1",
    "slot of another kind": "UPDATE slots SET body = 'text' WHERE slot = 0",
    "missing slot": "DELETE FROM slots WHERE slot = 1",
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_damaged_journal_is_moved_aside_with_everything(tmp_path: Path, how: str) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    with closing(Store(str(before))) as killed:
        killed.commit(plan("one", title="x" * 2 * SLOT_BYTES))
        killed._database.execute(SPOILT[how])
        shutil.copytree(before, after)
    with closing(Store(str(after))) as store:
        assert store.rebuilt is not None
        assert "of the journal has a wrong" in store.rebuilt
        assert contents(store) == ([], [])


@pytest.mark.parametrize("body", [b"\x90", msgpack.encode((["id"], [(["one"], False, False, 0.0)], []))])
def test_a_journal_of_another_release_is_moved_aside_with_everything(tmp_path: Path, body: bytes) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    with closing(Store(str(before))) as killed:
        killed.commit(plan("one"))
        journal._lay(killed._database, 1, End(), body)
        shutil.copytree(before, after)
    with closing(Store(str(after))) as store:
        assert store.rebuilt is not None
        assert "a page of the journal is of another release" in store.rebuilt
        assert contents(store) == ([], [])


def test_a_database_of_a_release_without_a_journal_goes_on(tmp_path: Path) -> None:
    with closing(Store(str(tmp_path))) as store:
        store.commit(plan("one"))
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute("DROP TABLE slots")
        database.execute("PRAGMA user_version=2")
    with closing(Store(str(tmp_path))) as store:
        assert (store.rebuilt, contents(store)) == (None, ([stored("one")], [("claude", "one", "one", "10")]))
        store.commit(plan("one", cursor="20"))
    with closing(Store(str(tmp_path))) as store:
        assert list(store.cursors()) == [("claude", "one", "one", "20")]


def test_what_cannot_be_brought_into_the_tables_is_tried_again_only_when_the_journal_has_grown(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "JOURNAL_SLOTS", 0)
    monkeypatch.setattr(journal, "RETRY_SLOTS", 3)
    spoil(store)
    tries: list[int] = []
    settle = store._settle

    def counted() -> None:
        tries.append(store._journal.slots)
        settle()

    monkeypatch.setattr(store, "_settle", counted)
    for number in range(20):
        store.commit(plan("one", cursor=str(number)))
    assert 2 <= len(tries) < 10
    assert all(after - before > 3 for before, after in itertools.pairwise(tries))
    store._database.execute("DROP TRIGGER spoil")
    assert contents(store) == ([stored("one")], [("claude", "one", "one", "19")])
    assert in_tables(store) == ["one"]
