"""What happens to files in the wild: torn, cut, replaced, moved, damaged."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from codex_home import DATA, LATER, THREAD, Desk, Locked, copied, event, item, line, meta, rollouts, usage
from msgspec import UNSET

from bellboard.protocol.session import Evidence
from bellboard.protocol.update import SourceUpdate
from bellboard.sources.codex.state import CHAIN_LIMIT, FORM

TURN = (event("task_started", 1), event("user_message", 1, message="Hello"), event("agent_message", 2, message="Hi"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


def counted(desk: Desk) -> tuple[int, int, int]:
    session = desk.read()[THREAD]
    return session["message_count"], session["tool_call_count"], session["unknown_records"]


def test_a_torn_last_line_waits_for_its_end(desk: Desk) -> None:
    path = desk.write(meta(), *TURN, event("user_message", message="A long one")[:-20])
    assert counted(desk) == (2, 0, 0)
    before = dict(desk.cursors)
    assert desk.read().updates[1:] == []
    assert desk.cursors == before

    with path.open("ab") as file:
        file.write(event("user_message", message="A long one")[-20:])
    assert counted(desk) == (3, 0, 0)


def test_an_incomplete_header_is_no_session_yet_and_no_loss(desk: Desk) -> None:
    path = desk.write(meta()[:50])
    assert desk.read().sessions == {}
    with path.open("ab") as file:
        file.write(meta()[50:] + TURN[1])
    assert counted(desk) == (1, 0, 0)


def test_nothing_new_is_the_same_cursor_and_costs_no_look_at_the_disk(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(meta(), *TURN)
    source = desk.source()
    desk.read(source, list(source.discover()))
    (handle,) = source.discover()
    cursor = desk.cursors[THREAD]
    assert cursor.startswith(f"{handle.stamp}|")

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a system call")

    for name in ("open", "stat", "fstat", "pread"):
        monkeypatch.setattr(os, name, forbidden)
    answer = source.parse(handle, cursor)
    monkeypatch.undo()
    assert answer == (None, cursor)
    # the same by hand, where nothing is known about the file
    assert desk.source().parse(desk.hand(desk.path()), cursor) == (None, cursor)


def test_a_truncated_file_is_told_anew(desk: Desk) -> None:
    path = desk.write(meta(), *TURN, item("function_call", name="shell", call_id="c"))
    assert counted(desk) == (2, 1, 0)

    path.write_bytes(meta(at=30, cwd="/w/new"))
    assert counted(desk) == (0, 0, 0)
    update = desk.board.updates[-1]
    assert update.restart
    assert (update.title, update.model, update.working_dir, update.current_tool) == (None, None, "/w/new", None)
    # after a restart every fact is told, so that none of the old text's is left over
    assert [name for name in SourceUpdate.__struct_fields__ if getattr(update, name) is UNSET] == []


def test_an_emptied_file_is_told_at_once_though_there_is_nothing_to_read(desk: Desk) -> None:
    path = desk.write(meta(), *TURN)
    desk.read()
    path.write_bytes(b"")
    assert counted(desk) == (0, 0, 0)
    assert [update.restart for update in desk.board.updates] == [False, True]
    assert desk.board[THREAD]["evidence"] == Evidence(kind="none", detail="no turn yet")


def test_a_file_replaced_by_another_text_of_the_same_size_and_time_is_told_anew(desk: Desk) -> None:
    # as `codex migrate-rollouts` does: a new file at the old path with the old time of change
    path = desk.write(meta(), *TURN)
    desk.read()
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes().replace(b"agent_message", b"agent_message"[::-1]))
    os.utime(other, ns=times)
    other.rename(path)

    assert counted(desk) == (1, 0, 1)
    assert desk.board.updates[-1].restart


def test_the_same_text_in_a_new_file_goes_on(desk: Desk) -> None:
    path = desk.write(meta(), *TURN)
    desk.read()
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes() + TURN[1])
    other.rename(path)

    assert counted(desk) == (3, 0, 0)
    assert not any(update.restart for update in desk.board.updates)


def test_a_changed_file_of_a_rewound_thread_tells_the_whole_thread_anew(tmp_path: Path) -> None:
    desk = Desk(copied("rewind", tmp_path / "home"))
    (thread,) = desk.read().sessions
    first, _ = rollouts(desk.root)
    lines = first.read_bytes().splitlines(keepends=True)
    first.write_bytes(b"".join(lines[:9]))

    desk.read()

    assert desk.board.updates[-1].restart
    # one prompt is left in the first file, one prompt and one answer are in the second
    assert (desk.board[thread]["message_count"], desk.board[thread]["tool_call_count"]) == (3, 0)
    assert desk.board[thread]["context_tokens"] == 4615


def test_an_archived_thread_goes_on_where_it_was(desk: Desk) -> None:
    path = desk.write(meta(), *TURN)
    desk.read()
    archive = desk.root / "archived_sessions"
    archive.mkdir()
    path.rename(archive / path.name)
    with (archive / path.name).open("ab") as file:
        file.write(TURN[1])

    assert counted(desk) == (3, 0, 0)
    assert not any(update.restart for update in desk.board.updates)


def test_a_thread_that_lies_in_two_places_for_a_moment_counts_once(desk: Desk) -> None:
    path = desk.write(meta(), *TURN)
    archive = desk.root / "archived_sessions"
    archive.mkdir()
    shutil.copy(path, archive / path.name)

    assert counted(desk) == (2, 0, 0)
    assert len(list(desk.source().discover())) == 1


def test_a_vanished_file_is_nothing_new(desk: Desk) -> None:
    path = desk.write(meta(), *TURN)
    source = desk.source()
    (handle,) = source.discover()
    path.unlink()
    assert source.parse(handle, "") == (None, "")
    assert desk.source().parse(desk.hand(path), "x|{}") == (None, "x|{}")


def test_what_cannot_be_read_is_an_error_and_not_nothing_new(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.write(meta(), *TURN)

    def refused(*_: object) -> None:
        raise PermissionError("refused")

    monkeypatch.setattr("bellboard.sources.codex.reading.read_on", refused)
    with pytest.raises(PermissionError):
        desk.source().parse(desk.hand(path), "")


def test_a_cursor_that_another_program_wrote_begins_anew(desk: Desk) -> None:
    path = desk.write(meta(), *TURN)
    for cursor in ("rubbish", "|{", "|[]", f'|{{"form":{FORM + 1}}}', '|{"parts":{"":[1]}}'):
        update, after = desk.source().parse(desk.hand(path), cursor)
        assert update is not None
        assert update.restart
        assert update.message_count_delta == 2
        assert desk.source().parse(desk.hand(path), after) == (None, after)


GARBAGE = {
    "a broken line": b'{"timestamp":"2026","type":"event_msg","pay\n',
    "no object": b'["event_msg"]\n',
    "a bare text": b'"event_msg"\n',
    "null": b"null\n",
    "a number": b"17\n",
    "raw zeros": b"\0\0\0\0 oops\n",
    "broken utf-8": b'{"type":"event_msg","payload":{"type":"user_message","message":"\xff\xfe"\n',
    "a deep nest": b"[" * 3000 + b"]" * 3000 + b"\n",
    "a payload that is none": b'{"type":"event_msg","payload":3}\n',
    "a null payload": b'{"type":"event_msg","payload":null}\n',
    "a name that is none": b'{"type":"event_msg","payload":{"type":["user_message"]}}\n',
    "a total that is none": b'{"type":"event_msg","payload":{"type":"token_count","info":"many"}}\n',
}


@pytest.mark.parametrize("name", GARBAGE)
def test_one_bad_line_costs_only_itself(desk: Desk, name: str) -> None:
    desk.write(meta(), *TURN[:2], GARBAGE[name], TURN[2])

    assert counted(desk) == (2, 0, 1)


HARMLESS = {
    "nothing": b"\n   \n\0\0\0\n",
    "nulls where numbers stand": event(
        "token_count",
        info={"total_token_usage": {"output_tokens": None}, "last_token_usage": None, "model_context_window": None},
    ),
    "a null info": event("token_count", info=None),
    "null names": item("reasoning", name=None, call_id=None, role=None, content=None),
    "fields of any kind": item("message", role=3, phase=[], content={"a": 1}, name=7, call_id=5),
    "a time that is none": line("world_state", {"state": {}}).replace(b"2026-11-22T", b"yesterday at "),
    "an endless time": line("world_state", {"state": {}}).replace(b"2026-11-22T", b"9" * 200),
    "no fields at all": b'{"type":"world_state","payload":{}}\n',
    "carriage returns": event("token_count", info=None)[:-1] + b"\r\n",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_odd_lines_are_read_without_complaint(desk: Desk, name: str) -> None:
    desk.write(meta(), *TURN[:2], HARMLESS[name], TURN[2])

    assert counted(desk) == (2, 0, 0)


def test_garbage_in_the_facts_is_no_fact(desk: Desk) -> None:
    desk.write(
        meta(timestamp=17, cwd=None, git={"branch": 5}, cli_version=None, source=["x"], agent_nickname={}),
        line("turn_context", {"model": ["m"], "cwd": 4}),
        event("user_message", message={"no": "text"}),
        item("function_call", name={"odd": 1}, call_id="c"),
        event("task_started", started_at="soon", model_context_window=None),
    )
    session = desk.read()[THREAD]

    absent = (
        "title",
        "model",
        "working_dir",
        "branch",
        "client_version",
        "parent_id",
        "max_context_tokens",
        "slug",
        "max_context_from",
    )
    assert [session.get(name) for name in absent] == [None] * len(absent)
    # what the header does not tell, the thread's id does
    assert session["started_at"] == datetime.fromtimestamp(0x01A200000000 / 1000, UTC)
    assert counted(desk) == (1, 1, 0)


def test_a_mark_at_the_beginning_and_separators_inside_texts_do_no_harm(desk: Desk) -> None:
    desk.write(
        b"\xef\xbb\xbf" + meta(),
        event("user_message", message="one\u2028two\u2029three"),
        b'{"type":"event_msg","payload":{"type":"agent_message","message":"\\ud83d alone"}}\n',
        b'{"type":"event_msg","payload":{"type":"agent_message","message":"\\u0000 zero"}}\r\n',
    )

    assert counted(desk) == (3, 0, 0)
    assert desk.board[THREAD]["title"] == "one"


def test_a_title_of_nothing_but_signs_that_steer_a_terminal_is_none(desk: Desk) -> None:
    desk.write(meta(), event("user_message", message="\x1b\x00\x9b\u202e\n"), event("user_message", message="Really"))

    assert desk.read()[THREAD]["title"] == "Really"


def test_an_over_long_line_counts_by_what_its_beginning_tells(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellboard.sources.tail.LINE_LIMIT", 4096)
    monkeypatch.setattr("bellboard.sources.tail.READ_LIMIT", 1024)
    monkeypatch.setattr("bellboard.sources.codex.reading.READ_LIMIT", 1024)
    long = "x" * 20_000
    said = {"type": "UserMessage", "id": "u", "content": [{"type": "text", "text": long}]}
    done = {"type": "CommandExecution", "id": "c1", "aggregated_output": long}
    desk.write(meta(ordinal=0), event("task_started", 1, 1))
    desk.write(
        event("item_completed", 2, 2, thread_id=THREAD, item=said).replace(b'": ', b'":').replace(b", ", b","),
        line("compacted", {"message": long}, 3, 3).replace(b'": ', b'":').replace(b", ", b","),
        item("function_call", 4, 4, name="shell", call_id="c1", arguments=long)
        .replace(b'": ', b'":')
        .replace(b", ", b","),
        event("agent_message", 5, 5, message="short"),
    )
    session = desk.read()[THREAD]

    assert (session["message_count"], session["compaction_count"], session["tool_call_count"]) == (2, 1, 1)
    assert (session["current_tool"], session["unknown_records"]) == ("shell", 3)
    desk.write(event("item_completed", 6, 6, thread_id=THREAD, item=done).replace(b'": ', b'":').replace(b", ", b","))
    assert desk.read()[THREAD]["current_tool"] is None
    desk.write(b"y" * 20_000 + b"\n")
    assert desk.read()[THREAD]["unknown_records"] == 5


def test_what_follows_a_line_longer_than_a_piece_is_read_though_the_file_never_changes_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellboard.sources.codex.reading.READ_LIMIT", 1000)
    desk.write(meta(), TURN[0], line("world_state", {"state": "x" * 3000}), TURN[1], TURN[2])

    assert counted(desk) == (2, 0, 0)


def test_a_call_that_read_more_than_its_share_leaves_the_next_file_to_the_next_call(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellboard.sources.codex.reading.READ_LIMIT", 1000)
    path = desk.write(meta(), line("world_state", {"state": "x" * 3000}))
    desk.write(meta(), TURN[1], key=LATER)
    source = desk.source()
    cursors = [""]
    while cursors[-1] not in cursors[:-1]:
        cursors.append(source.parse(desk.hand(path), cursors[-1])[1])

    # the header, the long line, the other file; then nothing new
    assert len(cursors) == 5
    assert counted(desk) == (1, 0, 0)


def test_a_thread_of_many_rewinds_keeps_a_bounded_cursor(desk: Desk) -> None:
    keys = [f"01a30000-0000-7000-8000-{number:012}" for number in range(CHAIN_LIMIT + 20)]
    desk.write(meta(), TURN[1])
    for key in keys[:40]:
        desk.write(meta(), TURN[1], key=key)
    assert counted(desk) == (41, 0, 0)
    for key in keys[40:]:
        desk.write(meta(), TURN[1], key=key)
    assert counted(desk) == (CHAIN_LIMIT + 21, 0, 0)
    assert len(desk.cursors[THREAD]) < 16_384

    # the newest file goes on, the oldest are settled
    desk.write(TURN[1], key=keys[-1])
    desk.write(TURN[1], key=keys[0])
    assert counted(desk) == (CHAIN_LIMIT + 22, 0, 0)
    before = dict(desk.cursors)
    desk.read()
    assert desk.cursors == before


def test_a_thread_of_which_only_the_newer_file_is_left_is_still_one(desk: Desk) -> None:
    desk.write(meta(ordinal=15, history_base={"thread_id": THREAD}), TURN[0], TURN[1], key=LATER)
    spent = {"total_token_usage": usage(9000, 90), "last_token_usage": usage(500, 20)}
    desk.write(event("token_count", info=spent), key=LATER)

    session = desk.read()[THREAD]
    assert (session["message_count"], session["output_tokens"], session["activity"]) == (1, 90, "working")


def test_adversarial_texts_stay_within_the_cursors_limit(desk: Desk) -> None:
    huge = "\U0001f600" * 5000
    desk.write(meta(cwd=huge, agent_nickname=huge, git={"branch": huge}), event("task_started"))
    desk.write(event("user_message", message=huge), line("turn_context", {"model": huge, "cwd": huge}))
    desk.write(*(item("function_call", name=huge, call_id=f"{number}{huge}") for number in range(50)))

    session = desk.read()[THREAD]  # the desk holds every cursor to the limit
    assert (len(session["title"]), len(session["model"]), len(session["current_tool"])) == (80, 200, 200)


def test_a_genuine_file_of_every_kind_survives_any_line_that_is_damaged(tmp_path: Path) -> None:
    for case in ("tools", "legacy_098", "bare_023"):
        (path,) = rollouts(DATA / case)
        lines = path.read_bytes().splitlines(keepends=True)
        for number in range(len(lines)):
            desk = Desk(tmp_path / case / str(number), Locked())
            target = desk.root / path.relative_to(DATA / case)
            target.parent.mkdir(parents=True)
            torn = lines[number][: len(lines[number]) // 2] + b"\n"
            target.write_bytes(b"".join([*lines[:number], torn, *lines[number + 1 :]]))
            (session,) = desk.read().sessions.values()
            assert session["unknown_records"] == 1
