import contextlib
import os
import resource
import sqlite3
import stat
from collections.abc import Generator
from pathlib import Path

import pytest
from exporting import damage

from bellboard.supervisor.fleet import outbox as module
from bellboard.supervisor.fleet.outbox import FILE, Outbox
from bellboard.supervisor.fleet.telling import Piece

_OPENED: list[Outbox] = []


def opened(folder: Path | None, host: str = "laptop", level: module.Level = "names") -> Outbox:
    _OPENED.append(Outbox(None if folder is None else str(folder), host, level))
    return _OPENED[-1]


@pytest.fixture(autouse=True)
def closed() -> Generator[None]:
    yield
    while _OPENED:
        _OPENED.pop().close()


def piece(number: int, key: str = "k", size: int = 10) -> Piece:
    path = ("laptop", "claude", key, "updated")
    return Piece(key=key, once=f"laptop/e/{number}", path=path, value=b"v" * size)


def waiting(outbox: Outbox) -> list[str]:
    return [row.once for row in outbox.first(1000)]


@contextlib.contextmanager
def disk_full(folder: Path) -> Generator[None]:
    """Let no file grow beyond what the log of the outbox has already: its transactions end as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = folder / f"{FILE}-wal"
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size if log.exists() else 0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_added_is_there_in_order_until_it_was_sent(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.add([piece(1), piece(2)])
    outbox.add([piece(3)])
    first = outbox.first(2)
    assert [(row.once, row.path, row.value) for row in first] == [
        ("laptop/e/1", ("laptop", "claude", "k", "updated"), b"v" * 10),
        ("laptop/e/2", ("laptop", "claude", "k", "updated"), b"v" * 10),
    ]
    outbox.sent(first)
    assert (waiting(outbox), outbox.rows, outbox.lost) == (["laptop/e/3"], 1, 0)
    outbox.close()


def test_it_outlives_its_exporter_and_knows_who_that_was(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    assert outbox.successor("a") is None
    outbox.add([piece(1)])
    outbox.close()
    again = opened(tmp_path)
    assert (again.successor("b"), waiting(again), again.rows) == ("a", ["laptop/e/1"], 1)
    again.close()


@pytest.mark.parametrize(("host", "level"), [("desktop", "names"), ("laptop", "minimal")])
def test_what_was_written_for_other_eyes_is_given_up(tmp_path: Path, host: str, level: module.Level) -> None:
    outbox = opened(tmp_path)
    outbox.add([piece(1)])
    outbox.close()
    again = opened(tmp_path, host, level)
    assert (waiting(again), again.rows, again.lost) == ([], 0, 1)
    again.close()


def test_the_same_event_waits_once() -> None:
    outbox = opened(None)
    outbox.add([piece(1), piece(1)])
    outbox.add([piece(1)])
    assert (waiting(outbox), outbox.rows) == (["laptop/e/1"], 1)


def test_past_the_bound_the_last_of_each_key_stays_and_the_others_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    outbox = opened(tmp_path)
    outbox.add([piece(number, key="ab"[number % 2]) for number in range(10)])
    assert (outbox.rows, outbox.lost) == (10, 0)
    outbox.add([piece(10, key="c")])
    assert (waiting(outbox), outbox.rows, outbox.lost) == (["laptop/e/8", "laptop/e/9", "laptop/e/10"], 3, 8)
    outbox.close()
    assert opened(tmp_path).lost == 8


def test_of_too_many_keys_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    outbox = opened(None)
    outbox.add([piece(number, key=str(number)) for number in range(30)])
    assert (outbox.rows <= 10, outbox.rows + outbox.lost, waiting(outbox)[-1]) == (True, 30, "laptop/e/29")


def test_it_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 4 << 20)
    outbox = opened(None)
    outbox.add([piece(number, size=1 << 20) for number in range(5)])
    assert (waiting(outbox), outbox.lost) == (["laptop/e/4"], 4)


def test_an_outbox_that_is_damaged_is_made_anew_and_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 500)
    outbox = opened(tmp_path)
    outbox.add([piece(1)])
    assert (waiting(outbox), "cannot be used" in (outbox.trouble or "")) == (["laptop/e/1"], True)
    outbox.close()
    assert waiting(opened(tmp_path)) == ["laptop/e/1"]


def test_where_no_file_can_be_had_memory_has_to_do(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "nowhere")
    outbox.add([piece(1)])
    assert (waiting(outbox), outbox.trouble is None) == (["laptop/e/1"], False)


def test_a_full_disk_costs_history_and_nothing_else(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox._database.execute("PRAGMA max_page_count = 20")
    outbox.add([piece(number, size=1 << 16) for number in range(5)])
    assert (waiting(outbox), outbox.rows, outbox.lost) == ([], 0, 5)
    assert "full" in (outbox.trouble or "")
    outbox.add([piece(9)])
    assert waiting(outbox) == ["laptop/e/9"]
    outbox.close()


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.add([piece(1)])
    modes = {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in os.listdir(tmp_path)}
    outbox.close()
    assert modes == {0o600}


def test_a_disk_that_is_full_leaves_no_count_of_what_is_not_there(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.add([piece(1)])
    with disk_full(tmp_path):
        outbox.add([piece(number, size=1 << 12) for number in range(2, 9)])
        assert (waiting(outbox), outbox.rows, outbox.lost) == (["laptop/e/1"], 1, 7)
    outbox.add([piece(9)])
    assert (waiting(outbox), outbox.rows, outbox.lost) == (["laptop/e/1", "laptop/e/9"], 2, 7)
    outbox.close()


def test_what_was_sent_and_cannot_leave_a_full_disk_is_not_sent_again(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.add([piece(number) for number in range(1, 5)])
    with disk_full(tmp_path):
        rows = outbox.first(3)
        outbox.sent([rows[0], rows[2]])
        assert (waiting(outbox), outbox.rows) == (["laptop/e/2", "laptop/e/4"], 2)
        outbox.sent(outbox.first(9))
        assert (waiting(outbox), outbox.rows, outbox.lost) == ([], 0, 0)
    outbox.add([piece(5)])
    assert (waiting(outbox), outbox.rows) == (["laptop/e/5"], 1)
    outbox.close()
    again = opened(tmp_path)
    assert (waiting(again), again.rows) == (["laptop/e/5"], 1)
    again.close()


def test_a_file_that_is_damaged_under_way_is_begun_anew_and_its_loss_counted(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.successor("x")
    outbox.add([piece(number, size=1 << 12) for number in range(20)])
    damage(outbox, str(tmp_path))
    assert waiting(outbox) == []
    assert (outbox.rows, outbox.lost, "malformed" in (outbox.trouble or "")) == (0, 20, True)
    outbox.add([piece(21)])
    assert (waiting(outbox), outbox.rows) == (["laptop/e/21"], 1)
    outbox.close()
    again = opened(tmp_path)
    assert (again.successor("y"), waiting(again)) == ("x", ["laptop/e/21"])
    again.close()


def test_damage_that_counting_does_not_meet_is_damage_all_the_same(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.add([piece(1)])
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    outbox._fail(error, 2)
    assert (waiting(outbox), outbox.rows, outbox.lost) == ([], 0, 3)


def test_a_disk_that_is_full_at_the_start_costs_nothing_that_waits(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.add([piece(1)])
    outbox.close()
    with disk_full(tmp_path):
        poor = opened(tmp_path)
        assert (waiting(poor), poor.trouble is None) == ([], False)
        poor.close()
    again = opened(tmp_path)
    assert waiting(again) == ["laptop/e/1"]
    again.close()
