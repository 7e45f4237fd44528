"""What happens to files in the wild: torn, cut, replaced, moved, damaged."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from pi_home import SESSION, Home, assistant, entry, header, lines, message, result, usage, user

from bellboard.protocol.session import Evidence
from bellboard.protocol.update import SourceUpdate
from bellboard.sources.pi import PiSource
from bellboard.sources.pi.state import FORM, OPEN_LIMIT
from bellboard.sources.tail import LINE_LIMIT

TURN = (header(), user("a", None, 1), assistant("b", "a", 2, ("c1", "bash")), result("c", "b", 3, "c1"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".pi")


def counted(home: Home) -> tuple[Any, ...]:
    return home.shown("message_count", "tool_call_count", "unknown_records")


def test_a_torn_last_line_waits_for_its_end(home: Home) -> None:
    last = lines(assistant("d", "c", 4))
    path = home.write(*TURN, last[:-20])
    assert counted(home) == (2, 1, 0)
    before = dict(home.cursors)
    home.read()
    assert home.cursors == before

    with path.open("ab") as file:
        file.write(last[-20:])
    assert counted(home) == (3, 1, 0)


def test_an_empty_file_is_no_news(home: Home) -> None:
    home.path().touch()

    assert home.read() == {}
    assert home.updates == []


def test_nothing_new_is_the_same_cursor_and_costs_no_look_at_the_disk(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write(*TURN)
    home.read()
    source = home.source()
    (handle,) = source.discover()
    cursor = home.cursors[SESSION]

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a system call")

    for name in ("open", "stat", "fstat", "pread"):
        monkeypatch.setattr(os, name, forbidden)
    result = source.parse(handle, cursor)
    monkeypatch.undo()

    assert result == (None, cursor)


def test_a_handle_made_by_hand_and_a_stale_one_see_what_is_there(home: Home) -> None:
    path = home.write(*TURN)
    (stale,) = home.source().discover()
    home.write(assistant("d", "c", 4))

    home.read([home.hand(path)])
    assert home.sessions[SESSION]["message_count"] == 3
    cursor = home.cursors[SESSION]
    assert home.source().parse(stale, cursor) == (None, cursor)
    assert home.source().parse(home.hand(path), cursor) == (None, cursor)


def test_a_handle_made_by_hand_goes_on_in_the_middle(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home.write(*TURN)
    monkeypatch.setattr("bellboard.sources.pi.source.READ_LIMIT", 300)

    home.read([home.hand(path)])

    assert len(home.updates) > 2
    assert counted(home) == (2, 1, 0)


def test_lines_that_change_nothing_move_the_cursor_silently(home: Home) -> None:
    home.write(*TURN)
    (handle,) = home.source().discover()
    home.read()
    row = entry("custom", "x", "c", 3)
    del row["timestamp"]
    home.write(row)

    update, after = home.source().parse(home.hand(home.path()), home.cursors[SESSION])

    assert update is None
    assert after != home.cursors[SESSION]
    assert handle.stamp not in after


def test_a_file_that_vanished_is_nothing_new(home: Home) -> None:
    path = home.write(*TURN)
    (handle,) = home.source().discover()
    home.read()
    cursor = home.cursors[SESSION]
    path.unlink()

    assert home.source().parse(handle, "") == (None, "")
    assert home.source().parse(home.hand(path), cursor) == (None, cursor)
    assert home.source().discover() == []


def test_a_folder_in_its_place_is_an_error(home: Home) -> None:
    home.path().mkdir()

    with pytest.raises(OSError, match="not a regular file"):
        home.source().parse(home.hand(home.path()), "")
    assert home.source().discover() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error(home: Home) -> None:
    home.write(*TURN).chmod(0)
    (handle,) = home.source().discover()

    with pytest.raises(PermissionError):
        home.source().parse(handle, "")


def test_a_truncated_file_is_counted_anew_and_says_what_it_no_longer_knows(home: Home) -> None:
    path = home.write(*TURN, entry("session_info", "d", "c", 4, name="Named"))
    assert counted(home) == (2, 1, 0)
    path.write_bytes(b"")
    home.read()

    assert home.updates[-1] == SourceUpdate(
        session_id=SESSION,
        title=None,
        activity="idle",
        waiting_for=None,
        evidence=Evidence(kind="none", detail="no turn yet"),
        model=None,
        working_dir=None,
        context_tokens=None,
        input_tokens=None,
        cache_read_tokens=None,
        cache_creation_tokens=None,
        output_tokens=None,
        current_tool=None,
        current_tool_started_at=None,
        started_at=None,
        last_activity_at=None,
        subagents=(),
        end_reason=None,
        ended_at=None,
        restart=True,
    )
    assert counted(home) == (0, 0, 0)

    home.write(header(), user("a", None, 1))
    assert counted(home) == (1, 0, 0)


def test_a_replaced_file_is_counted_anew(home: Home, tmp_path: Path) -> None:
    path = home.write(*TURN)
    home.read()
    other = tmp_path / "other"
    other.write_bytes(lines(header(cwd="/new"), user("x", None, 1), user("y", "x", 2), user("z", "y", 3), *TURN[1:]))
    other.replace(path)

    assert counted(home) == (5, 1, 0)
    assert home.updates[-1].restart


def test_a_file_that_shrinks_in_place_and_grows_again_unseen(home: Home) -> None:
    path = home.write(*TURN, assistant("d", "c", 4))
    home.read()
    path.write_bytes(lines(header(), *(user(f"u{number}", None, number) for number in range(20))))

    assert counted(home) == (20, 0, 0)
    assert home.updates[-1].restart


def test_a_moved_file_goes_on(home: Home) -> None:
    path = home.write(*TURN)
    home.read()
    moved = home.root / "agent/sessions/--moved--" / path.name
    moved.parent.mkdir()
    moved.write_bytes(path.read_bytes() + lines(assistant("d", "c", 4)))
    path.unlink()

    assert counted(home) == (3, 1, 0)
    assert not any(update.restart for update in home.updates)


@pytest.mark.parametrize("cursor", ["x", "|", "|{}x", f'|{{"form":{FORM + 1}}}', "12.34.56|[1]", '|{"mark":7}'])
def test_a_cursor_of_another_program_begins_again(home: Home, cursor: str) -> None:
    home.write(*TURN)
    home.cursors[SESSION] = cursor

    assert counted(home) == (2, 1, 0)
    assert [update.restart for update in home.updates] == [True]


@pytest.mark.parametrize(
    ("damage", "bad"),
    [
        (b"{", 1),
        (b"\0\0\0", 0),
        (b"\0" + lines(user("x", "c", 4))[:-1] + b"\0", -1),
        (b"\xff\xfe", 1),
        (b"[" * 50_000, 1),
        (b"null", 1),
        (b"7", 1),
        (b'"text"', 1),
        (b"[]", 1),
        (b"{}", 1),
        (b"\r", 0),
        (b" ", 0),
        (lines(user("x", "c", 4))[:-1] + b"\r", -1),
        (b"\xef\xbb\xbf" + lines(user("x", "c", 4))[:-1], -1),
        (lines(user("x", "c", 4))[:-1].replace(b"Do it", b"a \\ud83d b"), -1),
        (lines(user("x", "c", 4))[:-1].replace(b"Do it", "a \u2028 b".encode()), -1),
        (lines(user("x", "c", 4))[:-1].replace(b"Do it", b"a \xed\xa0\xbd b"), -1),
        (lines(entry("message", "x", "c", 4, message=[1])), 1),
        (lines(message("x", "c", 4, "user", content={"text": "no list"})), 1),
        (lines(message("x", "c", 4, "assistant", usage=7)), 1),
    ],
)
def test_a_damaged_line_costs_only_itself(home: Home, damage: bytes, bad: int) -> None:
    home.write(*TURN, damage + b"\n", assistant("d", "c", 5))

    assert counted(home) == (4 if bad < 0 else 3, 1, max(bad, 0))
    assert home.shown("activity") == ("waiting",)


@pytest.mark.parametrize("said", ["\\ud83d", "ok \\udc00", "\u2028"])
def test_a_title_can_always_be_written(home: Home, said: str) -> None:
    home.write(header(), lines(user("a", None, 1)).replace(b"Do it", said.encode()))

    title = home.read()[SESSION].get("title") or ""

    assert title.encode().decode() == title


def test_nulls_and_nonsense_where_values_should_stand(home: Home) -> None:
    values: list[Any] = [None, "x", -7, 1.5, True, [], {}, 1e300, 10**30]
    for nonsense in values:
        numbers = dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), nonsense)
        home.write(
            {"type": "session", "id": nonsense, "timestamp": nonsense, "cwd": nonsense, "parentSession": nonsense},
            {"type": "message", "id": nonsense, "parentId": nonsense, "timestamp": nonsense, "message": None},
            message("a", None, 1, "assistant", content=None, usage=None, model=nonsense, stopReason=nonsense),
            message("b", "a", 2, "assistant", content=[None, {"type": nonsense}], usage=numbers),
            message("c", "b", 3, "assistant", content=[{"type": "toolCall", "id": nonsense, "name": nonsense}]),
            message("d", "c", 4, "toolResult", toolCallId=nonsense),
            message("e", "d", 5, "user", content=[{"type": "text", "text": nonsense}, None]),
            entry("session_info", "f", "e", 6, name=nonsense),
            entry("model_change", "g", "f", 7, modelId=nonsense),
        )

    session = home.read()[SESSION]

    assert (session["message_count"], session["tool_call_count"]) == (9 * 4, 9)
    # only 1.5 is a number of tokens, and that is one
    assert (session["input_tokens"], session["output_tokens"]) == (1, 1)
    assert json.loads(json.dumps(session["title"])) == session["title"]


def test_an_over_long_line_is_passed_over_and_counted(home: Home) -> None:
    home.write(*TURN)
    with home.path().open("ab") as file:
        file.write(lines(user("x", "c", 4))[:-40])
        file.write(b"x" * (LINE_LIMIT + 10))
        file.write(b'"}]}}\n')
    home.write(assistant("d", "c", 5))

    assert counted(home) == (3, 1, 1)


def test_everything_that_is_kept_is_bounded(home: Home) -> None:
    long = "ä" * 500
    calls = [(f"{number}{long}", f"tool{long}") for number in range(OPEN_LIMIT + 3)]
    home.write(header(cwd=f"/{long * 10}"))
    for number in range(100):
        key, parent = f"{number:03d}{long}", f"{number - 1:03d}{long}"
        home.write(
            user(f"u{key}", parent, number, long), assistant(key, f"u{key}", number, *calls, model=f"{number}{long}")
        )

    session = home.read()[SESSION]

    assert len(home.cursors[SESSION].encode()) < 64 * 1024
    assert len(session["title"]) == 80
    assert (len(session["model"]), len(session["current_tool"]), len(session["working_dir"])) == (200, 200, 4096)


def test_text_of_a_terminal_is_taken_out_of_everything_that_is_told(home: Home) -> None:
    evil = "a\x1b]0;b\x07\x00c\u202ed"
    home.write(
        header(cwd=f"/{evil}"),
        user("a", None, 1, evil),
        assistant("b", "a", 2, ("c1", evil), model=evil, usage=usage(1)),
    )

    assert home.shown("title", "model", "current_tool", "working_dir") == ("a]0;bcd", "a]0;bcd", "a]0;bcd", "/a]0;bcd")
    assert home.shown("evidence")[0].detail == "a]0;bcd has no result yet"


def test_what_was_never_known_stays_unset(home: Home) -> None:
    home.write(user("a", None, 1))
    home.read()

    (update,) = home.updates
    assert (update.context_tokens, update.model, update.working_dir, update.started_at) == (UNSET,) * 4
    assert (update.branch, update.parent_id, update.max_context_tokens, update.client_version) == (UNSET,) * 4


def test_without_times_the_files_own_is_the_last_activity(home: Home) -> None:
    row = user("a", None, 1)
    del row["timestamp"]
    path = home.write(row)
    os.utime(path, (1000, 2000))

    assert home.shown("last_activity_at")[0].timestamp() == 2000


def test_the_same_artifact_and_cursor_give_the_same_result(home: Home) -> None:
    home.write(*TURN)
    (handle,) = home.source().discover()

    assert PiSource(home=str(home.root)).parse(handle, "") == PiSource(home=str(home.root)).parse(handle, "")
