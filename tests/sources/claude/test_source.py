"""One session read on: what is told when, and what becomes of files that are cut off, replaced, damaged or gone."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from claude_home import NOON, SESSION, Desk, answer, call, line, note, prompt, result, usage

from bellboard.protocol.session import Evidence
from bellboard.protocol.update import SourceUpdate
from bellboard.sources.contract import READ_LIMIT, SessionHandle


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOON + seconds, UTC)


def counts(desk: Desk) -> tuple[int, int, int, int]:
    facts = desk.read()[SESSION]
    return facts["message_count"], facts["tool_call_count"], facts["compaction_count"], facts["unknown_records"]


def test_an_update_says_everything_that_is_known(desk: Desk) -> None:
    desk.write(prompt("Fix the test", at=0, slug="red-blue-fox"), answer("m", call(), stop="tool_use", at=1))
    update, _ = desk.source().parse(desk.hand(), "")
    assert update == SourceUpdate(
        session_id=SESSION,
        slug="red-blue-fox",
        title="Fix the test",
        activity="working",
        evidence=Evidence(kind="tool", detail="Bash has no result yet; it may wait for permission", since=at(1)),
        model="claude-sonnet-4-6",
        working_dir="/w/app",
        branch="main",
        context_tokens=16003,
        output_tokens=90,
        max_context_tokens=200_000,
        max_context_from="table",
        token_estimated=False,
        message_count_delta=2,
        tool_call_count_delta=1,
        current_tool="Bash",
        current_tool_started_at=at(1),
        waiting_for=None,
        input_tokens=3,
        cache_read_tokens=15000,
        cache_creation_tokens=1000,
        started_at=at(0),
        last_activity_at=at(1),
        subagents=(),
        client_version="2.1.50",
        end_reason=None,
        ended_at=None,
    )


def test_where_it_was_last_is_what_the_newest_row_says(desk: Desk) -> None:
    desk.write(prompt(cwd="/w/app", gitBranch="main", version="2.1.50"))
    desk.read()
    desk.write(answer(cwd="/w/other", gitBranch="feature", version="2.1.81"))
    facts = desk.read()[SESSION]
    assert (facts["working_dir"], facts["branch"], facts["client_version"]) == ("/w/other", "feature", "2.1.81")


def test_what_was_never_known_stays_unset(desk: Desk) -> None:
    desk.write(b"{}\n")
    update, _ = desk.source().parse(desk.hand(), "")
    assert update == SourceUpdate(
        session_id=SESSION,
        activity="idle",
        evidence=Evidence(kind="none", detail="no turn has begun"),
        output_tokens=0,
        max_context_from="unknown",
        token_estimated=False,
        unknown_records_delta=1,
        current_tool=None,
        current_tool_started_at=None,
        waiting_for=None,
        input_tokens=0,
        cache_read_tokens=0,
        cache_creation_tokens=0,
        subagents=(),
        end_reason=None,
        ended_at=None,
    )


def test_each_step_adds_what_is_new(desk: Desk) -> None:
    desk.write(prompt(at=0))
    assert counts(desk) == (1, 0, 0, 0)
    desk.write(answer("m", call(), stop="tool_use", at=1))
    assert counts(desk) == (2, 1, 0, 0)
    desk.write(result(at=2), answer("n", at=3), line("system", 4, subtype="compact_boundary"))
    assert counts(desk) == (3, 1, 1, 0)
    assert [update.message_count_delta for update in desk.board.updates] == [1, 1, 1]


def test_bytes_that_change_nothing_move_the_cursor_and_tell_nothing(desk: Desk) -> None:
    desk.write(prompt(at=0))
    desk.read()
    desk.write(note("mode", mode="normal"))
    update, cursor = desk.source().parse(desk.hand(), desk.cursors[SESSION])
    assert update is None
    assert cursor != desk.cursors[SESSION]


def test_a_torn_last_line_waits_for_its_end(desk: Desk) -> None:
    row = answer("m", at=1)
    desk.write(prompt(at=0), row[:50])
    assert counts(desk) == (1, 0, 0, 0)
    desk.write(row[50:])
    assert counts(desk) == (2, 0, 0, 0)


def test_a_matching_stamp_answers_without_looking_at_anything(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(prompt())
    source = desk.source()
    (handle,) = source.discover()
    desk.read(source)

    def never(*_: Any) -> None:
        raise AssertionError("a system call")

    for name in ("open", "stat", "scandir", "readlink"):
        monkeypatch.setattr(os, name, never)
    assert source.parse(handle, desk.cursors[SESSION]) == (None, desk.cursors[SESSION])


def test_a_stale_stamp_is_no_hindrance(desk: Desk) -> None:
    desk.write(prompt(at=0))
    source = desk.source()
    (old,) = source.discover()
    desk.write(answer(at=1))
    desk.read(source, [old])
    assert desk.board[SESSION]["message_count"] == 2


def test_the_stamp_of_a_handle_is_the_stamp_of_its_cursor_once_all_is_read(desk: Desk) -> None:
    desk.write(prompt(at=0))
    desk.write(prompt("Go"), path=desk.agent("a1"))
    for now in (NOON + 1, NOON + 400, NOON + 4000):
        desk.now = now
        desk.read()
        (handle,) = desk.source().discover()
        assert desk.cursors[SESSION].startswith(f"{handle.stamp}|")


def test_a_long_transcript_is_read_in_pieces_and_told_once_it_is_known(desk: Desk) -> None:
    filler = line("attachment", 0, attachment={"type": "file", "text": "x" * 100_000})
    desk.write(prompt(at=0), *[filler] * 30, answer(at=2))
    source, cursor, steps = desk.source(), "", 0
    while True:
        update, after = source.parse(desk.hand(), cursor)
        if update is not None:
            assert update.message_count_delta == 2
            break
        assert after != cursor
        assert after.startswith("|")
        cursor, steps = after, steps + 1
    assert steps == 3 * 1024 * 1024 // READ_LIMIT - 1
    assert source.parse(desk.hand(), after) == (None, after)


def test_one_call_reads_no_more_than_its_limit_over_all_files(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    filler = line("attachment", 0, attachment={"type": "file", "text": "x" * 100_000}, isSidechain=True)
    desk.write(prompt(at=0), *[filler] * 5)
    for name in ("a1", "a2", "a3", "a4"):
        desk.write(prompt("Go"), *[filler] * 5, path=desk.agent(name))
    read: list[int] = []
    pread = os.pread

    def counting(fd: int, length: int, offset: int) -> bytes:
        data = pread(fd, length, offset)
        read.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", counting)
    source, cursor, calls = desk.source(), "", 0
    while True:
        read.clear()
        update, after = source.parse(desk.hand(), cursor)
        assert sum(read) < READ_LIMIT + 10_000
        calls += 1
        if after == cursor:
            break
        cursor = after
        if update is not None:
            desk.board.take(update)
    assert (calls >= 3, len(desk.board.updates)) == (True, 1)
    assert [sub.message_count for sub in desk.board[SESSION]["subagents"]] == [1, 1, 1, 1]


def test_a_cut_off_transcript_is_told_anew(desk: Desk) -> None:
    path = desk.write(
        note("custom-title", customTitle="Mine"), prompt(at=0), answer("m", call(), b"x" and call("b"), at=1)
    )
    assert counts(desk) == (2, 2, 0, 0)
    path.write_bytes(prompt("Other", at=0))
    assert counts(desk) == (1, 0, 0, 0)
    last = desk.board.updates[-1]
    assert (last.restart, last.message_count_delta, last.title, last.model) == (True, 1, "Other", None)


def test_an_emptied_transcript_is_told_at_once(desk: Desk) -> None:
    path = desk.write(prompt(at=0), answer(at=1))
    assert counts(desk) == (2, 0, 0, 0)
    path.write_bytes(b"")
    assert counts(desk) == (0, 0, 0, 0)
    facts = desk.board[SESSION]
    unknown = ("title", "model", "working_dir", "branch", "context_tokens", "started_at", "client_version", "slug")
    assert [facts[name] for name in unknown] == [None] * len(unknown)
    assert desk.board.updates[-1].restart


def test_a_replaced_transcript_is_told_anew_even_if_it_is_longer(desk: Desk) -> None:
    path = desk.write(prompt(at=0), answer(at=1))
    desk.read()
    fresh = path.with_suffix(".new")
    fresh.write_bytes(prompt("Another one", at=0) + b"".join(answer(f"n{n}", at=n) for n in range(9)))
    fresh.replace(path)
    assert counts(desk) == (10, 0, 0, 0)
    assert desk.board.updates[-1].restart


def test_a_transcript_rewritten_in_place_at_equal_length_is_told_anew(desk: Desk) -> None:
    path = desk.write(prompt(at=0), answer("m1", at=1, tokens=usage(output=11)))
    desk.read()
    text = path.read_bytes().replace(b'"output_tokens": 11', b'"output_tokens": 22')
    with path.open("r+b") as file:
        file.write(text)
    os.utime(path, (1, 2))
    assert desk.read()[SESSION]["output_tokens"] == 22
    assert counts(desk) == (2, 0, 0, 0)


def test_a_row_taken_back_in_place_is_told_anew(desk: Desk) -> None:
    path = desk.write(prompt(at=0), answer("m", call(), stop="tool_use", at=1))
    assert counts(desk) == (2, 1, 0, 0)
    os.truncate(path, len(prompt(at=0)))
    desk.write(answer("n", at=2))
    assert counts(desk) == (2, 0, 0, 0)
    assert desk.board.updates[-1].restart


def test_a_transcript_moved_to_another_file_goes_on_where_it_was(desk: Desk) -> None:
    path = desk.write(prompt(at=0), answer(at=1))
    desk.read()
    fresh = path.with_suffix(".new")
    fresh.write_bytes(path.read_bytes() + answer("n", at=2))
    fresh.replace(path)
    assert counts(desk) == (3, 0, 0, 0)
    assert not desk.board.updates[-1].restart


def test_a_restart_is_not_forgotten_while_a_long_replacement_is_read(desk: Desk) -> None:
    path = desk.write(prompt(at=0), answer(at=1))
    desk.read()
    filler = line("attachment", 0, attachment={"type": "file", "text": "x" * 100_000})
    path.write_bytes(prompt("New", at=0) + filler * 30)
    assert counts(desk) == (1, 0, 0, 0)
    assert [update.restart for update in desk.board.updates] == [False, True]


def test_a_vanished_transcript_is_nothing_new(desk: Desk) -> None:
    path = desk.write(prompt())
    source = desk.source()
    (handle,) = source.discover()
    path.unlink()
    assert source.parse(handle, "") == (None, "")
    assert source.parse(handle, "some cursor") == (None, "some cursor")


def test_a_transcript_that_vanishes_while_it_is_looked_at_is_nothing_new(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(prompt())
    opened = os.open

    def gone(path: str, *args: Any) -> int:
        if path.endswith(".jsonl"):
            raise FileNotFoundError(2, "gone")
        return opened(path, *args)

    monkeypatch.setattr(os, "open", gone)
    assert desk.source().parse(desk.hand(), "") == (None, "")


def test_a_transcript_that_cannot_be_read_is_an_error(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(prompt())

    def closed(*_: Any) -> int:
        raise PermissionError(13, "closed")

    monkeypatch.setattr(os, "open", closed)
    with pytest.raises(PermissionError):
        desk.source().parse(desk.hand(), "")


@pytest.mark.parametrize("cursor", ["garbage", "|", "|{}", "|[0]", "|[99,[],[]]", "x|null", "stamp|[1"])
def test_a_cursor_of_another_version_is_read_anew(desk: Desk, cursor: str) -> None:
    desk.write(prompt(at=0), answer(at=1))
    update, _ = desk.source().parse(desk.hand(), cursor)
    assert update is not None
    assert (update.restart, update.message_count_delta) == (True, 2)


ODD = {
    "garbage": b"not json\n",
    "half a row": prompt()[:60] + b"\n",
    "a number": b"7\n",
    "a list": b"[1, 2]\n",
    "a string": b'"x"\n',
    "null": b"null\n",
    "a damaged type": prompt().replace(b'"type": "user"', b'"type": 5'),
    "wrong numbers": answer(tokens={"input_tokens": "many"}),  # type: ignore[dict-item] - wrong on purpose
    "content of no kind": prompt({"a": 1}),
    "a message of no kind": line("user", message=[1]),
}


@pytest.mark.parametrize("row", ODD.values(), ids=ODD.keys())
def test_a_bad_line_costs_only_itself(desk: Desk, row: bytes) -> None:
    desk.write(prompt(at=0), row, answer("m", at=1))
    assert counts(desk) == (2, 0, 0, 1)
    desk.write(row, answer("n", at=2))
    assert counts(desk) == (3, 0, 0, 2)


FINE = {
    "an empty line": b"\n",
    "spaces": b"   \r\n",
    "zeros": b"\0" * 600 + b"\n",
    "zeros before a row": b"\0" * 99 + prompt(),
    "carriage returns": prompt().replace(b"\n", b"\r\n"),
    "a byte order mark": b"\xef\xbb\xbf" + prompt(),
    "a lone surrogate": prompt("x").replace(b'"x"', b'"\\ud83d"'),
    "invalid UTF-8": prompt("x").replace(b'"x"', b'"\xff\xfe"'),
    "line separators": prompt("a\u2028b\u2029c\x85d"),
    "a lone surrogate in a result": result().replace(b'"ok"', b'"\\ud83d\\u0000"'),
    "an integer beyond measure": prompt(seq=10**400),
}


@pytest.mark.parametrize("row", FINE.values(), ids=FINE.keys())
def test_an_odd_line_is_understood(desk: Desk, row: bytes) -> None:
    typed = 1 if b'"user"' in row and b"tool_result" not in row else 0
    desk.write(row, answer("m", at=1))
    assert counts(desk) == (1 + typed, 0, 0, 0)


def test_a_line_beyond_measure_is_passed_over_and_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellboard.sources.tail.LINE_LIMIT", 2_000_000)
    desk.write(prompt(at=0), prompt("x" * 5_000_000, at=0), answer("m", at=1))
    assert counts(desk) == (2, 0, 0, 1)


def test_nothing_unprintable_leaves(desk: Desk) -> None:
    odd: dict[str, Any] = {
        "cwd": "/w/\x1b[31m\0bad",
        "gitBranch": "\x1b[31mb",
        "slug": "\0s\u202e",
        "version": "2.1\x07",
    }
    desk.write(
        prompt("Fix \x1b[31m\0bad", **odd),
        answer("m", call(name="Tool\x1b[0m"), model="claude\x07-x", stop="tool_use", **odd),
    )
    facts = desk.read()[SESSION]
    names = ("title", "working_dir", "branch", "slug", "client_version", "model", "current_tool")
    assert [facts[name] for name in names] == [
        "Fix [31mbad", "/w/[31mbad", "[31mb", "s", "2.1", "claude-x", "Tool[0m",
    ]  # fmt: skip
    assert facts["evidence"].detail == "Tool[0m has no result yet; it may wait for permission"


def test_titles_follow_their_precedence(desk: Desk) -> None:
    titles = [
        ("Fix it", prompt("Fix it\nplease")),
        ("Summed up", note("summary", summary="Summed up")),
        ("Generated", note("ai-title", aiTitle="Generated")),
        ("Agent", note("agent-name", agentName="Agent")),
        ("Mine", note("custom-title", customTitle="Mine")),
        ("Agent", note("custom-title", customTitle="")),
    ]
    for title, row in titles:
        desk.write(row)
        assert desk.read()[SESSION]["title"] == title


def test_a_large_window_is_reported_by_what_was_asked_for(desk: Desk) -> None:
    desk.write(answer("m", model="claude-sonnet-4-5-20250929"))
    facts = desk.read()[SESSION]
    assert (facts["max_context_tokens"], facts["max_context_from"]) == (200_000, "table")
    desk.write(answer("n", model="claude-sonnet-4-5-20250929", requestedModel="claude-sonnet-4-5-20250929[1m]"))
    facts = desk.read()[SESSION]
    assert (facts["max_context_tokens"], facts["max_context_from"]) == (1_000_000, "reported")


def test_an_unknown_model_has_no_window(desk: Desk) -> None:
    desk.write(answer("m", model="glm-4.6"))
    facts = desk.read()[SESSION]
    assert (facts["max_context_tokens"], facts["max_context_from"]) == (None, "unknown")


def test_after_a_compaction_the_context_is_an_estimate_or_unknown(desk: Desk) -> None:
    desk.write(answer("m", at=0), line("system", 1, subtype="compact_boundary", compactMetadata={"postTokens": 2885}))
    facts = desk.read()[SESSION]
    assert (facts["context_tokens"], facts["token_estimated"]) == (2885, True)
    desk.write(line("system", 2, subtype="compact_boundary", compactMetadata=None))
    facts = desk.read()[SESSION]
    assert (facts["context_tokens"], facts["token_estimated"], facts["compaction_count"]) == (None, False, 2)


def test_a_handle_outside_every_known_home_is_read_all_the_same(desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path / "other")
    path = other.write(prompt(at=0))
    update, _ = desk.source().parse(SessionHandle(id=SESSION, path=str(path), source="claude"), "")
    assert update is not None
    assert update.message_count_delta == 1
