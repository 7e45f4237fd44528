"""What stores in the wild hold: locked, torn, of another release, damaged, hostile."""

import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from opencode_home import OTHER, SESSION, Client, Desk, answer, asked, at, text, tokens, tool

from bellboard.protocol.session import Evidence
from bellboard.protocol.update import SourceUpdate
from bellboard.sources.errors import SourceError
from bellboard.sources.opencode.facts import moment
from bellboard.sources.opencode.rows import TEXT_LIMIT
from bellboard.sources.opencode.state import FORM, WINDOW


def counts(desk: Desk) -> tuple[Any, ...]:
    return desk.shown("message_count", "tool_call_count", "unknown_records")


# the store as a whole


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to look like one" * 40, b"\0" * 8192])
def test_a_file_that_is_no_store(desk: Desk, content: bytes) -> None:
    desk.root.mkdir()
    (desk.root / "opencode.db").write_bytes(content)

    if content:
        with pytest.raises(SourceError, match=r"cannot be read now \(SQLITE_NOTADB\)"):
            desk.source().discover()
        with pytest.raises(SourceError):
            desk.source().parse(desk.hand(desk.root / "opencode.db"), "")
    else:
        # made a moment ago, and nothing written yet
        assert desk.source().discover() == []
        assert desk.source().parse(desk.hand(desk.root / "opencode.db"), "") == (None, "")


def test_a_folder_in_its_place_is_no_store(desk: Desk) -> None:
    (desk.root / "opencode.db").mkdir(parents=True)

    assert desk.source().discover() == []
    assert desk.source().parse(desk.hand(desk.root / "opencode.db"), "x") == (None, "x")


def test_a_store_that_cannot_be_opened_now_is_an_error_and_not_empty(
    desk: Desk, client: Client, tmp_path: Path
) -> None:
    client.session()
    copy = Desk(tmp_path / "copy")
    copy.root.mkdir()
    shutil.copy(desk.root / "opencode.db", copy.root)
    (copy.root / "opencode.db-wal").mkdir()  # nobody can open that

    for attempt in (copy.source().discover, lambda: copy.source().parse(copy.hand(copy.root / "opencode.db"), "")):
        with pytest.raises(SourceError, match=r"cannot be read now \(SQLITE_CANTOPEN\)"):
            attempt()

    (copy.root / "opencode.db-wal").rmdir()
    shutil.copy(desk.root / "opencode.db-wal", copy.root)
    assert copy.shown("title") == ("A title",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_living_store_where_nothing_may_be_written(desk: Desk, client: Client, tmp_path: Path) -> None:
    client.session()
    copy = Desk(Path(shutil.copytree(desk.root, tmp_path / "copy")))
    copy.root.chmod(0o555)
    assert copy.shown("title") == ("A title",)

    # without its index the log cannot be read, and what is in the log is nearly everything
    copy.root.chmod(0o755)
    (copy.root / "opencode.db-shm").unlink()
    copy.root.chmod(0o555)
    with pytest.raises(SourceError, match="SQLITE_CANTOPEN"):
        copy.source().discover()
    copy.root.chmod(0o755)


def test_a_store_that_is_locked_is_an_error_until_it_is_not(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellboard.sources.opencode.database.PATIENCE_SECONDS", 0.01)
    client.session()
    client.connection.execute("PRAGMA journal_mode = DELETE")
    client.connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceError, match="SQLITE_BUSY"):
        desk.source().discover()

    client.connection.execute("COMMIT")
    assert desk.shown("title") == ("A title",)


def test_a_store_of_another_release_is_an_error(desk: Desk) -> None:
    desk.root.mkdir()
    connection = sqlite3.connect(desk.root / "opencode.db")
    connection.execute("CREATE TABLE session_v2 (id text)")
    connection.close()

    with pytest.raises(SourceError, match="a release that is not known"):
        desk.source().discover()


def test_a_store_without_messages_is_an_error(desk: Desk, client: Client) -> None:
    client.session()
    client.connection.execute("DROP TABLE message")

    with pytest.raises(SourceError, match="SQLITE_ERROR"):
        desk.source().discover()


def test_columns_that_are_missing_say_nothing(desk: Desk, client: Client) -> None:
    client.connection.executescript(
        "DROP TABLE session; CREATE TABLE session (id text PRIMARY KEY, time_created integer, time_updated integer)"
    )
    client.connection.execute("INSERT INTO session VALUES (?, ?, ?)", (SESSION, at(0), at(1)))
    client.message("msg_1", answer(1, 2))
    desk.read()

    assert desk.updates == [
        SourceUpdate(
            session_id=SESSION,
            activity="waiting",
            waiting_for="prompt",
            evidence=Evidence(kind="record", detail="the turn ended", since=moment(at(2))),
            model="m1",
            context_tokens=100,
            input_tokens=100,
            cache_read_tokens=0,
            cache_creation_tokens=0,
            output_tokens=10,
            message_count_delta=1,
            current_tool=None,
            current_tool_started_at=None,
            started_at=moment(at(0)),
            last_activity_at=moment(at(2)),
            end_reason=None,
            ended_at=None,
        )
    ]


def test_a_session_that_vanished_is_nothing_new(desk: Desk, client: Client) -> None:
    client.session()
    desk.read()
    cursor = desk.cursors[SESSION]
    client.connection.execute("DELETE FROM session")

    assert desk.source().parse(desk.hand(client.path), cursor) == (None, cursor)
    assert desk.source().discover() == []


def test_another_session_under_the_same_id_is_counted_anew(desk: Desk, client: Client) -> None:
    client.session(title="First", slug="one")
    client.message("msg_1", answer(1, 2))
    desk.read()
    client.remove("msg_1")
    client.set(time_created=at(50), title="New session - 2026-11-22T10:50:41.689Z", slug="", directory="", version="")

    desk.read()

    assert desk.updates[-1] == SourceUpdate(
        session_id=SESSION,
        slug=None,
        title=None,
        activity="idle",
        waiting_for=None,
        evidence=Evidence(kind="record", detail="no turn yet"),
        model=None,
        working_dir=None,
        context_tokens=None,
        input_tokens=0,
        cache_read_tokens=0,
        cache_creation_tokens=0,
        output_tokens=0,
        current_tool=None,
        current_tool_started_at=None,
        started_at=moment(at(50)),
        last_activity_at=desk.updates[-1].last_activity_at,
        subagents=(),
        parent_id=None,
        client_version=None,
        end_reason=None,
        ended_at=None,
        restart=True,
    )
    assert counts(desk) == (0, 0, 0)


@pytest.mark.parametrize("cursor", ["x", "|", "|{}x", f'|{{"form":{FORM + 1}}}', "12.34.56|[1]", '|{"window":7}'])
def test_a_cursor_of_another_program_begins_again(desk: Desk, client: Client, cursor: str) -> None:
    client.session()
    client.message("msg_1", answer(1, 2))
    desk.cursors[SESSION] = cursor

    assert counts(desk) == (1, 0, 0)
    assert [update.restart for update in desk.updates] == [True]


# rows


@pytest.mark.parametrize(
    "rubbish",
    [
        "",
        "{",
        "null",
        "7",
        '"text"',
        "[]",
        "{}",
        "\0",
        "\ufeff{}",
        b"\xff\xfe",
        b"\x00\x01",
        "[" * 3000,
        '{"role":"user"',
        '{"role":["user"]}',
    ],
)
def test_a_message_that_makes_no_sense_costs_only_itself(desk: Desk, client: Client, rubbish: Any) -> None:
    client.session()
    client.message("msg_0", rubbish, second=0)
    assert counts(desk) == (0, 0, 0)

    for number in range(1, 6):
        client.message(f"msg_{number}", answer(number, number))
        client.part(f"prt_{number}", f"msg_{number}", tool("bash", "completed", 1, 2))
    assert counts(desk) == (5, 5, 1)
    client.set(title="Another look")
    assert counts(desk) == (5, 5, 1)

    client.message("msg_0", asked(0))
    client.set(title="A third look")
    assert counts(desk) == (6, 5, 1)


@pytest.mark.parametrize("rubbish", ["", "{", "null", "7", "[]", "{}", b"\xff\xfe", "[" * 3000, '{"type":["tool"]}'])
def test_a_part_that_makes_no_sense_costs_only_itself(desk: Desk, client: Client, rubbish: Any) -> None:
    client.session()
    client.message("msg_0", answer(0))
    client.part("prt_0", "msg_0", rubbish)
    client.part("prt_1", "msg_0", tool("bash", "running", 1))

    assert counts(desk) == (1, 1, 1)
    assert desk.shown("current_tool") == ("bash",)


def test_nulls_and_nonsense_where_values_should_stand(desk: Desk, client: Client) -> None:
    values: list[Any] = [None, "x", -7, 1.5, True, [], {}, 1e300, 10**30, "\ud800"]
    client.session(title=b"\xff\x00", slug=7, directory=b"\xfe", version=1.5, parent_id=b"", time_updated="soon")
    client.session(OTHER, time_compacting="x", time_archived="never", revert="null")
    for number, value in enumerate(values):
        cache = {"read": value, "write": value}
        answer_of = {"role": "assistant", "modelID": value, "finish": value, "summary": value, "error": None}
        client.message(f"msg_{number}a", {**answer_of, "time": value, "tokens": value}, second=number)
        used = {"input": value, "output": value, "cache": cache}
        times = {"created": value, "completed": value}
        client.message(f"msg_{number}b", {**answer_of, "time": times, "tokens": used}, second=number)
        client.message(f"msg_{number}c", {"role": "user", "time": value, "model": value}, second=number)
        client.part(f"prt_{number}a", f"msg_{number}a", {"type": "tool", "tool": value, "state": {"status": value}})
        client.part(f"prt_{number}b", f"msg_{number}b", {"type": "tool", "tool": value, "state": value})
        client.part(f"prt_{number}c", f"msg_{number}c", {"type": "text", "text": value, "time": value})

    sessions = desk.read()

    assert counts(desk) == (3 * len(values), 2 * len(values), 0)
    # only 1.5 is a number of tokens, and that is one
    assert desk.shown("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens") == (1, 1, 1, 1)
    assert (sessions[OTHER]["activity"], sessions[OTHER]["message_count"]) == ("idle", 0)
    assert desk.sessions == Desk(desk.root).read()


def test_rows_whose_place_or_name_is_none_of_the_clients_are_left_out(desk: Desk, client: Client) -> None:
    client.session()
    client.session("")
    client.session("ses_" + "x" * 200)
    client.connection.execute("INSERT INTO session (id, project_id, slug, directory, title, version, time_created,"
                              " time_updated) VALUES (x'00ff', '', '', '', '', '', 1, 1)")  # fmt: skip
    for number in range(WINDOW * 5):
        client.message(f"msg_{number:03d}", asked(number))
    for name, created in (("msg_text", "soon"), ("m" * 200, at(1)), (b"msg_blob", at(1)), ("msg_real", 1.5)):
        row = {
            "id": name,
            "session_id": SESSION,
            "time_created": created,
            "time_updated": 1,
            "data": json.dumps(asked(1)),
        }
        client.put("message", row)

    assert [handle.id for handle in desk.source().discover()] == [SESSION]
    assert counts(desk) == (WINDOW * 5, 0, 0)
    client.set(title="Another look")
    assert counts(desk) == (WINDOW * 5, 0, 0)


def test_a_name_that_is_no_text_is_counted_once(desk: Desk, client: Client) -> None:
    client.session()
    client.connection.execute(
        "INSERT INTO message VALUES (CAST(x'6d73675fff' AS TEXT), ?, ?, 1, ?)", (SESSION, at(0), json.dumps(asked(0)))
    )
    for number in range(1, WINDOW + 1):
        client.message(f"msg_{number:03d}", asked(number))
        assert counts(desk) == (number + 1, 0, 0)
    for title in ("one", "two"):
        client.set(title=title)
        assert counts(desk) == (WINDOW + 1, 0, 0)


def test_an_answer_that_ends_late_is_still_known(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_00", answer(0))
    for number in range(1, 10):
        client.message(f"msg_{number:02d}", asked(number))
    desk.read()
    client.part("prt_0", "msg_00", tool("bash", "completed", 1, 2))
    client.message("msg_00", answer(0, 20, tokens=tokens(5, 6)))
    client.set(title="Touched")

    assert counts(desk) == (10, 1, 0)
    assert desk.shown("output_tokens", "context_tokens") == (6, 5)


def test_tokens_that_are_put_right_are_put_right(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1, 2, tokens=tokens(100, 50)))
    assert desk.shown("input_tokens", "output_tokens") == (100, 50)
    client.message("msg_1", answer(1, 2, tokens=tokens(80, 40)))
    assert desk.shown("input_tokens", "output_tokens", "message_count") == (80, 40, 1)


def test_a_message_with_far_more_in_it_than_is_needed(desk: Desk, client: Client) -> None:
    client.session()
    long = "x" * 2_000_000
    client.message("msg_1", asked(1, summary={"diffs": [{"patch": long}]}, system=long))
    client.message("msg_2", answer(2, 3, error={"name": "APIError", "data": {"responseBody": long}}))
    client.part("prt_1", "msg_2", tool("bash", "completed", 1, 2) | {"metadata": long})
    client.part("prt_2", "msg_1", text(long))

    assert counts(desk) == (2, 1, 0)
    assert desk.shown("activity") == ("waiting",)


def test_everything_that_is_kept_is_bounded(desk: Desk, client: Client) -> None:
    long = "ä" * 10_000
    client.session(title=long, slug=long, directory=f"/{long}", version=long, parent_id=long)
    for number in range(60):
        name = f"msg_{number:03d}" + "é" * 50
        client.message(name, answer(number, modelID=long, error=None))
        client.part(f"prt_{number}{long}", name, tool(long, "running", 1))

    session = desk.read()[SESSION]

    assert len(desk.cursors[SESSION].encode()) < 8192
    assert [len(session[name]) for name in ("title", "slug", "model", "current_tool", "client_version")] == [
        80,
        *[200] * 4,
    ]
    assert (len(session["working_dir"]), len(session["parent_id"])) == (4096, 200)


def test_text_of_a_terminal_is_taken_out_of_everything_that_is_told(desk: Desk, client: Client) -> None:
    evil = "a\x1b]0;b\x07\u202ec\nd"
    client.session(title=evil, slug=evil, directory=evil, version=evil, parent_id=evil)
    client.message("msg_1", answer(1, modelID=evil))
    client.part("prt_1", "msg_1", tool(evil, "running", 1))

    names = ("title", "slug", "working_dir", "client_version", "parent_id", "model", "current_tool")
    assert desk.shown(*names) == ("a]0;bc",) * 7
    assert desk.shown("evidence")[0].detail == "a]0;bc has no result yet; it may wait for a permission"


def test_half_a_character_is_no_obstacle(desk: Desk, client: Client) -> None:
    client.session()
    client.message(
        "msg_1", '{"role":"assistant","time":{"created":5},"modelID":"a\\ud83d","finish":"\\udc00"}', second=1
    )
    client.part("prt_1", "msg_1", '{"type":"tool","tool":"b\\ud83d","state":{"status":"running"}}')

    model, running = desk.shown("model", "current_tool")
    assert (model, counts(desk)) == ("a?", (1, 1, 0))
    assert running.startswith("b")
    assert running.encode().decode() == running


def test_what_was_never_known_stays_unset(desk: Desk, client: Client) -> None:
    client.session(title="", slug="")
    desk.read()

    (update,) = desk.updates
    assert (update.title, update.slug, update.context_tokens, update.model, update.parent_id) == (UNSET,) * 5
    assert (update.branch, update.max_context_tokens, update.max_context_from, update.subagents) == (UNSET,) * 4


def test_the_same_store_and_cursor_give_the_same_result(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1, 2))
    (handle,) = desk.source().discover()

    assert desk.source().parse(handle, "") == desk.source().parse(handle, "")


def test_reading_writes_nothing_into_the_store(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1, 2))
    files = ("opencode.db", "opencode.db-wal")
    before = [(desk.root / name).read_bytes() for name in files]
    desk.read()

    assert [(desk.root / name).read_bytes() for name in files] == before
    # nor does anybody have to wait for a reader
    client.connection.execute("PRAGMA busy_timeout = 0")
    assert client.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def test_a_text_beyond_measure_is_passed_over_unread(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1, 2))
    client.part("prt_1", "msg_1", tool("bash", "completed", 1, 2))
    client.part("prt_2", "msg_1", text("x" * (TEXT_LIMIT + 1)))

    assert counts(desk) == (1, 1, 1)
