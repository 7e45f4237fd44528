import sqlite3
from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from bellboard.protocol.session import SessionState
from bellboard.supervisor import tables
from bellboard.supervisor.damage import Damaged
from bellboard.supervisor.journal import Held, Page, Stored


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        tables.prepare(database)
        yield database


def stored(name: str, *, gone: bool = False, moved: float = 100.0) -> Stored:
    return Stored(SessionState(id=name, source="feed", title="Ünïcode \N{BELL}", message_count=3), gone, False, moved)


def held(name: str) -> Held:
    return ("feed", name, name, f"7|{name}")


def test_what_was_put_is_found_and_the_last_word_counts(database: sqlite3.Connection) -> None:
    tables.put(database, Page([stored("one"), stored("two")], [held("one"), held("two")]))
    later = Stored(SessionState(id="two", source="feed", title=None), True, True, 200.0)
    tables.put(database, Page([later], [("feed", "two", "two", "8|")]))
    assert dict(tables.sessions(database)) == {("feed", "one"): stored("one"), ("feed", "two"): later}
    assert tables.cursors(database) == [held("one"), ("feed", "two", "two", "8|")]
    tables.prepare(database)  # all sums are right


def test_a_session_is_forgotten_with_its_cursors(database: sqlite3.Connection) -> None:
    tables.put(database, Page([stored("one"), stored("two")], [held("one"), held("two")]))
    tables.forget(database, [("feed", "one")])
    assert list(dict(tables.sessions(database))) == [("feed", "two")]
    assert tables.cursors(database) == [held("two")]


def test_what_left_the_board_long_ago_is_forgotten_and_nothing_else(database: sqlite3.Connection) -> None:
    each = [stored("old", moved=99.0), stored("gone", gone=True, moved=99.0), stored("late", gone=True, moved=100.0)]
    tables.put(database, Page(each, [held("old"), held("gone"), held("late")]))
    tables.forget_gone(database, 100.0)
    assert list(dict(tables.sessions(database))) == [("feed", "late"), ("feed", "old")]
    assert tables.cursors(database) == [held("late"), held("old")]


def test_a_session_of_another_release_is_an_error_and_the_others_are_there(database: sqlite3.Connection) -> None:
    tables.put(database, Page([stored("one"), stored("two")], []))
    database.execute("UPDATE sessions SET body = ? WHERE id = 'one'", (b'{"id": 7}',))
    found = dict(tables.sessions(database))
    assert isinstance(found["feed", "one"], msgspec.ValidationError)
    assert found["feed", "two"] == stored("two")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sessions SET moved = moved + 1",
        "UPDATE sessions SET body = replace(body, '3', '4')",
        "UPDATE sessions SET sum = sum + 1",
        "UPDATE cursors SET cursor = '8|one'",
        "UPDATE cursors SET session_id = 'two'",
    ],
)
def test_a_row_that_is_not_what_was_put_is_damage(database: sqlite3.Connection, statement: str) -> None:
    tables.put(database, Page([stored("one")], [held("one")]))
    database.execute(statement)
    with pytest.raises(Damaged, match="a row has a wrong checksum"):
        tables.prepare(database)


def test_tables_of_a_release_to_come_are_not_touched(database: sqlite3.Connection) -> None:
    database.execute(f"PRAGMA user_version={tables.SCHEMA + 1}")
    with pytest.raises(Damaged, match=f"schema version {tables.SCHEMA + 1}, this release knows {tables.SCHEMA}"):
        tables.prepare(database)


def test_incarnations_are_counted_and_pauses_noted_apart_from_each_other(database: sqlite3.Connection) -> None:
    assert [tables.count_up(database, "feed"), tables.count_up(database, "feed")] == [1, 2]
    tables.pause(database, {"feed": True, "other": False})
    assert tables.paused(database) == {"feed": True, "other": False}
    assert [tables.count_up(database, "feed"), tables.count_up(database, "other")] == [3, 1]
    tables.pause(database, {"feed": False})
    assert database.execute(tables.WORKERS).fetchall() == [("feed", 3, 0), ("other", 1, 0)]
