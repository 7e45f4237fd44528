"""Which sessions there are, and to which of them a change on the disk belongs."""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from codex_home import DAY, LATER, OTHER, THREAD, Desk, Locked, event, meta, rollouts

from bellboard.sources import Registry, SourceUnavailable
from bellboard.sources.codex import CodexSource, register
from bellboard.sources.codex.naming import born_of, rollout_of

OLD = "f333a828-019a-4f7d-9fcb-cb3e11163792"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


def ids(source: CodexSource) -> list[str]:
    return [handle.id for handle in source.discover()]


def test_without_a_home_the_agent_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        CodexSource(home=str(tmp_path / "none")).discover()
    assert caught.value.looked == (str(tmp_path / "none"),)


def test_an_empty_home_has_no_sessions(desk: Desk) -> None:
    assert ids(desk.source()) == []


def test_a_handle_says_what_names_and_times_tell(desk: Desk) -> None:
    path = desk.write(meta())
    os.utime(path, (1000, 2000))

    (handle,) = desk.source().discover()

    assert (handle.id, handle.path, handle.source, handle.live) == (THREAD, str(path), "codex", False)
    assert (handle.modified_at, handle.working_dir) == (2000, None)
    assert handle.started_at == datetime.fromtimestamp(0x01A200000000 / 1000, UTC)
    assert "|" not in handle.stamp


def test_the_names_of_all_times(desk: Desk) -> None:
    names = [
        f"sessions/rollout-2025-05-07-{OLD}.jsonl",
        f"sessions/2025/06/01/rollout-1748736000-{OTHER}.jsonl",
        f"sessions/2026/11/22/rollout-2026-11-22T10-00-00-{THREAD}.jsonl",
        f"sessions/2026/11/23/rollout-2026-11-23T10-00-00-{THREAD}_{LATER}.jsonl",
        f"archived_sessions/rollout-2026-11-23T10-00-00-{LATER}.jsonl.zst",
        "sessions/2026/11/22/rollout-2026-11-22T10-00-00-notanid.jsonl",
        f"sessions/2026/11/22/rollout-2026-11-22T10-00-00-{OTHER}.jsonl.tmp",
        f"sessions/2026/11/22/deeper/rollout-2026-11-22T10-00-00-{OTHER}.jsonl",
        "sessions/notes.jsonl",
    ]
    for name in names:
        path = desk.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    found = {handle.id: Path(handle.path).name for handle in desk.source().discover()}

    # the newest file of a thread stands for it
    assert found == {Path(names[n]).name.split("-", 1)[1] and thread: Path(names[n]).name for n, thread in
                     ((0, OLD), (1, OTHER), (3, THREAD), (4, LATER))}  # fmt: skip


@pytest.mark.parametrize(
    ("thread", "stamp", "born"),
    [
        (THREAD, "anything", datetime.fromtimestamp(0x01A200000000 / 1000, UTC)),
        (OLD, "1748736000", datetime(2025, 6, 1, tzinfo=UTC)),
        (OLD, "2025-05-07", None),
        (OLD, "2025-99-99T99-99-99", None),
        (OLD, "9" * 30, None),
        ("ffffffff-ffff-7fff-8fff-ffffffffffff", "", None),
    ],
)
def test_when_a_thread_was_made_as_far_as_its_name_tells(thread: str, stamp: str, born: datetime | None) -> None:
    assert born_of(thread, stamp) == born


def test_a_stamp_of_local_time_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Etc/GMT-2")
    time.tzset()
    try:
        born = born_of(OLD, "2025-08-07T10-36-16")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert born == datetime(2025, 8, 7, 8, 36, 16, tzinfo=UTC)


def test_only_names_of_rollouts_are_rollouts() -> None:
    name = f"rollout-2026-11-22T10-00-00-{THREAD}_{LATER}.jsonl.zst"

    rollout = rollout_of("/h", name)

    assert rollout is not None
    assert (rollout.path, rollout.thread, rollout.key, rollout.cold) == (f"/h/{name}", THREAD, LATER, True)
    assert [rollout_of("/h", other) for other in ("x" + name, name + "x", f"rollout-{THREAD}.jsonl")] == [None] * 3


def test_folders_that_cannot_be_read_hide_only_themselves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(meta())
    closed = desk.root / "sessions/2026/11/23"
    closed.mkdir()
    listing = os.scandir

    def scandir(path: str) -> object:
        if path == str(closed):
            raise PermissionError("closed")
        return listing(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert ids(desk.source()) == [THREAD]


def test_a_home_whose_top_cannot_be_read_is_an_error(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(meta())

    def scandir(_path: str) -> object:
        raise PermissionError("closed")

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError):
        ids(desk.source())


def test_folders_and_pipes_with_the_name_of_a_rollout_are_passed_over(desk: Desk) -> None:
    path = desk.write(meta())
    path.with_name(path.name.replace(THREAD, OTHER)).mkdir()
    os.mkfifo(path.with_name(path.name.replace(THREAD, LATER)))

    assert ids(desk.source()) == [THREAD]


def test_handles_of_unchanged_threads_are_the_same_objects(desk: Desk) -> None:
    desk.write(meta())
    source = desk.source()
    (first,) = source.discover()
    (again,) = source.discover()
    assert again is first
    desk.write(event("task_started"))
    (changed,) = source.discover()
    assert changed.stamp != first.stamp


def test_several_homes_are_one_source(tmp_path: Path) -> None:
    one, two = Desk(tmp_path / "one"), Desk(tmp_path / "two")
    one.write(meta(cwd="/one"))
    two.write(meta(cwd="/two"))
    two.write(meta(OTHER, cwd="/two"), thread=OTHER)
    source = CodexSource(home=[str(one.root), str(two.root), str(tmp_path / "none")], processes=Locked())

    board = one.read(source, list(source.discover()))

    assert {thread: session["working_dir"] for thread, session in board.sessions.items()} == {
        THREAD: "/one",
        OTHER: "/two",
    }


def test_a_file_outside_every_home_can_be_read_by_hand(desk: Desk, tmp_path: Path) -> None:
    path = desk.write(meta(), event("user_message", message="Hello"))
    elsewhere = tmp_path / path.name
    path.rename(elsewhere)
    (desk.root / "thread-writer-locks").mkdir()

    update, cursor = desk.source().parse(desk.hand(elsewhere), "")
    assert update is not None
    assert (update.title, update.activity) == ("Hello", "working")
    assert desk.source().parse(desk.hand(elsewhere), cursor) == (None, cursor)
    assert desk.source().parse(desk.hand(tmp_path / "other.jsonl"), "") == (None, "")


def test_the_environment_and_the_registry_name_the_home(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(meta())
    monkeypatch.setenv("CODEX_HOME", str(desk.root))
    registry = Registry()
    register(registry)
    source = registry.create("codex")

    assert source.name == "codex"
    assert [handle.id for handle in source.discover()] == [THREAD]
    other = Registry()
    register(other, home=str(desk.root / "none"))
    with pytest.raises(SourceUnavailable):
        other.create("codex").discover()


# names


def name(desk: Desk, thread: str, text: object) -> Path:
    path = desk.root / "session_index.jsonl"
    with path.open("a") as file:
        file.write(f'{{"id":"{thread}","thread_name":{text},"updated_at":"x"}}\n')
    return path


def test_the_newest_name_wins_over_the_first_prompt(desk: Desk) -> None:
    desk.write(meta(), event("user_message", message="The prompt"))
    assert desk.read()[THREAD]["title"] == "The prompt"
    name(desk, THREAD, '"A name"')
    assert desk.read()[THREAD]["title"] == "A name"
    name(desk, OTHER, '"Not mine"')
    name(desk, THREAD, "null")
    before = dict(desk.cursors)
    assert desk.read()[THREAD]["title"] == "A name"
    assert desk.cursors == before
    path = name(desk, THREAD, '"\\u001b[1mBetter"')
    assert desk.read()[THREAD]["title"] == "[1mBetter"
    path.write_text("")
    assert desk.read()[THREAD]["title"] == "The prompt"


def test_a_damaged_list_of_names_costs_only_the_names(desk: Desk) -> None:
    desk.write(meta(), event("user_message", message="The prompt"))
    name(desk, THREAD, '"A name"').write_bytes(b"\xff\n[]\n{")
    assert desk.read()[THREAD]["title"] == "The prompt"
    (desk.root / "session_index.jsonl").unlink()
    (desk.root / "session_index.jsonl").mkdir()
    assert desk.read()[THREAD]["title"] == "The prompt"


# watching


def touched(source: CodexSource, paths: Sequence[Path]) -> list[str]:
    return [handle.id for handle in source.touched([str(path) for path in paths])]


def test_the_folders_of_recent_and_open_threads_are_watched(desk: Desk) -> None:
    source = desk.source()
    list(source.discover())
    tops = [desk.root, *(desk.root / name for name in ("sessions", "archived_sessions", "thread-writer-locks"))]
    assert list(source.watch()) == [str(path) for path in tops]

    desk.write(meta())
    list(source.discover())
    assert list(source.watch()) == [
        *(str(path) for path in tops),
        *(f"{desk.root}/{folder}" for folder in ("sessions/2026/11/22", "sessions/2026/11", "sessions/2026")),
    ]


def test_old_folders_are_watched_only_while_a_thread_in_them_is_open(desk: Desk) -> None:
    for day in range(1, 29):
        for month in ("01", "02", "03", "04"):
            thread = f"01a2{month}{day:02}-0000-7000-8000-000000000001"
            path = desk.path(thread, folder=f"sessions/2026/{month}/{day:02}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(meta(thread))
            os.utime(path, (0, int(month) * 100 + day))
    held = desk.lock("01a20103-0000-7000-8000-000000000001")
    source = desk.source()
    list(source.discover())
    assert f"{desk.root}/sessions/2026/01/03" not in source.watch()
    assert f"{desk.root}/sessions/2026/04/28" in source.watch()
    assert len(list(source.watch())) < 40

    assert desk.locked.paths is not None
    desk.locked.paths.append(held)
    list(source.discover())
    assert f"{desk.root}/sessions/2026/01/03" in source.watch()


def test_a_touched_file_is_its_thread(desk: Desk) -> None:
    path = desk.write(meta())
    source = desk.source()
    assert touched(source, [path]) == [THREAD]  # also before anything was looked for
    assert touched(source, [path.parent / "notes", desk.root / "state_5.sqlite", desk.root / "history.jsonl"]) == []
    assert touched(source, [Path("/elsewhere") / path.name]) == []


def test_a_new_file_is_found_by_itself_and_by_its_folder(desk: Desk) -> None:
    source = desk.source()
    list(source.discover())
    path = desk.write(meta())
    assert touched(source, [path]) == [THREAD]
    other = desk.write(meta(OTHER), thread=OTHER)
    assert sorted(touched(source, [other.parent])) == sorted([THREAD, OTHER])
    assert sorted(touched(source, [desk.root / "sessions"])) == sorted([THREAD, OTHER])
    later = desk.write(meta(), key=LATER)
    (handle,) = source.touched([str(later)])
    assert handle.path == str(later)


def test_a_deleted_file_and_a_moved_one_are_understood(desk: Desk) -> None:
    path = desk.write(meta(), event("user_message", message="Hello"))
    source = desk.source()
    desk.read(source, list(source.discover()))
    archive = desk.root / "archived_sessions"
    archive.mkdir()
    path.rename(archive / path.name)

    handles = list(source.touched([str(path), str(archive / path.name)]))
    assert [handle.path for handle in handles] == [str(archive / path.name)]
    assert desk.read(source, handles)[THREAD]["message_count"] == 1
    (archive / path.name).unlink()
    for handle in source.touched([str(archive / path.name)]):
        assert source.parse(handle, desk.cursors[THREAD]) == (None, desk.cursors[THREAD])
    assert ids(source) == []


def test_a_touched_lock_is_its_thread_and_is_looked_at_anew(desk: Desk) -> None:
    desk.write(meta(cli_version="0.169.0"), event("task_started"))
    source = desk.source()
    list(source.discover())
    path = desk.lock()
    assert desk.locked.paths is not None
    desk.locked.paths.append(path)

    (handle,) = source.touched([str(path)])
    assert handle.live
    assert desk.read(source, [handle])[THREAD]["activity"] == "working"
    assert touched(source, [path.parent / ".coordination.lock"]) == []


def test_a_new_thread_is_never_taken_for_a_closed_one(desk: Desk) -> None:
    desk.lock(OTHER)
    source = desk.source()
    list(source.discover())
    lock = desk.lock()  # after the last look: an older table of locks would call the thread closed
    assert desk.locked.paths is not None
    desk.locked.paths.append(lock)
    path = desk.write(meta(cli_version="0.169.0"), event("task_started"))

    desk.read(source, list(source.touched([str(path)])))
    assert [update.activity for update in desk.board.updates] == ["working"]


def test_a_touched_list_of_names_is_the_threads_it_names_anew(desk: Desk) -> None:
    desk.write(meta())
    desk.write(meta(OTHER), thread=OTHER)
    source = desk.source()
    list(source.discover())
    path = name(desk, OTHER, '"A name"')
    handles = list(source.touched([str(path)]))
    assert [handle.id for handle in handles] == [OTHER]
    assert desk.read(source, handles)[OTHER]["title"] == "A name"
    assert touched(source, [path]) == []
    path.write_text(f'{{"id":"{THREAD}","thread_name":"Mine"}}\n')
    handles = list(source.touched([str(path)]))
    assert sorted(handle.id for handle in handles) == sorted([THREAD, OTHER])
    desk.write(event("user_message", message="The prompt"), thread=OTHER)
    desk.read(source, list(source.discover()))
    assert [desk.board[thread]["title"] for thread in (THREAD, OTHER)] == ["Mine", "The prompt"]


def test_a_stale_handle_does_not_hide_a_newer_file(desk: Desk) -> None:
    desk.write(meta(), event("user_message", message="One"))
    source = desk.source()
    (stale,) = source.discover()
    desk.write(meta(), event("user_message", message="Two"), key=LATER)
    desk.write(event("user_message", message="More"))

    # The handle is the newest that was given out, so only its own file is looked at; discover brings the other.
    assert desk.read(source, [stale])[THREAD]["message_count"] == 2
    assert desk.read(source, [desk.hand(Path(stale.path))])[THREAD]["message_count"] == 3
    assert len(rollouts(desk.root / DAY)) == 2
