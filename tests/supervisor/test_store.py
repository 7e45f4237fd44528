import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import contents, plan, stored

from bellboard.protocol.cursor import digest
from bellboard.protocol.session import Evidence, SessionState, Subagent
from bellboard.supervisor.aggregator.ledger import Entry
from bellboard.supervisor.aggregator.plan import Plan
from bellboard.supervisor.aggregator.tracked import Kept, Tracked
from bellboard.supervisor.errors import StorageError, StorageLost
from bellboard.supervisor.journal import Stored
from bellboard.supervisor.store import FILE, FORGET_SECONDS, Store
from bellboard.supervisor.tables import SCHEMA

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

FULL = SessionState(
    id="s",
    source="claude",
    slug="slug",
    title="title with \x00 and 🙂",
    activity="waiting",
    waiting_for="permission",
    evidence=Evidence(kind="registry", detail="said", since=AT),
    lifecycle="terminal",
    end_reason="closed",
    model="model",
    working_dir="/tmp/x",
    branch="main",
    context_tokens=50,
    max_context_tokens=200,
    max_context_from="reported",
    context_utilization=0.25,
    input_tokens=1,
    cache_read_tokens=2,
    cache_creation_tokens=3,
    output_tokens=2**63,
    token_estimated=True,
    message_count=5,
    tool_call_count=6,
    compaction_count=7,
    current_tool="Bash",
    current_tool_started_at=AT,
    parent_id="p",
    subagents=(Subagent(id="a", activity="working", started_at=AT),),
    client_version="1.2",
    started_at=AT,
    last_activity_at=AT,
    last_data_received_at=AT,
    completed_at=AT,
    version=9,
)


def meddle(store: Store, sql: str, *values: object) -> None:
    """Change what stands in the tables behind the store's back, but with its own hand."""
    contents(store)  # what stands in the journal is brought there
    with store._file.transaction() as database:
        database.execute(sql, values)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(str(tmp_path))) as made:
        yield made


def test_what_is_stored_is_read_again_after_a_restart(tmp_path: Path) -> None:
    change = Plan()
    change.sessions["claude", "s"] = Tracked(state=FULL, lifecycle="terminal", moved_at=0.0, live=True)
    change.entries["claude", "h"] = Entry("s", "a cursor \x00 🙂", digest("a cursor \x00 🙂"), 3, 4)
    with closing(Store(str(tmp_path))) as first:
        first.commit(change)
    with closing(Store(str(tmp_path))) as second:
        assert second.rebuilt is None
        assert contents(second) == (
            [Stored(FULL, gone=False, live=True, moved=0.0)],
            [("claude", "h", "s", "a cursor \x00 🙂")],
        )


def test_a_later_commit_replaces_what_it_names_and_leaves_the_rest(store: Store) -> None:
    store.commit(plan("one", "two"))
    store.commit(plan("two", cursor="20", title="new", live=True))
    assert contents(store) == (
        [stored("one"), stored("two", title="new", live=True)],
        [("claude", "one", "one", "10"), ("claude", "two", "two", "20")],
    )


def test_a_cursor_alone_can_be_stored(store: Store) -> None:
    store.commit(Plan(entries={("claude", "h"): Entry("", "40", digest("40"))}))
    assert contents(store) == ([], [("claude", "h", "", "40")])


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()), max_size=5))
def test_any_text_comes_back_as_it_was(texts: dict[tuple[str, str], tuple[str, str]]) -> None:
    change = Plan()
    for (source, name), (cursor, title) in texts.items():
        state = SessionState(id=name, source=source, title=title)
        change.sessions[source, name] = Tracked(state=state, lifecycle="active", moved_at=0.0)
        change.entries[source, name] = Entry(name, cursor, digest(cursor))
    with closing(Store(None)) as store:
        store.commit(change)
        assert {(each.state.source, each.state.id): each.state.title for each in store.sessions()} == {
            key: title for key, (_, title) in texts.items()
        }
        assert sorted(store.cursors()) == sorted(
            (source, name, name, cursor) for (source, name), (cursor, _) in texts.items()
        )


def test_a_transaction_that_fails_half_way_is_taken_back_as_a_whole(store: Store) -> None:
    store.commit(plan("one"))
    before = contents(store)
    # Sessions are written first, cursors after them: the failure comes when half is done.
    store._database.execute(
        "CREATE TEMP TRIGGER spoil BEFORE INSERT ON cursors WHEN new.handle = 'bad' BEGIN SELECT RAISE(ABORT, 'spoilt'); END"
    )
    spoilt = plan("one", "bad", cursor="99", title="half")
    spoilt.forgotten.append(("claude", "other"))
    with pytest.raises(StorageError, match="cannot write the database: spoilt"):
        store.commit(spoilt)
    assert contents(store) == before
    store.commit(plan("one", cursor="20"))
    assert contents(store) == ([stored("one")], [("claude", "one", "one", "20")])


def test_a_full_disk_is_a_storage_error_that_changes_nothing_and_passes(store: Store) -> None:
    store.commit(plan("one"))
    before = contents(store)
    (pages,) = store._database.execute("PRAGMA page_count").fetchone()
    store._database.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageError, match="cannot write the database: database or disk is full"):
        store.commit(plan(*(f"session {number}" for number in range(100)), title="x" * 1000))
    assert contents(store) == before
    store._database.execute("PRAGMA max_page_count=1000000")
    store.commit(plan("two"))
    assert [each.state.id for each in store.sessions()] == ["one", "two"]


def test_a_disk_that_became_read_only_is_a_storage_error(store: Store) -> None:
    store._database.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageError, match="cannot write the database: attempt to write a readonly database"):
        store.commit(plan("one"))
    with pytest.raises(StorageError, match="cannot write"):
        store.next_incarnation("claude")
    with pytest.raises(StorageError, match="cannot write"):
        store.pause("claude", paused=True)


def test_nobody_else_can_hold_the_database_up(store: Store, tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(tmp_path / FILE, timeout=0, isolation_level=None)) as other,
        pytest.raises(sqlite3.OperationalError, match="database is locked"),
    ):
        other.execute("BEGIN IMMEDIATE")
    store.commit(plan("one"))


def test_a_database_that_somebody_else_holds_at_the_start_is_a_storage_error(tmp_path: Path) -> None:
    Store(str(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="cannot open the database: database is locked"):
            Store(str(tmp_path))
    assert [path.name for path in tmp_path.glob("*corrupt*")] == []


@pytest.mark.parametrize("obstacle", ["missing folder", "folder in its place"])
def test_a_database_that_cannot_be_opened_is_a_storage_error_and_nothing_is_moved(
    tmp_path: Path, obstacle: str
) -> None:
    folder = tmp_path / "state"
    if obstacle == "folder in its place":
        (folder / FILE).mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot open the database: unable to open database file"):
        Store(str(folder))
    assert not folder.exists() or [each.name for each in folder.iterdir()] == [FILE]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no disk that is always full")
def test_a_database_on_a_full_disk_is_a_storage_error_and_is_not_moved(tmp_path: Path) -> None:
    (tmp_path / FILE).symlink_to("/dev/full")
    with pytest.raises(StorageError, match="cannot open the database: "):
        Store(str(tmp_path))
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_a_storage_error(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StorageError, match="cannot open the database"):
        Store(str(tmp_path))


def spoilt(folder: Path, how: str) -> bytes:
    """Make a database and spoil it; returns what is left of it."""
    path = folder / FILE
    with closing(Store(str(folder))) as store:
        store.commit(plan(*(f"session {number}" for number in range(200)), title="x" * 500))
    data = path.read_bytes()
    if how == "not a database":
        data = b"this is no database, however long one looks at it " * 200
    elif how == "truncated":
        data = data[: len(data) // 2]
    elif how == "truncated in the header":
        data = data[:60]
    elif how == "blob that became a text":
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE sessions SET body = CAST(X'FF' || body AS TEXT) WHERE id = 'session 7'")
        data = path.read_bytes()
    elif how == "overwritten in the middle":
        middle = len(data) // 2
        data = data[:middle] + b"\xff" * 8192 + data[middle + 8192 :]
    else:
        with closing(sqlite3.connect(path)) as database:
            database.execute(f"PRAGMA user_version={SCHEMA + 1}")
        data = path.read_bytes()
    path.write_bytes(data)
    return data


SCHEMA_FLIPS = [
    (b"slot INTEGER PRIMARY", b"slot INTEGER$PRIMARY"),
    (b"slots (slot INTEGER", b"slots (slop INTEGER"),
    (b"live INTEGER, moved", b"live INTEGER, loved"),
    (b"cursors (source TEXT, handle", b"cursors (source TEXT, hamdle"),
    (b"workers (source TEXT PRIMARY KEY", b"workers (source TEXT PRIMARY$KEY"),
    (b"moved REAL", b"mov\xe5d REAL"),
    (b"tableworkersworkers", b"table\xf7orkersworkers"),
]
"""A few bits of the text by which SQLite knows the tables."""


@pytest.mark.parametrize(("text", "flipped"), SCHEMA_FLIPS)
def test_tables_that_are_not_as_they_were_made_are_moved_aside_and_the_board_starts(
    tmp_path: Path, text: bytes, flipped: bytes
) -> None:
    with closing(Store(str(tmp_path))) as store:
        store.commit(plan("one"))
    data = (tmp_path / FILE).read_bytes()
    assert data.count(text) == 1
    (tmp_path / FILE).write_bytes(data.replace(text, flipped))
    with closing(Store(str(tmp_path))) as store:
        assert store.rebuilt is not None
        store.commit(plan("two"))
        assert contents(store) == ([stored("two")], [("claude", "two", "two", "10")])
        assert store.next_incarnation("claude") == 1
        store.pause("claude", paused=True)


def test_why_a_database_was_moved_aside_is_told_without_what_stood_in_it(tmp_path: Path) -> None:
    with closing(Store(str(tmp_path))) as store:
        store.commit(plan("one", cursor="1|Fire Bob"))
    data = (tmp_path / FILE).read_bytes()
    assert data.count(b"Fire Bob") == 1
    (tmp_path / FILE).write_bytes(data.replace(b"Fire Bob", b"Fire B\xefb"))
    with closing(Store(str(tmp_path))) as store:
        assert store.rebuilt is not None
        assert "(a text in it is none)" in store.rebuilt
        assert "Fire" not in store.rebuilt


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("not a database", "file is not a database"),
        ("truncated", ""),
        ("truncated in the header", ""),
        ("overwritten in the middle", ""),
        ("blob that became a text", "a text in it is none"),
        ("newer", f"schema version {SCHEMA + 1}, this release knows {SCHEMA}"),
    ],
)
def test_a_database_that_cannot_be_read_is_moved_aside_whole_and_a_new_one_is_begun(
    tmp_path: Path, how: str, reason: str
) -> None:
    data = spoilt(tmp_path, how)
    with closing(Store(str(tmp_path))) as store:
        (aside,) = tmp_path.glob(f"{FILE}.corrupt-*")
        assert aside.read_bytes() == data
        assert store.rebuilt is not None
        assert store.rebuilt.startswith(f"the database was unreadable ({reason}")
        assert store.rebuilt.endswith(f"and was moved aside as {aside.name}")
        assert contents(store) == ([], [])
        store.commit(plan("one"))
    with closing(Store(str(tmp_path))) as again:
        assert again.rebuilt is None
        assert [each.state.id for each in again.sessions()] == ["one"]


def test_the_log_of_a_spoilt_database_does_not_spoil_the_new_one(tmp_path: Path) -> None:
    spoilt(tmp_path, "not a database")
    (tmp_path / f"{FILE}-wal").write_bytes(b"old")
    (tmp_path / f"{FILE}-shm").write_bytes(b"old")
    with closing(Store(str(tmp_path))) as store:
        assert contents(store) == ([], [])
        store.commit(plan("one"))
    with closing(Store(str(tmp_path))) as again:
        assert [each.state.id for each in again.sessions()] == ["one"]


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with closing(Store(str(tmp_path))) as store:
        assert (store.rebuilt, contents(store)) == (None, ([], []))


def test_a_session_that_cannot_be_decoded_is_forgotten_with_its_cursors_and_that_is_said(store: Store) -> None:
    store.commit(plan("one", "two"))
    meddle(store, "UPDATE sessions SET body = ? WHERE id = 'one'", b'{"id": 7}')
    assert [each.state.id for each in store.sessions()] == ["two"]
    assert [handle for _, handle, _, _ in store.cursors()] == ["two"]
    assert (
        store.rebuilt
        == "a stored session of claude was unreadable (Expected `str`, got `int` - at `$.id`) and is read again"
    )


def test_a_removed_session_is_kept_for_thirty_days_and_then_forgotten_with_its_cursors(store: Store) -> None:
    store.commit(plan("gone", lifecycle="gone"))
    store.commit(plan("ended", lifecycle="terminal"))
    second = Plan(entries={("claude", "second handle"): Entry("gone", "7", digest("7"))})
    store.commit(second)
    everything = contents(store)
    assert everything[0] == [stored("ended"), stored("gone", gone=True)]

    meddle(store, "UPDATE sessions SET moved = moved - ?", FORGET_SECONDS - 60)
    assert contents(store) == everything
    meddle(store, "UPDATE sessions SET moved = moved - 61")
    assert contents(store) == ([stored("ended")], [("claude", "ended", "ended", "10")])


def test_another_sources_session_of_the_same_id_is_not_forgotten_with_it(store: Store) -> None:
    change = plan("s", lifecycle="gone")
    change.sessions["codex", "s"] = Tracked(
        state=SessionState(id="s", source="codex"), lifecycle="active", moved_at=0.0
    )
    change.entries["codex", "s"] = Entry("s", "5", digest("5"))
    store.commit(change)
    meddle(store, "UPDATE sessions SET moved = 0")
    assert contents(store) == (
        [Stored(SessionState(id="s", source="codex"), gone=False, live=False, moved=0.0)],
        [("codex", "s", "s", "5")],
    )


def test_incarnations_are_counted_by_source_and_over_restarts(tmp_path: Path) -> None:
    with closing(Store(str(tmp_path))) as store:
        assert [store.next_incarnation(source) for source in ("claude", "claude", "codex")] == [1, 2, 1]
    with closing(Store(str(tmp_path))) as store:
        assert [store.next_incarnation(source) for source in ("claude", "codex", "gemini")] == [3, 2, 1]


def test_a_pause_is_remembered_over_restarts_and_costs_no_incarnation(tmp_path: Path) -> None:
    with closing(Store(str(tmp_path))) as store:
        assert store.paused() == set()
        store.next_incarnation("claude")
        for source in ("claude", "codex", "gemini"):
            store.pause(source, paused=True)
        store.pause("gemini", paused=False)
    with closing(Store(str(tmp_path))) as store:
        assert store.paused() == {"claude", "codex"}
        assert [store.next_incarnation(source) for source in ("claude", "codex", "gemini")] == [2, 1, 1]
        assert store.paused() == {"claude", "codex"}


def test_a_store_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Store(None)) as store:
        store.commit(plan("one"))
        assert store.next_incarnation("claude") == 1
        assert contents(store) == ([stored("one")], [("claude", "one", "one", "10")])
    with closing(Store(None)) as other:
        assert contents(other) == ([], [])
    assert list(tmp_path.iterdir()) == []


def test_a_database_survives_the_death_of_its_process_and_spares_the_disk(store: Store) -> None:
    assert store._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._database.execute("PRAGMA synchronous").fetchone() == (1,)


@pytest.mark.parametrize("table", ["sessions", "cursors"])
def test_a_flipped_bit_does_not_pass_for_a_number(tmp_path: Path, table: str) -> None:
    text = b'"message_count":7' if table == "sessions" else b"offset 1234567"
    state = SessionState(id="s", source="claude", message_count=7)
    made = Plan(entries={("claude", "h"): Entry("s", "offset 1234567", digest("offset 1234567"))})
    made.sessions["claude", "s"] = Tracked(state=state, lifecycle="active", moved_at=0.0)
    with closing(Store(str(tmp_path))) as store:
        store.commit(made)
    path = tmp_path / FILE
    data = path.read_bytes()
    assert data.count(text) == 1
    path.write_bytes(data.replace(text, text[:-1] + bytes([text[-1] ^ 1])))
    with closing(Store(str(tmp_path))) as store:
        assert store.rebuilt is not None
        assert store.rebuilt.startswith(
            "the database was unreadable (a row has a wrong checksum) and was moved aside as"
        )
        assert contents(store) == ([], [])


def test_what_a_plan_forgets_is_gone_with_its_cursors(store: Store) -> None:
    store.commit(plan("one", "two"))
    store.commit(Plan(forgotten=[("claude", "one")]))
    assert contents(store) == ([stored("two")], [("claude", "two", "two", "10")])


def test_what_a_plan_changes_and_what_it_forgets_is_one_transaction(store: Store) -> None:
    store.commit(plan("one"))
    change = plan("two")
    change.forgotten.append(("claude", "one"))
    store.commit(change)
    assert contents(store) == ([stored("two")], [("claude", "two", "two", "10")])


def test_no_file_of_the_store_is_open_to_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(Store(str(tmp_path))) as store:
            store.commit(plan("one"))
            assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    finally:
        os.umask(before)


@pytest.mark.parametrize("how", ["removed", "truncated", "overwritten", "replaced", "log truncated"])
def test_a_database_that_is_spoilt_while_it_is_open_takes_nothing_until_it_was_renewed(
    tmp_path: Path, how: str
) -> None:
    path = tmp_path / FILE
    with closing(Store(str(tmp_path))) as store:
        store.commit(plan("one"))
        store.next_incarnation("claude")
        if how == "removed":
            path.unlink()
        elif how == "truncated":
            os.truncate(path, 100)
        elif how == "log truncated":
            os.truncate(f"{path}-wal", 0)
        elif how == "replaced":
            (tmp_path / "other").write_bytes(path.read_bytes())
            os.replace(tmp_path / "other", path)
        else:
            with path.open("r+b") as file:
                file.write(b"\xff" * 200)
        for attempt in (store.check, store.probe, lambda: store.commit(plan("two"))):
            with pytest.raises(StorageLost, match="the database was removed or changed by somebody else"):
                attempt()
        change = plan("one", "two")
        kept = [Kept(each, 5.0) for each in change.sessions.values()]
        store.renew(kept, change.entries, {"claude": (1, False), "codex": (4, True)})
        store.probe()
        store.commit(plan("three"))
    with closing(Store(str(tmp_path))) as again:
        assert again.rebuilt is None
        assert [each.state.id for each in again.sessions()] == ["one", "three", "two"]
        assert (again.next_incarnation("claude"), again.next_incarnation("codex")) == (2, 5)
        assert again.paused() == {"codex"}


def test_at_most_three_damaged_databases_are_kept(tmp_path: Path) -> None:
    with closing(Store(str(tmp_path))) as store:
        for _ in range(5):
            os.truncate(tmp_path / FILE, 0)
            with pytest.raises(StorageLost):
                store.check()
            store.renew([], {}, {})
    aside = [path.name for path in tmp_path.iterdir() if "corrupt" in path.name and not path.name.endswith("-wal")]
    assert len(aside) == 3
