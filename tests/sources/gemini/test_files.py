"""Files come, go, are replaced, and lie beside each other."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gemini_home import FILE, SESSION, Home, at, call, context, gemini, header, lines, set_, user

from bellboard.protocol.session import Evidence
from bellboard.protocol.update import SourceUpdate
from bellboard.sources.contract import SessionHandle
from bellboard.sources.errors import ArtifactTooLarge
from bellboard.sources.gemini import GeminiSource

DOCUMENT = FILE.removesuffix("l")
STUB = "session-2026-01-02T03-09-1f0c24aa.jsonl"
OTHER = "1f0c24aa-ffff-4000-8000-00000000000f"
STATE = ("activity", "message_count", "tool_call_count", "output_tokens")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".gemini")


def said(*names: str) -> list[dict[str, Any]]:
    return [gemini(name, index + 1, "Yes.", [call(f"t{name}")]) for index, name in enumerate(names)]


def test_a_truncated_file_begins_anew_and_says_so(home: Home) -> None:
    home.write(header(), user("u", 1), *said("g", "h"))
    assert home.shown(*STATE) == ("working", 3, 2, 20)

    home.path().write_bytes(lines(header(), user("u", 1)))
    assert home.shown(*STATE, "model", "context_tokens", "max_context_from") == (
        "working",
        1,
        0,
        None,
        None,
        None,
        "unknown",
    )
    assert [update.restart for update in home.updates] == [False, True]


def test_an_emptied_file_takes_everything_back(home: Home) -> None:
    home.write(header(), user("u", 1), *said("g"))
    home.read()

    home.path().write_bytes(b"")
    home.read()

    assert home.updates[-1] == SourceUpdate(
        session_id=SESSION,
        title=None,
        activity="idle",
        waiting_for=None,
        evidence=Evidence(kind="none", detail="nothing is known yet"),
        model=None,
        working_dir=None,
        context_tokens=None,
        input_tokens=None,
        cache_read_tokens=None,
        output_tokens=None,
        max_context_tokens=None,
        max_context_from="unknown",
        current_tool=None,
        current_tool_started_at=None,
        started_at=None,
        last_activity_at=None,
        parent_id=None,
        terminal=False,
        end_reason=None,
        ended_at=None,
        restart=True,
    )
    home.write(header(), user("v", 5))
    assert home.shown(*STATE) == ("working", 1, 0, None)


def test_a_replaced_file_begins_anew(home: Home) -> None:
    home.write(header(), user("u", 1), *said("g", "h"))
    home.read()

    fresh = home.path().with_suffix(".tmp-1")
    fresh.write_bytes(lines(header(), user("u", 1), *said("k", "l", "m")))
    fresh.replace(home.path())

    assert home.shown(*STATE) == ("working", 4, 3, 30)
    assert [update.restart for update in home.updates] == [False, True]


def test_a_copy_in_another_inode_is_no_new_beginning(home: Home) -> None:
    home.write(header(), user("u", 1), *said("g"))
    home.read()

    fresh = home.path().with_suffix(".tmp-1")
    fresh.write_bytes(home.path().read_bytes() + lines(user("v", 9)))
    fresh.replace(home.path())

    assert home.shown(*STATE) == ("working", 3, 1, 10)
    assert [update.restart for update in home.updates] == [False, False]


def test_a_line_shorter_in_place_begins_anew(home: Home) -> None:
    home.write(header(), user("u", 1, "a long prompt"), user("v", 2))
    home.read()
    home.path().write_bytes(lines(header(), user("u", 1, "shorter"), user("v", 2), *said("g")))
    assert home.shown(*STATE) == ("working", 3, 1, 10)
    assert home.updates[-1].restart


def test_a_file_that_vanished_is_no_news(home: Home) -> None:
    home.write(header(), user("u", 1))
    (handle,) = home.handles()
    home.path().unlink()
    assert home.step(handle) is None
    assert home.cursors == {"1f0c24aa": ""}
    assert home.handles() == []


def test_a_handle_of_a_file_that_is_gone_finds_the_session_s_other_file(home: Home) -> None:
    home.save(user("u", 1))
    home.write(header(), user("u", 1), *said("g"))
    (handle,) = home.handles()
    home.path().unlink()
    assert home.step(handle) is not None
    assert home.shown(*STATE) == ("working", 1, 0, None)


def test_a_file_that_vanishes_while_it_is_looked_at_is_no_news(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise FileNotFoundError

    home.write(header(), user("u", 1))
    (handle,) = home.handles()
    monkeypatch.setattr("bellboard.sources.gemini.source.read_on", gone)
    assert home.step(handle) is None
    assert home.cursors == {"1f0c24aa": ""}


def test_a_handle_of_another_home_is_not_this_source_s(home: Home) -> None:
    home.write(header(), user("u", 1))
    for path in ("/elsewhere/tmp/app/chats/" + FILE, f"{home.root}/tmp/app/{FILE}", f"{home.root}/tmp"):
        assert home.step(SessionHandle(id="1f0c24aa", path=path, source="gemini")) is None


def test_a_file_that_cannot_be_read_is_an_error_and_hides_no_other(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    import bellboard.sources.gemini.source as module

    real = module.read_on

    def refused(path: str, *rest: Any) -> Any:
        if path.endswith(STUB):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest)

    monkeypatch.setattr(module, "read_on", refused)
    home.write(header(), user("u", 1))
    home.write(header(), name=STUB)
    (handle,) = home.handles()

    update = home.step(handle)
    assert update is not None
    assert update.message_count_delta == 1
    with pytest.raises(PermissionError):
        home.step(handle)
    home.write(*said("g"))
    assert home.step(handle) is not None


def test_a_document_that_is_too_large_is_an_error(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise ArtifactTooLarge("too large")

    monkeypatch.setattr("bellboard.sources.gemini.source.read_whole", refused)
    home.save(user("u", 1))
    (handle,) = home.handles()
    with pytest.raises(ArtifactTooLarge):
        home.step(handle)


def test_a_session_that_goes_on_in_the_new_format_counts_each_message_once(home: Home) -> None:
    old = [user("u", 1), *said("g", "h")]
    home.save(*old, project="0" * 64)
    assert home.shown(*STATE) == ("working", 3, 2, 20)

    home.save(*old)
    home.write(header(300), set_(messages=[context("c", 300)]), name=STUB)
    home.write(header())
    for row in old:
        home.write(row)
        assert home.shown(*STATE) == ("working", 3, 2, 20)
    home.write(user("v", 301), gemini("k", 302, "Done."))
    assert home.shown(*STATE) == ("waiting", 5, 2, 30)
    assert home.shown("started_at", "last_activity_at") == (
        datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 9, 2, tzinfo=UTC),
    )

    home.path(DOCUMENT).unlink()
    home.path(DOCUMENT, "0" * 64).unlink()
    assert home.shown(*STATE) == ("waiting", 5, 2, 30)
    assert {update.restart for update in home.updates} == {False}
    assert len(home.handles()) == 1


def test_of_files_with_as_many_messages_the_newer_format_leads(home: Home) -> None:
    home.save(user("u", 1), gemini("g", 2, "Yes.", model="old"), lastUpdated=at(50))
    home.write(header(), user("u", 1), gemini("g", 2, "Yes.", model="new"))
    assert home.shown(*STATE, "model") == ("waiting", 2, 0, 10, "new")


def test_two_sessions_whose_ids_begin_alike_are_two(home: Home) -> None:
    home.write(header(), user("u", 1), gemini("g", 2, "Yes."))
    home.read()
    home.write(header(60, OTHER), user("v", 61), name=STUB)
    home.write(name="session-2026-01-02T03-10-1f0c24aa.jsonl")

    assert {handle.id: Path(handle.path).name for handle in home.handles()} == {"1f0c24aa": FILE, OTHER: STUB}
    assert home.shown(*STATE) == ("waiting", 2, 0, 10)
    assert home.shown(*STATE, session=OTHER) == ("working", 1, 0, None)
    home.write(user("w", 70), name=STUB)
    assert home.shown(*STATE, session=OTHER) == ("working", 2, 0, None)
    assert home.shown(*STATE) == ("waiting", 2, 0, 10)
    assert {update.restart for update in home.updates} == {False}


def test_many_stubs_of_resumes_are_not_read(home: Home) -> None:
    home.write(header(), user("u", 1), *said("g"))
    for minute in range(5, 40):
        name = f"session-2026-01-02T03-{minute:02d}-1f0c24aa.jsonl"
        home.write(header(60 * minute), name=name)
    assert home.shown(*STATE) == ("working", 2, 1, 10)
    home.write(user("v", 2000))
    assert home.shown(*STATE) == ("working", 3, 1, 10)
    assert len(home.cursors["1f0c24aa"]) < 8192


def test_a_moved_home_is_read_again_from_the_beginning(home: Home) -> None:
    home.write(header(), user("u", 1))
    home.read()
    moved = Home(home.root.rename(home.root.with_name("elsewhere")))
    moved.cursors, moved.sessions = home.cursors, home.sessions
    moved.read()
    assert moved.updates == []

    moved.write(*said("g"))
    assert moved.shown(*STATE) == ("working", 2, 1, 10)
    assert [update.restart for update in moved.updates] == [True]


def test_a_handle_made_by_hand_is_enough_for_a_source_that_never_looked(home: Home) -> None:
    home.write(header(), set_(messages=[context("c", 0)]), user("u", 1))
    home.write(header(), name=STUB)
    handle = SessionHandle(id="1f0c24aa", path=str(home.path()), source="gemini")

    update, cursor = GeminiSource(home=str(home.root)).parse(handle, "")
    assert update is not None
    assert (update.session_id, update.message_count_delta, update.working_dir) == (SESSION, 1, "/home/me/app")
    assert GeminiSource(home=str(home.root)).parse(handle, cursor) == (None, cursor)

    home.write(user("v", 2))
    stale = home.handles()[0]
    home.write(user("w", 3))
    update, cursor = GeminiSource(home=str(home.root)).parse(stale, cursor)
    assert update is not None
    assert update.message_count_delta == 2
    (fresh,) = home.handles()
    assert cursor.startswith(f"{fresh.stamp}|")


def test_what_was_read_to_its_end_costs_no_system_call(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write(header(), user("u", 1))
    home.read()
    (handle,) = home.handles()

    source = GeminiSource(home=str(home.root))
    with monkeypatch.context() as without:
        for name in ("open", "stat", "fstat", "listdir", "scandir"):
            without.setattr(os, name, None)
        result = source.parse(handle, home.cursors[handle.id])
    assert result == (None, home.cursors[handle.id])


def test_a_cursor_of_another_version_begins_anew(home: Home) -> None:
    home.write(header(), user("u", 1))
    home.cursors["1f0c24aa"] = 'x|{"files": 5}'
    assert home.shown(*STATE) == ("working", 1, 0, None)
    assert [update.restart for update in home.updates] == [True]


def test_a_subagent_s_header_may_come_late(home: Home) -> None:
    home.write(header(), user("u", 1), gemini("g", 2, "Delegating."))
    child = f"{SESSION}/2c2c2c2c-0000-4000-8000-000000000002.jsonl"
    home.write(name=child)
    assert home.shown("activity") == ("waiting",)
    home.write(header(3, "2c2c2c2c-0000-4000-8000-000000000002", kind="subagent"), name=child)
    assert home.shown("activity", "evidence") == (
        "working",
        Evidence(
            kind="tool", detail="a subagent has not come back yet", since=datetime(2026, 1, 2, 3, 4, 3, tzinfo=UTC)
        ),
    )
    home.write(gemini("g", 2, "Delegating.", [call("t", tool="invoke_agent")]), user("v", 9), gemini("h", 10, "Done."))
    assert home.shown("activity") == ("waiting",)
    assert home.sessions[SESSION]["last_activity_at"].isoformat() == at(10).replace("Z", "+00:00").replace(".000", "")


def test_a_file_without_a_header_is_called_by_its_name_and_keeps_it(home: Home) -> None:
    home.write({"something": "new"})
    assert home.shown("activity", "unknown_records", session="1f0c24aa") == ("idle", 1)
    home.write(header(), user("u", 1))
    assert home.shown(*STATE, "unknown_records", session="1f0c24aa") == ("working", 1, 0, None, 1)
    assert home.sessions.keys() == {"1f0c24aa"}
