"""What the client's locks say, and what is said where they say nothing."""

import fcntl
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from codex_home import OTHER, THREAD, Desk, event, item, line, meta, rollouts, usage
from msgspec import UNSET

from bellboard.protocol.session import Evidence
from bellboard.sources.codex import CodexSource

NEW = "0.169.0"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


def told(desk: Desk, *names: str) -> tuple[Any, ...]:
    session = desk.read()[THREAD]
    return tuple(session.get(name) for name in names)


def hold(desk: Desk, thread: str = THREAD) -> Path:
    """A process opens a thread."""
    path = desk.lock(thread)
    assert desk.locked.paths is not None
    desk.locked.paths.append(path)
    return path


def let_go(desk: Desk, path: Path, *, clean: bool) -> None:
    """The process ends; a clean exit removes the lock file."""
    assert desk.locked.paths is not None
    desk.locked.paths.remove(path)
    if clean:
        path.unlink()


WORKING = (meta(cli_version=NEW), event("task_started", 1), item("function_call", 2, name="shell", call_id="c"))
STATE = ("activity", "terminal", "end_reason", "current_tool", "waiting_for")


def test_a_process_that_is_killed_in_a_turn_is_gone_though_no_byte_moved(desk: Desk) -> None:
    path = hold(desk)
    desk.write(*WORKING)
    assert told(desk, *STATE) == ("working", False, None, "shell", None)

    let_go(desk, path, clean=False)
    assert told(desk, *STATE) == ("terminal", True, "process gone", None, None)
    assert desk.board[THREAD]["evidence"] == Evidence(
        kind="lock", detail="the client's lock is there and nobody holds it"
    )
    # seen alive a moment ago: it ended now
    assert desk.board.updates[-1].ended_at is UNSET


def test_a_thread_found_dead_ended_at_some_time_after_its_last_record(desk: Desk) -> None:
    desk.lock()
    desk.write(*WORKING)

    ended = datetime(2026, 11, 22, 10, 0, 2, tzinfo=UTC)
    assert told(desk, "activity", "end_reason", "ended_at") == ("terminal", "process gone", ended)


def test_a_clean_exit_takes_the_lock_along(desk: Desk) -> None:
    path = hold(desk)
    desk.write(*WORKING, event("task_complete", 3))
    assert told(desk, *STATE) == ("waiting", False, None, None, "prompt")

    let_go(desk, path, clean=True)
    assert told(desk, *STATE) == ("terminal", True, "closed", None, None)
    assert desk.board[THREAD]["evidence"] == Evidence(kind="lock", detail="the client has closed the thread")

    hold(desk)
    assert told(desk, *STATE) == ("waiting", False, None, None, "prompt")


def test_a_turn_does_not_survive_its_process(desk: Desk) -> None:
    path = hold(desk)
    desk.write(*WORKING)
    desk.read()
    let_go(desk, path, clean=False)
    desk.read()

    hold(desk)  # resumed, and nothing written yet
    assert told(desk, *STATE) == ("waiting", False, None, None, "prompt")
    assert desk.board[THREAD]["evidence"].kind == "lock"
    desk.write(event("thread_settings_applied", 9, thread_settings={"model": "m"}))
    assert told(desk, *STATE) == ("waiting", False, None, None, "prompt")
    desk.write(event("task_started", 10))
    assert told(desk, *STATE) == ("working", False, None, None, None)


def test_a_turn_that_began_together_with_its_process_goes_on(desk: Desk) -> None:
    desk.lock()
    desk.write(*WORKING)
    desk.read()

    hold(desk)
    desk.write(event("task_started", 10))
    assert told(desk, *STATE) == ("working", False, None, None, None)


def test_a_thread_seen_alive_ended_just_now_though_its_file_was_rewritten(desk: Desk) -> None:
    path = hold(desk)
    file = desk.write(*WORKING)
    desk.read()
    file.write_bytes(meta(cli_version=NEW) + event("task_started", 9))
    desk.read()
    assert desk.board.updates[-1].restart
    let_go(desk, path, clean=False)
    desk.read()
    assert (desk.board.updates[-1].end_reason, desk.board.updates[-1].ended_at) == ("process gone", UNSET)


def test_without_a_folder_of_locks_the_records_speak(desk: Desk) -> None:
    desk.write(*WORKING)

    assert told(desk, *STATE) == ("working", False, None, "shell", None)


def test_a_missing_lock_says_nothing_about_a_client_that_keeps_none(desk: Desk) -> None:
    hold(desk, OTHER)
    desk.write(meta(cli_version="0.145.0"), *WORKING[1:])

    assert told(desk, *STATE) == ("working", False, None, "shell", None)


@pytest.mark.parametrize("version", ["", "dev", "0.x", "0", None])
def test_a_version_that_says_nothing_is_no_proof(desk: Desk, version: str | None) -> None:
    hold(desk, OTHER)
    desk.write(meta(cli_version=version), *WORKING[1:])

    assert told(desk, "activity") == ("working",)


@pytest.mark.parametrize("header", [{"cli_version": "0.150.0"}, {"cli_version": "0.0.0", "history_mode": "paginated"}])
def test_a_missing_lock_is_proof_for_clients_since_0150(desk: Desk, header: dict[str, Any]) -> None:
    hold(desk, OTHER)
    desk.write(meta(**header), *WORKING[1:])

    assert told(desk, "activity", "end_reason") == ("terminal", "closed")


def test_an_old_thread_in_a_new_client_is_judged_by_who_wrote_last(desk: Desk) -> None:
    hold(desk, OTHER)
    spent = {"thread_id": THREAD, "usage": usage(10, 1), "thread_token_usage": usage(10, 1)}
    desk.write(meta(cli_version="0.142.5"), event("task_started", 1))
    assert told(desk, "activity") == ("working",)
    desk.write(line("token_usage_record", spent, 2))
    assert told(desk, "activity") == ("terminal",)
    desk.write(event("task_started", 3))  # whose client is not known yet
    assert told(desk, "activity") == ("working",)


def test_where_the_system_cannot_tell_who_holds_a_lock_the_records_speak(desk: Desk) -> None:
    desk.lock()
    desk.locked.paths = None
    desk.write(*WORKING)

    assert told(desk, "activity") == ("working",)
    assert [handle.live for handle in desk.source().discover()] == [False]


def test_a_lock_is_known_by_its_inode_where_devices_are_told_apart_differently(desk: Desk) -> None:
    path = hold(desk)
    desk.write(*WORKING)
    true = desk.locked.holders()
    assert true is not None
    desk.locked.holders = lambda: {(dev + 1, ino): pid for (dev, ino), pid in true.items()}  # type: ignore[method-assign]

    assert told(desk, "activity") == ("working",)
    assert path.exists()


def test_an_open_thread_without_a_file_is_idle_until_its_first_turn(desk: Desk) -> None:
    path = hold(desk)
    desk.lock(OTHER)  # left behind, held by nobody: no session
    (handle,) = desk.source().discover()
    assert (handle.id, handle.path, handle.live) == (THREAD, str(path), True)
    assert handle.started_at == datetime.fromtimestamp(0x01A200000000 / 1000, UTC)
    assert told(desk, *STATE) == ("idle", False, None, None, None)
    assert desk.board[THREAD]["evidence"] == Evidence(kind="lock", detail="a process has the thread open, no turn yet")

    desk.write(*WORKING)
    assert told(desk, "activity", "tool_call_count") == ("working", 1)
    assert not any(update.restart for update in desk.board.updates)


def test_an_open_thread_without_a_file_that_is_closed_ends(desk: Desk) -> None:
    path = hold(desk)
    source = desk.source()
    desk.read(source, list(source.discover()))
    let_go(desk, path, clean=True)

    handles = list(source.pulse())
    assert [(handle.id, handle.live) for handle in handles] == [(THREAD, False)]
    assert desk.read(source, handles)[THREAD]["end_reason"] == "closed"
    # and again by discover alone, for whom the lock is gone between two looks
    assert [handle.id for handle in source.discover()] == []


def test_discover_brings_a_closed_thread_without_a_file_once_more(desk: Desk) -> None:
    path = hold(desk)
    source = desk.source()
    desk.read(source, list(source.discover()))
    let_go(desk, path, clean=False)

    assert desk.read(source, list(source.discover()))[THREAD]["end_reason"] == "process gone"
    assert list(source.discover()) == []


def test_pulse_brings_exactly_the_threads_whose_lock_changed(desk: Desk) -> None:
    mine, theirs = hold(desk), hold(desk, OTHER)
    desk.write(*WORKING)
    desk.write(meta(OTHER, cli_version=NEW), thread=OTHER)
    source = desk.source()
    assert list(source.pulse()) == []  # nobody has looked yet
    desk.read(source, list(source.discover()))
    source.pulse()
    assert list(source.pulse()) == []

    let_go(desk, mine, clean=False)
    handles = list(source.pulse())
    assert [(handle.id, handle.live) for handle in handles] == [(THREAD, False)]
    assert desk.read(source, handles)[THREAD]["activity"] == "terminal"
    assert list(source.pulse()) == []
    let_go(desk, theirs, clean=True)
    assert [handle.id for handle in source.pulse()] == [OTHER]


def test_it_rests_from_pulses_only_where_there_is_no_lock_that_could_change_hands(desk: Desk) -> None:
    desk.write(*WORKING)
    source = desk.source()
    desk.read(source, list(source.discover()))
    assert source.rest() == math.inf
    lock = hold(desk)
    desk.read(source, list(source.discover()))
    assert source.rest() == 0.0
    let_go(desk, lock, clean=False)
    source.pulse()
    assert source.rest() == 0.0, "whoever takes it next writes nothing"


def test_a_change_of_a_lock_that_a_parse_noticed_first_still_pulses(desk: Desk) -> None:
    path = hold(desk)
    file = desk.write(*WORKING)
    source = desk.source()
    list(source.discover())
    source.pulse()
    let_go(desk, path, clean=False)
    source.parse(desk.hand(file), "")

    assert [handle.id for handle in source.pulse()] == [THREAD]


def test_the_table_of_locks_is_read_once_for_all_threads(desk: Desk) -> None:
    for number in range(20):
        thread = f"{THREAD[:-2]}{number + 10}"
        hold(desk, thread)
        desk.write(meta(thread, cli_version=NEW), thread=thread)
    source = desk.source()
    desk.read(source, list(source.discover()))
    assert desk.locked.asked == 1
    source.pulse()
    assert desk.locked.asked == 2


def test_without_lock_files_the_table_is_not_read_at_all(desk: Desk) -> None:
    desk.write(*WORKING)
    source = desk.source()
    desk.read(source, list(source.discover()))
    source.pulse()
    assert desk.locked.asked == 0


def test_other_files_among_the_locks_are_no_threads(desk: Desk) -> None:
    folder = desk.lock(OTHER).parent
    (folder / ".coordination.lock").touch()
    (folder / "notes.txt").touch()
    assert desk.locked.paths is not None
    desk.locked.paths += list(folder.iterdir())

    assert [handle.id for handle in desk.source().discover()] == [OTHER]


def test_a_reviewer_that_was_taken_for_a_session_leaves_the_board(desk: Desk) -> None:
    hold(desk)
    assert told(desk, "activity") == ("idle",)
    desk.write(meta(thread_source="guardian_review"), event("user_message", message="Judge"))
    assert told(desk, "activity", "terminal", "end_reason", "message_count") == ("terminal", True, "internal", 0)
    count = len(desk.board.updates)
    desk.write(event("task_complete"))
    desk.read()
    assert len(desk.board.updates) == count


def test_a_real_lock_is_seen_and_not_disturbed(desk: Desk) -> None:
    if not Path("/proc/locks").exists():
        pytest.skip("no table of locks on this system")
    path = desk.lock()
    desk.write(*WORKING)
    (file,) = rollouts(desk.root)
    with path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        source = CodexSource(home=str(desk.root))
        assert [handle.live for handle in source.discover()] == [True]
        update, cursor = source.parse(desk.hand(file), "")
        assert update is not None
        assert update.activity == "working"
    (handle,) = source.pulse()
    update, _ = source.parse(handle, cursor)
    assert update is not None
    assert update.end_reason == "process gone"
