"""Which sessions there are, and to which of them a change of the store belongs, with as few questions as possible."""

import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opencode_home import OTHER, SESSION, Client, Desk, Tree, answer, asked, at, text, tool

from bellboard.sources import Registry, SourceUnavailable
from bellboard.sources.contract import SessionHandle, Watching
from bellboard.sources.errors import SourceError
from bellboard.sources.opencode import OpenCodeSource, register
from bellboard.sources.opencode.database import MARGIN, Database
from bellboard.sources.opencode.facts import moment
from bellboard.sources.opencode.reading import Seen
from bellboard.sources.opencode.shelf import HOT, WHOLE_SECONDS

THIRD = "ses_dfd100000003cccccccccccccc"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "OPENCODE_DB"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def other_client(path: Path, *sessions: str) -> Generator[Client]:
    client = Client(path)
    try:
        for session in sessions:
            client.session(session)
        yield client
    finally:
        client.close()


class Opened:
    """Counts how often a database is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        connect: Callable[..., sqlite3.Connection] = sqlite3.connect

        def counting(*arguments: Any, **options: Any) -> sqlite3.Connection:
            self.times += 1
            return connect(*arguments, **options)

        monkeypatch.setattr(sqlite3, "connect", counting)

    def since(self) -> int:
        times, self.times = self.times, 0
        return times


def settle(desk: Desk, second: float = 1000) -> None:
    """Make the store look as if it was last written then."""
    for name in ("opencode.db", "opencode.db-wal"):
        os.utime(desk.root / name, (second, second))


def crowd(client: Client, second: float) -> None:
    """Write so many other sessions, with a message and its parts, that no older one is among those asked about first."""
    for number in range(MARGIN + HOT):
        name = f"ses_dfc{number:023d}"
        client.session(name, time_updated=at(second + number))
        client.message(f"msg_{name}", answer(second + number, second + number), name)
        client.part(f"prt_{name}", f"msg_{name}", text(), name)


def ids(handles: Iterable[SessionHandle]) -> list[str]:
    return sorted(handle.id for handle in handles)


# where


def test_without_a_home_the_agent_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        OpenCodeSource(home=str(tmp_path / "none")).discover()
    assert caught.value.looked == (str(tmp_path / "none"),)


def test_an_empty_home_has_no_sessions(desk: Desk) -> None:
    desk.root.mkdir()

    assert desk.source().discover() == []
    assert desk.source().touched([str(desk.root / "opencode.db")]) == []


def test_the_client_keeps_its_data_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with other_client(tmp_path / ".local/share/opencode/opencode.db", SESSION):
        assert ids(OpenCodeSource().discover()) == [SESSION]
    with other_client(tmp_path / "data/opencode/opencode.db", OTHER):
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        assert ids(OpenCodeSource().discover()) == [OTHER]


@pytest.mark.parametrize("relative", [True, False])
def test_the_environment_may_name_the_database(relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / ".local/share/opencode"
    path = data / "mine.db" if relative else tmp_path / "elsewhere/mine"
    monkeypatch.setenv("OPENCODE_DB", "mine.db" if relative else str(path))
    with pytest.raises(SourceUnavailable) as caught:
        OpenCodeSource().discover()
    assert caught.value.looked == (str(data), str(path))

    with other_client(data / "opencode.db", OTHER), other_client(path, SESSION):
        source = OpenCodeSource()
        (handle,) = source.discover()
        assert (handle.id, handle.path) == (SESSION, str(path))
        assert source.parse(handle, "")[0] is not None
        assert str(path.parent) in source.watch()
        # a named home is that home and nothing else
        assert ids(OpenCodeSource(home=str(data)).discover()) == [OTHER, SESSION][: 1 + 0 * relative]


@pytest.mark.parametrize("name", [":memory:", ""])
def test_a_database_that_is_no_file_is_none(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCODE_DB", name)
    with other_client(tmp_path / ".local/share/opencode/opencode.db", SESSION):
        assert ids(OpenCodeSource().discover()) == [SESSION]


def test_release_channels_have_databases_of_their_own(desk: Desk, client: Client) -> None:
    client.session(title="main")
    with (
        other_client(desk.root / "opencode-dev.db", OTHER, SESSION) as dev,
        other_client(desk.root / "opencode-next.db", THIRD),
        other_client(desk.root / "other.db", "ses_none"),
    ):
        dev.set(title="dev")
        dev.set(OTHER, title="dev")
        source = desk.source()
        handles = {handle.id: Path(handle.path).name for handle in source.discover()}

        assert handles == {SESSION: "opencode.db", OTHER: "opencode-dev.db", THIRD: "opencode-next.db"}
        assert desk.shown("title", session=SESSION) == ("main",)
        assert desk.shown("title", session=OTHER) == ("dev",)
        dev.set(title="still not this one")
        assert source.touched([str(desk.root / "opencode-dev.db-wal")]) == []


def test_several_homes(desk: Desk, client: Client, tmp_path: Path) -> None:
    client.session()
    with other_client(tmp_path / "second/opencode.db", OTHER):
        homes = [str(desk.root), str(tmp_path / "second"), str(tmp_path / "none")]
        assert ids(OpenCodeSource(home=homes).discover()) == [SESSION, OTHER]


@pytest.mark.parametrize("name", ["a?b#c%d", "with space", "käse", "per%20cent", "a;b&c=d"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    with other_client(tmp_path / name / "opencode.db", SESSION):
        desk = Desk(tmp_path / name)
        assert desk.shown("title") == ("A title",)


def test_a_folder_may_have_a_name_that_is_no_text(tmp_path: Path) -> None:
    with other_client(tmp_path / "plain" / "opencode.db", SESSION) as client:
        client.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        folder = tmp_path / os.fsdecode(b"bad\xff")
        folder.mkdir()
        (folder / "opencode.db").write_bytes((tmp_path / "plain/opencode.db").read_bytes())

        assert ids(OpenCodeSource(home=str(folder)).discover()) == [SESSION]


# handles


def test_a_handle_says_what_the_store_tells(desk: Desk, client: Client) -> None:
    client.session(second=1, time_updated=at(5))
    (handle,) = desk.source().discover()
    assert (handle.id, handle.path, handle.source, handle.live) == (SESSION, str(client.path), "opencode", False)
    assert (handle.working_dir, handle.started_at, handle.modified_at) == ("/home/me/app", moment(at(1)), at(5) / 1000)
    assert handle.stamp
    assert "|" not in handle.stamp

    client.message("msg_1", asked(6))
    client.put(
        "part",
        {
            "id": "p",
            "message_id": "msg_1",
            "session_id": SESSION,
            "time_created": 1,
            "time_updated": at(9),
            "data": "{}",
        },
    )
    (handle,) = desk.source().discover()
    assert handle.modified_at == at(9) / 1000


def test_nothing_new_is_the_same_cursor_and_opens_nothing(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.session()
    desk.read()
    source = desk.source()
    (handle,) = source.discover()
    opened = Opened(monkeypatch)

    assert source.parse(handle, desk.cursors[SESSION]) == (None, desk.cursors[SESSION])
    assert opened.since() == 0


def test_a_handle_made_by_hand_and_a_stale_one_see_what_is_there(desk: Desk, client: Client) -> None:
    client.session()
    (stale,) = desk.source().discover()
    client.message("msg_1", asked(1))

    desk.read([desk.hand(client.path)])
    assert desk.sessions[SESSION]["message_count"] == 1
    cursor = desk.cursors[SESSION]
    for handle in (stale, desk.hand(client.path)):
        assert desk.source().parse(handle, cursor) == (None, cursor)


def test_changes_that_say_nothing_move_the_cursor_silently(desk: Desk, client: Client) -> None:
    client.session(time_updated=at(10))
    client.message("msg_1", asked(1))
    desk.read()
    before = desk.cursors[SESSION]
    client.message("msg_1", asked(1, summary={"diffs": [{"patch": "x" * 1000}]}))

    update, after = desk.source().parse(desk.hand(client.path), before)

    assert update is None
    assert after != before
    assert after.partition("|")[2] == before.partition("|")[2]


# questions


def test_a_store_that_was_not_written_is_asked_nothing(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.session()
    settle(desk)
    source = desk.source()
    opened = Opened(monkeypatch)
    before = source.discover()
    assert opened.since() == 1

    assert source.discover() == before
    assert source.touched([str(client.path), f"{client.path}-wal"]) == []
    assert opened.since() == 0

    settle(desk, 2000)
    assert source.discover() == before
    assert opened.since() == 1


def test_a_store_that_was_written_a_moment_ago_is_asked_again(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.session()
    source = desk.source()
    opened = Opened(monkeypatch)
    source.discover()
    source.discover()
    assert opened.since() == 2


def test_an_empty_log_is_as_good_as_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with other_client(desk.root / "opencode.db", SESSION):
        pass
    os.utime(desk.root / "opencode.db", (1000, 1000))
    source = desk.source()
    opened = Opened(monkeypatch)
    source.discover()  # makes a log, as any reader does
    assert (desk.root / "opencode.db-wal").exists()
    source.discover()
    assert opened.since() == 1


def test_changes_belong_to_sessions(desk: Desk, client: Client) -> None:
    client.session()
    client.session(OTHER)
    source = desk.source()
    log = f"{client.path}-wal"
    assert ids(source.touched([log])) == [SESSION, OTHER]
    assert source.touched([log]) == []

    client.message("msg_1", answer(1), SESSION)
    (handle,) = source.touched([str(client.path)])
    assert handle.id == SESSION
    assert handle in source.discover()

    # rewritten in place, without a word in the session's own row
    client.part("prt_1", "msg_1", tool("bash", "running", 1))
    assert ids(source.touched([log])) == [SESSION]
    client.part("prt_1", "msg_1", tool("bash", "completed", 1, 2))
    assert ids(source.touched([log])) == [SESSION]
    client.message("msg_1", answer(1, 2), SESSION)
    assert ids(source.touched([log])) == [SESSION]
    client.remove("msg_1")
    assert ids(source.touched([log])) == [SESSION]
    client.set(OTHER, title="New")
    assert ids(source.touched([log])) == [OTHER]

    assert source.touched([f"{client.path}-shm", str(desk.root), f"{desk.root}/log/x.log", "", "/"]) == []


def test_what_was_asked_when_a_change_was_told_is_not_asked_again_unless_something_was_committed_since(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[str] = []
    ask = Database._ask

    def noted(self: Database, connection: Any, columns: frozenset[str], which: str, **asked: object) -> list[Seen]:
        questions.append(which)
        return ask(self, connection, columns, which, **asked)

    client.session()
    source = desk.source()
    source.touched([f"{client.path}-wal"])
    monkeypatch.setattr(Database, "_ask", noted)

    client.message("msg_1", answer(1))
    (handle,) = source.touched([f"{client.path}-wal"])
    update, cursor = source.parse(handle, "")
    assert update is not None
    assert (update.message_count_delta, cursor.partition("|")[0]) == (1, handle.stamp)
    assert len(questions) == 1

    client.message("msg_2", answer(2))
    (handle,) = source.touched([f"{client.path}-wal"])
    client.message("msg_3", answer(3))
    update, after = source.parse(handle, cursor)
    assert update is not None
    assert update.message_count_delta == 2
    assert after.partition("|")[0] != handle.stamp
    assert len(questions) == 3


def test_a_session_that_is_at_work_is_asked_about_though_others_were_written_later(desk: Desk, client: Client) -> None:
    client.session(time_updated=at(0))
    client.message("msg_1", answer(1))
    client.session(OTHER, time_updated=at(600))
    source = desk.source()
    source.discover()

    client.part("prt_1", "msg_1", tool("bash", "running", 1))

    assert ids(source.touched([str(client.path)])) == [SESSION]


def test_a_late_message_far_back_shows_in_the_stamp(desk: Desk, client: Client) -> None:
    client.session()
    for number in range(2, 12):
        client.message(f"msg_{number:02d}", asked(number))
    source = desk.source()
    source.discover()
    client.message("msg_01", asked(1))

    assert ids(source.touched([str(client.path)])) == [SESSION]
    assert desk.shown("message_count") == (11,)


def test_sessions_that_come_and_go_are_noticed_whatever_their_times(desk: Desk, client: Client) -> None:
    client.session(second=10_000, time_updated=at(10_000))
    source = desk.source()
    source.discover()

    client.session(OTHER, time_updated=at(-90_000_000))
    assert ids(source.touched([str(client.path)])) == [OTHER]
    assert ids(source.discover()) == [SESSION, OTHER]

    client.connection.execute("DELETE FROM session WHERE id = ?", (SESSION,))
    assert source.touched([str(client.path)]) == []
    assert ids(source.discover()) == [OTHER]


def test_an_old_session_is_asked_about_now_and_then(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.session(time_updated=at(0))
    client.message("msg_1", answer(1))
    client.part("prt_1", "msg_1", tool("bash", "running", 1))
    crowd(client, second=90_000)
    source = desk.source()
    source.discover()
    client.part("prt_1", "msg_1", tool("bash", "completed", 1, 2))
    assert source.touched([str(client.path)]) == []
    before = source.discover()

    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + WHOLE_SECONDS)
    changed = {handle.id for handle in source.discover()} - {
        handle.id for handle in source.discover() if handle in before
    }
    assert changed == {SESSION}


def test_a_session_that_moves_into_the_database_is_found_there(desk: Desk, client: Client) -> None:
    tree = Tree(desk.root)
    path = tree.session()
    source = desk.source()
    assert [handle.path for handle in source.discover()] == [str(path)]

    client.session()
    assert [handle.path for handle in source.touched([str(client.path)])] == [str(client.path)]
    assert [handle.path for handle in source.discover()] == [str(client.path)]
    tree.session(title="New")
    assert source.touched([str(path)]) == []


def test_a_database_that_vanishes_takes_its_sessions_along(desk: Desk) -> None:
    with other_client(desk.root / "opencode.db", SESSION):
        source = desk.source()
        (handle,) = source.discover()
        desk.read([handle])
    for path in desk.root.iterdir():
        path.unlink()

    assert source.discover() == []
    cursor = desk.cursors[SESSION]
    assert source.parse(handle, cursor) == (None, cursor)
    assert source.parse(desk.hand(desk.root / "opencode.db"), "") == (None, "")


def test_a_store_that_cannot_be_read_hides_its_sessions_with_an_error_and_no_others(desk: Desk, client: Client) -> None:
    client.session()
    (desk.root / "opencode-dev.db").write_bytes(b"no database" * 100)
    source = desk.source()

    with pytest.raises(SourceError, match="cannot be read now"):
        source.discover()
    assert ids(source.touched([str(client.path)])) == []

    client.set(title="New")
    assert ids(source.touched([str(client.path)])) == [SESSION]


def test_folders_worth_watching(desk: Desk, client: Client) -> None:
    source = desk.source()
    source.discover()

    assert client.path.exists()
    storage = desk.root / "storage"
    assert source.watch() == [str(desk.root), f"{storage}/session", f"{storage}/message", f"{storage}/part"]


def test_the_source_comes_through_the_door_of_all_sources(desk: Desk) -> None:
    desk.root.mkdir()
    registry = Registry()
    register(registry, home=str(desk.root))

    source = registry.create("opencode")

    assert isinstance(source, Watching)
    assert list(source.discover()) == []
    assert list(source.pulse()) == []
