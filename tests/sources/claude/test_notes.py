"""Notes about the session: the last of each kind counts, unknown kinds are drift, and nobody's message is in them."""

import pytest
from claude_home import answer, line, note, prompt, told

from bellboard.sources.claude.rows import QUIET_TYPES
from bellboard.sources.claude.state import Labels, fresh


def test_the_last_title_of_each_kind_is_kept() -> None:
    state = told(
        note("summary", summary="Old"),
        note("summary", summary="New"),
        note("ai-title", aiTitle="Fix login"),
        note("agent-name", agentName="Counting"),
        note("custom-title", customTitle="Mine"),
    )
    assert state.labels == Labels(custom="Mine", agent="Counting", generated="Fix login", summary="New")


def test_an_empty_custom_title_clears_it_and_an_empty_generated_one_does_not() -> None:
    state = told(note("custom-title", customTitle="Mine"), note("ai-title", aiTitle="Fix login"))
    told(note("custom-title", customTitle=""), note("ai-title", aiTitle=""), state=state)
    assert state.labels == Labels(generated="Fix login")


def test_a_model_charged_only_with_the_large_window_is_remembered() -> None:
    state = told(note("cost-state", modelUsage={"a[1m]": {}, "b[1m]": {}, "b": {}, "c": {}}))
    assert state.labels.wide == ["a"]
    told(note("cost-state", modelUsage=None), state=state)
    assert state.labels.wide == []


@pytest.mark.parametrize("kind", sorted(QUIET_TYPES))
def test_a_note_that_says_nothing_of_interest_is_known(kind: str) -> None:
    assert told(note(kind, message={"role": "user", "content": "no prompt"})) == fresh()


def test_a_note_of_an_unknown_kind_is_counted_as_drift() -> None:
    state = told(note("brand-new", message={"role": "user", "content": "x"}), b'{"type":null}\n', b"{}\n")
    assert (state.unknown, state.main.messages) == (3, 0)


def test_progress_of_a_subagent_is_no_message() -> None:
    inner = {"type": "assistant", "message": {"id": "m9", "content": [{"type": "tool_use", "id": "t9"}]}}
    state = told(line("progress", data={"type": "agent_progress", "message": inner}))
    assert (state.main.messages, state.main.calls, state.main.last) == (0, 0, "2026-11-22T12:00:00.000Z")


def test_a_compaction_leaves_what_it_says_and_otherwise_nothing_known() -> None:
    facts = {"trigger": "manual", "preTokens": 52009, "postTokens": 2885}
    state = told(answer(), line("system", 5, subtype="compact_boundary", compactMetadata=facts))
    assert (state.main.compactions, state.main.context, state.main.estimated) == (1, 2885, True)
    assert state.main.phase == "over"

    told(line("system", 6, subtype="compact_boundary", compactMetadata={"trigger": "auto"}), state=state)
    assert (state.main.compactions, state.main.context, state.main.estimated) == (2, None, False)
    assert state.main.phase == "busy"

    told(line("system", 7, subtype="compact_boundary", compactMetadata="?"), answer("n", at=8), state=state)
    assert (state.main.compactions, state.main.context, state.main.estimated) == (3, 16003, False)
    told(line("system", 9, subtype="microcompact_boundary"), state=state)
    assert state.main.compactions == 3


def test_the_end_of_a_turn_is_said_by_its_duration() -> None:
    state = told(prompt(), line("system", 3, subtype="turn_duration", durationMs=3000))
    assert (state.main.phase, state.main.since) == ("over", "2026-11-22T12:00:03.000Z")


def test_rows_of_an_inline_subagent_belong_to_nobody() -> None:
    state = told(
        prompt(), prompt("Help", at=1, isSidechain=True, cwd="/w/else"), answer(at=2, isSidechain=True, cwd="/w/else")
    )
    assert (state.main.messages, state.main.output, state.main.cwd) == (1, 0, "/w/app")
    assert state.main.last == "2026-11-22T12:00:02.000Z"


def test_place_and_version_are_those_of_the_last_row_that_names_them() -> None:
    state = told(
        prompt(cwd="/w/a", gitBranch="main", version="2.1.50", slug="old-label"),
        prompt(cwd="/w/b", gitBranch="", version="2.1.51", slug="new-label"),
        note("mode", cwd="/w/c", version="9"),
        prompt(cwd=None, gitBranch=None, version=None),
    )
    assert (state.main.cwd, state.main.branch, state.main.version) == ("/w/b", "main", "2.1.51")
    assert state.main.slug == "new-label"


def test_times_that_are_none_are_not_believed() -> None:
    odd = ["garbage", "", "9999-99-99", 1795343640000, None, "x" * 5000]
    state = told(*(prompt(timestamp=stamp) for stamp in odd))
    assert (state.main.first, state.main.last, state.main.messages) == ("", "", 6)
    told(note("queue-operation", timestamp="2026-11-22T11:59:59.000Z"), prompt(at=1), state=state)
    assert (state.main.first, state.main.last) == ("2026-11-22T11:59:59.000Z", "2026-11-22T12:00:01.000Z")


def test_the_model_may_end_a_session() -> None:
    assert told(answer(), note("ended-by-model")).main.phase == "ended"
    assert told(answer(), note("ended-by-model"), prompt(at=9)).main.phase == "busy"
