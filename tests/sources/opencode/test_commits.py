"""Commits are seen when they are done, and nobody's files are changed by whoever looks at them."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opencode_home import OTHER, SESSION, Client, Desk, answer, at

from bellboard.sources.contract import SessionHandle
from bellboard.sources.opencode import OpenCodeSource
from bellboard.sources.opencode.commits import PAUSES, Commits
from bellboard.sources.opencode.shelf import ROWS_SECONDS

# A client in a process of its own: one line of input, one commit; it leaves at the end of the input.
WRITER = """
import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    store.execute(line)
    print("done", flush=True)
store.close()
"""


class Writer:
    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, statement: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(statement + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def leave(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture
def writer(desk: Desk) -> Iterator[Writer]:
    """The only client there is: what made the tables has left."""
    made = Client(desk.root / "opencode.db")
    made.session()
    made.session(OTHER)
    made.close()
    writer = Writer(made.path)
    writer.say("UPDATE session SET title = 'Begun'")
    try:
        yield writer
    finally:
        writer.process.kill()
        writer.leave()


def title(session: str, to: str) -> str:
    return f"UPDATE session SET title = '{to}', time_updated = time_updated + 1 WHERE id = '{session}'"  # noqa: S608 - a test's own words


def ids(handles: list[SessionHandle]) -> list[str]:
    return sorted(handle.id for handle in handles)


def files(desk: Desk) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in desk.root.iterdir()}


def test_each_commit_looks_different_and_nothing_else_does(client: Client) -> None:
    commits = Commits(str(client.path))
    client.session()
    first = commits.newest()
    assert first == commits.newest()
    client.connection.execute("BEGIN IMMEDIATE")
    client.set(title="Not yet")
    assert commits.newest() == first
    client.connection.execute("COMMIT")
    assert commits.newest() not in (first, b"")


def test_a_commit_is_waited_for_a_moment(client: Client) -> None:
    client.session()
    commits = Commits(str(client.path))
    known = commits.newest()
    assert commits.after(known) == known  # nothing comes, and it goes on

    writer = Writer(client.path)
    # After the first look: what came before it needs no waiting.
    later = threading.Timer(PAUSES[-1] / 4, writer.say, [title(SESSION, "Soon")])
    later.start()
    seen = known
    for _ in range(1000):  # a busy machine may take longer than one waiting
        if (seen := commits.after(known)) != known:
            break
    later.join()
    writer.leave()
    assert seen != known


def test_without_an_index_there_is_no_commit_to_wait_for(tmp_path: Path) -> None:
    assert Commits(str(tmp_path / "none.db")).after(b"") == b""


def test_another_file_in_the_place_of_the_index_is_noticed(client: Client, tmp_path: Path) -> None:
    client.session()
    path = tmp_path / "x.db"
    path.write_bytes(b"x")
    index = tmp_path / "x.db-shm"
    index.write_bytes(b"1" * 136)
    commits = Commits(str(path))
    first = commits.newest()
    (tmp_path / "new").write_bytes(b"2" * 136)
    (tmp_path / "new").replace(index)
    assert commits.newest() not in (first, b"")
    index.unlink()
    assert commits.newest() == b""


def test_a_change_that_was_told_of_too_early_comes_with_the_pulse(desk: Desk, writer: Writer) -> None:
    source = desk.source()
    source.discover()
    assert source.touched([f"{desk.root}/opencode.db-wal"]) == []  # written, but not committed

    writer.say(title(OTHER, "Late"))

    assert ids(source.pulse()) == [OTHER]
    assert source.pulse() == []


def test_a_title_of_a_session_that_is_not_at_work_comes_with_the_pulse(
    desk: Desk, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellboard.sources.opencode.shelf.HOT", 1)
    source = desk.source()
    source.discover()
    writer.say(title(SESSION, "Old"))
    writer.say(title(OTHER, "Older"))
    told = ids(source.touched([f"{desk.root}/opencode.db-wal"]))

    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + ROWS_SECONDS + 10)
    assert ids([*source.pulse(), *source.pulse()]) + told == sorted([SESSION, OTHER])


def test_a_change_opens_the_store_once_and_leaves_it_closed(
    desk: Desk, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = desk.source()
    for handle in source.discover():
        source.parse(handle, "")
    writer.say(title(SESSION, "New"))
    opened: list[str] = []
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def noting(address: str, **options: Any) -> sqlite3.Connection:
        opened.append(address)
        return connect(address, **options)

    monkeypatch.setattr(sqlite3, "connect", noting)
    (handle,) = source.touched([f"{desk.root}/opencode.db-wal"])
    update, _ = source.parse(handle, "")

    assert update is not None
    assert update.title == "New"
    assert len(opened) == 1
    writer.leave()
    assert list(files(desk)) == ["opencode.db"]


@pytest.mark.parametrize("unread", [True, False])
def test_the_last_client_that_leaves_takes_its_log_along(desk: Desk, writer: Writer, *, unread: bool) -> None:
    source = desk.source()
    source.discover()
    writer.say(title(SESSION, "New"))
    handles = source.touched([f"{desk.root}/opencode.db-wal"])
    assert ids(handles) == [SESSION]
    if unread:
        source.pulse()  # nobody reads what was told
    else:
        source.parse(handles[0], "")
    writer.leave()

    assert list(files(desk)) == ["opencode.db"]
    source.pulse()
    assert list(files(desk)) == ["opencode.db"]


def test_a_reader_lets_the_client_empty_its_log(desk: Desk, client: Client) -> None:
    client.session()
    source = desk.source()
    source.discover()
    client.message("msg_1", answer(1, 2))
    assert len(source.touched([f"{client.path}-wal"])) == 1  # and the store stays open until it is read

    client.connection.execute("PRAGMA busy_timeout = 0")
    assert client.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    client.connection.execute("BEGIN EXCLUSIVE")
    client.connection.execute("COMMIT")


def test_a_store_that_is_replaced_is_read_anew(desk: Desk, client: Client, tmp_path: Path) -> None:
    client.session(title="First")
    source = OpenCodeSource(home=str(desk.root))
    source.discover()
    client.set(title="Second")
    assert len(source.touched([f"{client.path}-wal"])) == 1
    other = Client(tmp_path / "other.db")
    other.session(title="Another store", second=9, time_updated=at(99))
    other.close()
    client.close()
    for name in ("opencode.db-wal", "opencode.db-shm"):
        (desk.root / name).unlink(missing_ok=True)
    (tmp_path / "other.db").replace(client.path)

    (handle,) = source.touched([str(client.path)])
    update, _ = source.parse(handle, "")
    assert update is not None
    assert update.title == "Another store"
