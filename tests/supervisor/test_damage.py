import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bellboard.supervisor.damage import Damaged, is_damage, is_refusal, sane, translated
from bellboard.supervisor.errors import StorageError, StorageLost


def raised(path: Path, statement: str) -> sqlite3.Error:
    with closing(sqlite3.connect(path)) as database, pytest.raises(sqlite3.Error) as caught:
        database.execute(statement).fetchall()
    return caught.value


def test_a_file_that_is_no_database_is_damage(tmp_path: Path) -> None:
    (tmp_path / "board").write_bytes(b"not a database" * 100)
    error = raised(tmp_path / "board", "SELECT * FROM sqlite_master")
    assert isinstance(error, sqlite3.DatabaseError)
    assert is_damage(error)
    assert not is_refusal(error)


def test_a_question_that_sqlite_refuses_is_no_damage_of_itself(tmp_path: Path) -> None:
    error = raised(tmp_path / "board", "SELECT * FROM nowhere")
    assert isinstance(error, sqlite3.DatabaseError)
    assert not is_damage(error)
    assert is_refusal(error)


def test_a_text_that_is_none_is_damage_and_is_not_quoted(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(tmp_path / "board")) as database,
        pytest.raises(Damaged, match=r"^a text in it is none$") as caught,
        sane(),
    ):
        database.execute("SELECT CAST(X'FF' AS TEXT) || 's3cret'").fetchall()
    assert is_damage(caught.value)


def test_foreign_errors_become_storage_errors_and_our_own_stay_as_they_are() -> None:
    with pytest.raises(StorageError, match=r"^cannot open the database: disk I/O error$"), translated("open"):
        raise sqlite3.OperationalError("disk I/O error")
    with pytest.raises(StorageError, match=r"^cannot write the database: \[Errno 28\] no room$"), translated("write"):
        raise OSError(28, "no room")
    with pytest.raises(StorageLost, match=r"^gone$"), translated("read"):
        raise StorageLost("gone")
    with pytest.raises(ZeroDivisionError), translated("read"):
        raise ZeroDivisionError
