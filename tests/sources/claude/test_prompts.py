"""Of the rows of type user only those that a person typed are messages."""

from typing import Any

import pytest
from claude_home import answer, call, line, prompt, result, told


@pytest.mark.parametrize(
    "content",
    [
        "Fix the test",
        [{"type": "text", "text": "Fix the test"}],
        [{"type": "image", "source": {"data": "aGk="}}],
        [{"type": "text", "text": "<system-reminder>x</system-reminder>"}, {"type": "text", "text": "Fix"}],
        [{"type": "text", "text": "<ide_opened_file>a.py</ide_opened_file>"}, {"type": "text", "text": "Fix"}],
        [{"type": "text", "text": "Fix"}, {"type": "text", "text": "<system-reminder>x</system-reminder>"}],
        "<html> is what I want",
    ],
)
def test_what_a_person_typed_is_a_message(content: Any) -> None:
    state = told(prompt(content))
    assert (state.main.messages, state.main.phase) == (1, "busy")


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ("<command-name>/model</command-name>", {}),
        ("<command-message>init</command-message>", {}),
        ("<local-command-stdout>done</local-command-stdout>", {}),
        ("<local-command-caveat>Caveat</local-command-caveat>", {"isMeta": True}),
        ("<bash-input>ls</bash-input>", {}),
        ("<bash-stdout>a</bash-stdout>", {}),
        ("<system-reminder>x</system-reminder>", {"isMeta": True}),
        ([{"type": "text", "text": "<system-reminder>x</system-reminder>"}], {}),
        ("Caveat: these were typed by the user", {"isMeta": True}),
        ("This session is being continued", {"isCompactSummary": True}),
        ("Only for the eye", {"isVisibleInTranscriptOnly": True}),
        ("", {}),
        ([], {}),
        (None, {}),
    ],
)
def test_what_only_looks_like_a_prompt_changes_nothing(content: Any, fields: dict[str, Any]) -> None:
    state = told(prompt(), answer(at=1))
    told(prompt(content, at=2, **fields), state=state)
    assert (state.main.messages, state.main.phase) == (2, "over")


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ("Stop hook feedback: go on", {"isMeta": True}),
        ("<task-notification><task-id>a1</task-id></task-notification>", {}),
        ("Go on", {"origin": {"kind": "auto-continuation"}}),
        ("Go on", {"origin": {"kind": "plugin"}}),
        ("Go on", {"origin": {"kind": "task-notification"}}),
    ],
)
def test_what_the_client_says_by_itself_is_no_message_but_gives_the_model_its_turn(
    content: Any, fields: dict[str, Any]
) -> None:
    state = told(prompt(), answer(at=1))
    told(prompt(content, at=2, **fields), state=state)
    assert (state.main.messages, state.main.phase) == (2, "busy")


@pytest.mark.parametrize("origin", [None, {"kind": "human"}, {"kind": "remote"}, {}, "human", ["human"]])
def test_the_origin_of_a_prompt_may_be_missing_or_a_person(origin: Any) -> None:
    assert told(prompt(origin=origin)).main.messages == 1


def test_a_result_gives_the_model_its_turn_and_is_no_message() -> None:
    state = told(prompt(at=0), answer("m", call("a"), call("b"), stop="tool_use", at=1), result("a", at=2))
    assert (state.main.messages, list(state.main.open), state.main.phase) == (2, ["b"], "busy")


def test_an_interruption_ends_the_turn_and_its_calls() -> None:
    state = told(
        prompt(at=0), answer("m", call(), stop="tool_use", at=1), prompt("[Request interrupted by user]", at=2)
    )
    assert (state.main.messages, state.main.open, state.main.phase) == (2, {}, "stopped")


def test_a_prompt_ends_the_calls_that_a_killed_client_left_open() -> None:
    state = told(prompt(at=0), answer("m", call(), stop="tool_use", at=1), prompt("Go on", at=60))
    assert (state.main.open, state.main.phase) == ({}, "busy")


def test_what_the_client_adds_while_a_tool_runs_leaves_it_open() -> None:
    state = told(answer("m", call("a"), call("b", "Skill"), stop="tool_use", at=1), result("b", at=2))
    told(prompt("How to use the skill", at=3, isMeta=True), state=state)
    assert list(state.main.open) == ["a"]


def test_a_result_written_late_does_not_wake_an_interrupted_turn() -> None:
    state = told(answer("m", call(), stop="tool_use", at=1), prompt("[Request interrupted by user for tool use]", at=3))
    told(result(at=2), state=state)
    assert state.main.phase == "stopped"


def test_a_prompt_written_after_its_answer_does_not_hide_the_running_tool() -> None:
    state = told(answer("m", call(), stop="tool_use", at=1), prompt(at=0.5))
    assert (state.main.messages, list(state.main.open), state.main.phase) == (2, ["toolu_1"], "busy")


def test_a_clock_that_was_set_back_is_believed() -> None:
    state = told(answer("m", at=60), prompt(at=0))
    assert state.main.phase == "busy"


def test_the_first_prompt_is_kept_for_a_title_and_only_its_first_line() -> None:
    state = told(prompt([{"type": "image"}]), prompt("\n\n  Fix the \x1b[31mtest\nplease"), prompt("Second"))
    assert state.labels.prompt == "Fix the [31mtest"


def test_what_the_editor_adds_is_no_title() -> None:
    assert told(prompt("<ide_selection>def f(): ...</ide_selection>\nFix it")).labels.prompt == "Fix it"


MID_TURN = (
    b'{"parentUuid":"5e8b5bcc-46dc-48f8-b8b0-cd889f38ae57","isSidechain":false,"attachment":{"type":"queued_command",'
    b'"prompt":"queued while busy","commandMode":"prompt","origin":{"kind":"human"},"timestamp":"2026-11-28T00:59:46.534Z"'
    b'},"type":"attachment","uuid":"81f8b585-e657-45cd-a8c3-916206ce4c9b","timestamp":"2026-11-28T00:59:46.534Z",'
    b'"userType":"external","entrypoint":"cli","cwd":"/w/app","sessionId":"161eefec-59fa-416a-b397-7380ca0f1e63",'
    b'"version":"2.1.197","gitBranch":"main"}\n'
)
"""Genuine row of 2.1.197 (2.1.330 writes the same and more): typed while a tool ran, given to the model with its result."""


def test_a_prompt_that_reached_the_model_within_the_turn_is_a_message_though_it_is_no_row_of_a_person() -> None:
    state = told(prompt(at=0), answer("m", call(name="Bash"), stop="tool_use", at=1), MID_TURN)
    assert (state.main.messages, state.main.phase, len(state.main.open)) == (3, "busy", 1)


@pytest.mark.parametrize(
    "attachment",
    [
        {"type": "queued_command", "prompt": "<task-notification> done", "commandMode": "prompt"},
        {"type": "queued_command", "prompt": "x", "commandMode": "task-notification"},
        {"type": "queued_command", "prompt": "x", "commandMode": "prompt", "origin": {"kind": "task-notification"}},
        {"type": "file", "text": '"queued_command"'},
        "queued_command",
        None,
    ],
)
def test_what_else_was_queued_or_attached_is_no_message(attachment: object) -> None:
    assert told(line("attachment", 1, attachment=attachment)).main.messages == 0
