"""Subagents are part of their session: found by their files, linked to the calls that began them, never rows alone."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from claude_home import NOON, OTHER, SESSION, Desk, Table, answer, call, line, note, prompt, result, told, usage

from bellboard.protocol.session import Subagent
from bellboard.sources.claude.state import AGENTS_KEPT
from bellboard.sources.contract import CURSOR_LIMIT

NEW = "2.1.330"
DONE = "<task-notification>\n<task-id>a1</task-id>\n<status>completed</status>\n</task-notification>"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home", Table(pid4242="777"))


def inside(row: bytes) -> bytes:
    """The same row as a subagent's file has it."""
    return row.replace(b'"isSidechain": false', b'"isSidechain": true, "agentId": "a1"')


def launch(at: float = 1, **fields: Any) -> list[bytes]:
    """A call that starts the subagent a1, in the background unless `fields` say otherwise."""
    outcome = {"isAsync": True, "status": "async_launched", "agentId": "a1", **fields}
    asked = call("t1", "Agent", prompt="Find python files", subagent_type="Explore", description="secret words")
    return [answer("m", asked, stop="tool_use", at=at), result("t1", at=at + 0.5, toolUseResult=outcome)]


def subagents(desk: Desk, session: str = SESSION) -> tuple[Subagent, ...]:
    return desk.read()[session]["subagents"]


def doing(desk: Desk) -> list[tuple[str, str, str | None]]:
    return [(subagent.id, subagent.activity, subagent.current_tool) for subagent in subagents(desk)]


def meta(desk: Desk, name: str = "a1", **fields: Any) -> None:
    desk.agent(name).with_suffix(".meta.json").write_text(json.dumps(fields))


def test_a_subagent_is_nested_with_its_own_numbers_and_the_parents_stay_its_own(desk: Desk) -> None:
    desk.write(prompt(at=0), *launch(1), answer("n", at=2))
    desk.write(
        inside(prompt("Find python files", at=1.2)),
        inside(
            answer("s1", call("x1", "Read"), stop="tool_use", at=3, tokens=usage(1, 2, 3, 4), model="claude-haiku-4-5")
        ),
        path=desk.agent("a1"),
    )
    assert subagents(desk) == (
        Subagent(
            id="a1",
            parent_tool_use_id="t1",
            kind="Explore",
            activity="working",
            current_tool="Read",
            model="claude-haiku-4-5",
            context_tokens=6,
            message_count=2,
            tool_call_count=1,
            input_tokens=1,
            cache_creation_tokens=2,
            cache_read_tokens=3,
            output_tokens=4,
            started_at=desk.board[SESSION]["subagents"][0].started_at,
            last_activity_at=desk.board[SESSION]["subagents"][0].last_activity_at,
        ),
    )
    facts = desk.board[SESSION]
    assert (facts["message_count"], facts["tool_call_count"], facts["output_tokens"]) == (3, 1, 180)
    assert facts["activity"] == "working"
    assert (facts["subagents"][0].started_at.timestamp(), facts["subagents"][0].last_activity_at.timestamp()) == (
        NOON + 1.2,
        NOON + 3,
    )


def test_words_said_to_a_subagent_do_not_leave(desk: Desk) -> None:
    desk.write(prompt("Start", at=0), *launch(1))
    desk.write(inside(prompt("Find python files", at=1.2)), path=desk.agent("a1"))
    meta(desk, agentType="Explore", description="secret words", toolUseId="t1")
    subagents(desk)
    assert b"secret" not in json.dumps(desk.board.sessions, default=repr).encode()
    assert "secret" not in desk.cursors[SESSION]
    assert "python files" not in desk.cursors[SESSION]


def test_a_background_subagent_runs_until_it_is_notified(desk: Desk) -> None:
    desk.write(prompt(at=0), *launch(1), answer("n", at=2))
    desk.write(inside(prompt("Find python files", at=1.2)), path=desk.agent("a1"))
    assert doing(desk) == [("a1", "working", None)]
    assert desk.board[SESSION]["activity"] == "working"

    desk.write(prompt(DONE, at=6, origin={"kind": "task-notification"}), answer("o", at=7))
    assert doing(desk) == [("a1", "terminal", None)]
    (subagent,) = desk.board[SESSION]["subagents"]
    assert subagent.completed_at is not None
    assert subagent.completed_at.timestamp() == NOON + 6
    assert (desk.board[SESSION]["activity"], desk.board[SESSION]["waiting_for"]) == ("waiting", "prompt")
    assert desk.board[SESSION]["message_count"] == 4

    desk.write(inside(prompt("Go on", at=20)), path=desk.agent("a1"))
    assert doing(desk) == [("a1", "working", None)]
    desk.write(prompt(DONE, at=25), answer("p", at=26))
    assert doing(desk) == [("a1", "terminal", None)]


def test_a_notification_that_it_runs_is_not_its_end(desk: Desk) -> None:
    desk.write(prompt(at=0), *launch(1), prompt(DONE.replace("completed", "running"), at=2), answer("n", at=3))
    desk.write(inside(prompt("Find python files", at=1.2)), path=desk.agent("a1"))
    assert doing(desk) == [("a1", "working", None)]


def test_a_subagent_that_answered_is_done_though_nobody_says_so(desk: Desk) -> None:
    desk.write(prompt(at=0), *launch(1), answer("n", at=2))
    desk.write(inside(prompt("Find", at=1.2)), inside(answer("s1", at=4)), path=desk.agent("a1"))
    assert doing(desk) == [("a1", "terminal", None)]


def test_a_foreground_subagent_runs_until_its_call_has_a_result(desk: Desk) -> None:
    asked = call("t1", "Task", prompt="READ-ME", subagent_type="general-purpose")
    desk.write(prompt(at=0), answer("m", asked, stop="tool_use", at=1))
    desk.write(inside(prompt("READ-ME", at=1.2)), inside(answer("s1", stop=None, at=2)), path=desk.agent("a1"))
    desk.now = NOON + 5000
    assert doing(desk) == [("a1", "working", None)]
    (subagent,) = desk.board[SESSION]["subagents"]
    assert (subagent.parent_tool_use_id, subagent.kind) == ("t1", "general-purpose")

    desk.write(result("t1", at=9, toolUseResult={"status": "completed", "agentId": "a1", "totalTokens": 9}))
    assert doing(desk) == [("a1", "terminal", None)]
    (subagent,) = desk.board[SESSION]["subagents"]
    assert (subagent.parent_tool_use_id, subagent.kind) == ("t1", "general-purpose")


def test_subagents_that_run_side_by_side_are_told_apart_by_the_words_they_began_with(desk: Desk) -> None:
    calls = [call(f"t{n}", "Task", prompt=f"Task {n}", subagent_type=f"kind-{n}") for n in range(3)]
    desk.write(prompt(at=0), answer("m", *calls, stop="tool_use", at=1))
    for number in range(3):
        desk.write(inside(prompt(f"Task {number}", at=2 + number)), path=desk.agent(f"a{number}"))
    linked = [(subagent.id, subagent.parent_tool_use_id, subagent.kind) for subagent in subagents(desk)]
    assert linked == [("a0", "t0", "kind-0"), ("a1", "t1", "kind-1"), ("a2", "t2", "kind-2")]

    desk.write(result("t1", at=9, toolUseResult={"status": "completed", "agentId": "a1"}))
    desk.write(result("t0", at=10, toolUseResult="User rejected tool use"))
    assert [subagent.activity for subagent in subagents(desk)] == ["terminal", "terminal", "working"]


def test_a_report_written_late_does_not_undo_a_later_one(desk: Desk) -> None:
    desk.write(prompt(at=0), *launch(1), prompt(DONE, at=9), prompt(DONE, at=4), answer("n", at=10))
    desk.write(result("t1", at=5, toolUseResult={"status": "completed", "agentId": "a1"}))
    desk.write(inside(prompt("Find python files", at=8)), path=desk.agent("a1"))
    assert doing(desk) == [("a1", "terminal", None)]


def test_calls_for_subagents_are_forgotten_once_they_have_a_result() -> None:
    state = told(*launch(1), answer("n", call("t2", "Agent"), stop="tool_use", at=3))
    assert (list(state.tasks), list(state.links)) == (["t2"], ["a1"])


def test_a_meta_file_tells_the_kind_the_call_and_the_end(desk: Desk) -> None:
    desk.write(prompt(at=0), answer("m", call("t9", "Agent"), stop="tool_use", at=1))
    desk.write(inside(prompt("Find", at=1.2)), path=desk.agent("a1"))
    desk.agent("a1").with_suffix(".meta.json").write_text('{"agentType": "Exp')
    assert doing(desk) == [("a1", "working", None)]

    meta(desk, agentType="Explore", toolUseId="t9")
    (subagent,) = subagents(desk)
    desk.read(handles=[desk.hand()])
    (subagent,) = desk.board[SESSION]["subagents"]
    assert (subagent.kind, subagent.parent_tool_use_id, subagent.activity) == ("Explore", "t9", "working")

    meta(desk, agentType="Explore", toolUseId="t9", finished=True)
    desk.read(handles=[desk.hand()])
    assert desk.board[SESSION]["subagents"][0].activity == "terminal"


def test_a_process_that_is_gone_takes_its_subagents_along(desk: Desk) -> None:
    desk.write(prompt(at=0, version=NEW), *launch(1))
    desk.write(
        inside(prompt("Find", at=1.2)), inside(answer("s1", call(), stop="tool_use", at=2)), path=desk.agent("a1")
    )
    desk.record(status="busy")
    assert doing(desk) == [("a1", "working", "Bash")]
    desk.table.living.clear()
    assert doing(desk) == [("a1", "terminal", None)]


def test_subagents_in_deeper_folders_are_found_and_those_too_deep_are_not(desk: Desk) -> None:
    desk.write(prompt(at=0))
    folder = desk.agent("a1").parent
    desk.write(inside(prompt("1", at=1)), path=folder / "workflow/one/agent-a2.jsonl")
    desk.write(inside(prompt("2", at=2)), path=folder / "1/2/3/agent-a3.jsonl")
    desk.write(inside(prompt("3", at=3)), path=folder / "1/2/3/4/agent-a4.jsonl")
    (folder / "notes.jsonl").touch()
    assert [subagent.id for subagent in subagents(desk)] == ["a2", "a3"]


def test_subagents_beside_the_session_belong_to_the_one_they_name(desk: Desk) -> None:
    beside = desk.path().parent
    desk.write(prompt(at=0))
    desk.write(prompt(at=0), path=desk.path(OTHER))
    desk.write(inside(prompt("Mine", at=1, sessionId=SESSION)), path=beside / "agent-11111111.jsonl")
    desk.write(inside(prompt("Theirs", at=1, sessionId=OTHER)), path=beside / "agent-22222222.jsonl")
    desk.write(inside(prompt("Warmup", at=1, sessionId=SESSION)), path=beside / "agent-33333333.jsonl")
    (beside / "agent-44444444.jsonl").touch()
    os.utime(beside, (1, 1))
    source = desk.source()
    desk.read(source)
    assert [subagent.id for subagent in desk.board[SESSION]["subagents"]] == ["11111111"]
    assert [subagent.id for subagent in desk.board[OTHER]["subagents"]] == ["22222222"]

    desk.write(inside(prompt("Mine, too", at=2, sessionId=SESSION)), path=beside / "agent-44444444.jsonl")
    desk.read(source)
    assert [subagent.id for subagent in desk.board[SESSION]["subagents"]] == ["11111111", "44444444"]
    handles = source.touched([str(beside / "agent-22222222.jsonl")])
    assert [handle.id for handle in handles] == [OTHER]


def test_a_subagent_of_a_subagent_is_linked_by_its_parents_rows(desk: Desk) -> None:
    desk.write(prompt(at=0), *launch(1), answer("n", at=2))
    desk.write(
        inside(prompt("Find", at=1.2)),
        inside(answer("s1", call("t2", "Agent", prompt="Look", subagent_type="Plan"), stop="tool_use", at=3)),
        inside(result("t2", at=8, toolUseResult={"status": "completed", "agentId": "a2"})),
        path=desk.agent("a1"),
    )
    desk.write(inside(prompt("Look", at=4)), inside(answer("z1", stop=None, at=5)), path=desk.agent("a2"))
    desk.read()
    deeper = {subagent.id: subagent for subagent in subagents(desk)}["a2"]
    assert (deeper.parent_tool_use_id, deeper.kind, deeper.activity) == ("t2", "Plan", "terminal")


def test_a_replaced_subagent_is_counted_anew_and_its_session_is_not(desk: Desk) -> None:
    desk.write(prompt(at=0))
    path = desk.write(inside(prompt("Find", at=1)), inside(answer("s1", at=2)), path=desk.agent("a1"))
    assert subagents(desk)[0].message_count == 2
    path.write_bytes(inside(prompt("Else", at=1)))
    assert subagents(desk)[0].message_count == 1
    assert desk.board[SESSION]["message_count"] == 1
    assert not desk.board.updates[-1].restart


def test_a_subagent_whose_file_has_gone_is_remembered(desk: Desk) -> None:
    desk.write(prompt(at=0))
    path = desk.write(inside(prompt("Find", at=1)), inside(answer("s1", at=2)), path=desk.agent("a1"))
    desk.read()
    path.unlink()
    desk.write(answer(at=3))
    assert [(subagent.id, subagent.message_count) for subagent in subagents(desk)] == [("a1", 2)]


def test_a_subagent_that_vanishes_before_it_was_read_is_forgotten(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(prompt(at=0))
    path = desk.write(inside(prompt("Find", at=1)), path=desk.agent("a1"))
    opened = os.open

    def gone(name: str, *args: Any) -> int:
        if name == str(path):
            raise FileNotFoundError(2, "gone")
        return opened(name, *args)

    monkeypatch.setattr(os, "open", gone)
    assert subagents(desk) == ()


def test_bad_lines_of_a_subagent_are_counted_as_drift_of_its_session(desk: Desk) -> None:
    desk.write(prompt(at=0))
    desk.write(inside(prompt("Find", at=1)), b"{\n", line("brand-new"), path=desk.agent("a1"))
    assert desk.read()[SESSION]["unknown_records"] == 2


def test_what_a_subagents_file_notes_is_not_about_its_session(desk: Desk) -> None:
    desk.write(prompt("Mine", at=0))
    notes = note("custom-title", customTitle="Its own"), note("cost-state", modelUsage={"m[1m]": {}})
    desk.write(inside(prompt("Find", at=1, cwd="/w/else", gitBranch="other")), *notes, path=desk.agent("a1"))
    subagents(desk)
    facts = desk.board[SESSION]
    assert (facts["title"], facts["working_dir"], facts["branch"]) == ("Mine", "/w/app", "main")
    assert "/w/else" not in desk.cursors[SESSION]


def test_of_very_many_subagents_the_newest_are_kept_and_the_cursor_stays_small(desk: Desk) -> None:
    desk.write(prompt(at=0))
    rows = [inside(prompt("x" * 300, at=1, slug="s" * 40))]
    rows += [
        inside(answer(f"msg_{n:022}", call(f"toolu_{n:022}", "mcp__server__some_tool_name"), stop="tool_use", at=2 + n))
        for n in range(12)
    ]
    for number in range(AGENTS_KEPT + 30):
        path = desk.write(*rows, path=desk.agent(f"a{number:016}"))
        os.utime(path, (NOON, NOON + number))
    names = [subagent.id for subagent in subagents(desk)]
    assert names == [f"a{number:016}" for number in range(30, AGENTS_KEPT + 30)]
    assert len(desk.cursors[SESSION].encode()) < CURSOR_LIMIT
    assert {subagent.message_count for subagent in desk.board[SESSION]["subagents"]} == {13}

    updates = len(desk.board.updates)
    desk.read()
    assert len(desk.board.updates) == updates


def test_a_cursor_that_grows_too_large_sheds_what_only_finished_subagents_needed(desk: Desk) -> None:
    desk.write(prompt(at=0))
    odd = "ä" * 190
    for number in range(AGENTS_KEPT):
        rows = [inside(answer(f"{odd}{n}", call(f"{odd}{n}", odd), stop="tool_use", at=n, model=odd)) for n in range(5)]
        desk.write(inside(prompt("x", at=0)), *rows, inside(answer("last", at=9)), path=desk.agent(f"a{number:03}"))
    assert len(subagents(desk)) == AGENTS_KEPT
    assert len(desk.cursors[SESSION].encode()) < CURSOR_LIMIT
