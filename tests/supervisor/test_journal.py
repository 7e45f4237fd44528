import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zlib import crc32

import pytest
from stores import contents, plan, stored

from bellboard.supervisor import journal
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
    monkeypatch.setattr(journal, "JOURNAL_BYTES", 2000)
    steps = 0
    while not in_tables(store):
        steps += 1
        store.commit(plan("one", cursor=str(steps)))
    assert steps > 2
    assert store._database.execute("SELECT count(*) FROM journal").fetchone() == (0,)
    store.commit(plan("one", cursor="last"))
    assert list(store.cursors()) == [("claude", "one", "one", "last")]


def test_a_full_journal_that_cannot_be_brought_into_the_tables_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "JOURNAL_BYTES", 0)
    with closing(Store(str(tmp_path))) as store:
        spoil(store)
        store.commit(plan("one"))
        store.commit(plan("one", cursor="20"))
        assert in_tables(store) == []
    with closing(Store(str(tmp_path))) as again:
        assert contents(again) == ([stored("one")], [("claude", "one", "one", "20")])


@pytest.mark.parametrize("how", ["flipped bit", "another release"])
def test_a_journal_that_cannot_be_read_is_moved_aside_with_everything(tmp_path: Path, how: str) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    with closing(Store(str(before))) as killed:
        killed.commit(plan("one"))
        if how == "flipped bit":
            killed._database.execute("UPDATE journal SET body = CAST(replace(body, 'one', 'ome') AS BLOB)")
        else:
            killed._database.execute("UPDATE journal SET body = ?, sum = ?", (b"\x90", crc32(b"\x90")))
        shutil.copytree(before, after)
    with closing(Store(str(after))) as store:
        assert store.rebuilt is not None
        assert "a row of the journal" in store.rebuilt
        assert contents(store) == ([], [])


def test_a_database_of_a_release_without_a_journal_goes_on(tmp_path: Path) -> None:
    with closing(Store(str(tmp_path))) as store:
        store.commit(plan("one"))
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute("DROP TABLE journal")
        database.execute("PRAGMA user_version=2")
    with closing(Store(str(tmp_path))) as store:
        assert (store.rebuilt, contents(store)) == (None, ([stored("one")], [("claude", "one", "one", "10")]))
        store.commit(plan("one", cursor="20"))
    with closing(Store(str(tmp_path))) as store:
        assert list(store.cursors()) == [("claude", "one", "one", "20")]


def test_what_cannot_be_brought_into_the_tables_is_tried_again_only_when_the_journal_has_grown(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "JOURNAL_BYTES", 0)
    monkeypatch.setattr(journal, "RETRY_BYTES", 2000)
    spoil(store)
    tries: list[int] = []
    settle = store._settle

    def counted() -> None:
        tries.append(store._journal.size)
        settle()

    monkeypatch.setattr(store, "_settle", counted)
    for number in range(20):
        store.commit(plan("one", cursor=str(number)))
    assert 2 <= len(tries) < 10
    assert all(after - before > 2000 for before, after in itertools.pairwise(tries))
    store._database.execute("DROP TRIGGER spoil")
    assert contents(store) == ([stored("one")], [("claude", "one", "one", "19")])
    assert in_tables(store) == ["one"]
