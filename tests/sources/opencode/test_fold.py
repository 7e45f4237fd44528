"""What the rows of a session mean: turns, tools, tokens, compactions, turns taken back, sessions of other sessions."""

from typing import Any

import pytest
from msgspec import UNSET
from opencode_home import OTHER, SESSION, Client, Desk, answer, asked, at, text, tokens, tool

from bellboard.protocol.session import Evidence
from bellboard.sources.opencode.facts import moment


def state(desk: Desk) -> tuple[Any, ...]:
    activity, waiting_for, running, evidence = desk.shown("activity", "waiting_for", "current_tool", "evidence")
    return activity, waiting_for, running, evidence.detail


def counts(desk: Desk) -> tuple[Any, ...]:
    return desk.shown("message_count", "tool_call_count", "compaction_count", "unknown_records")


def used(desk: Desk) -> tuple[Any, ...]:
    return desk.shown("input_tokens", "cache_read_tokens", "cache_creation_tokens", "output_tokens", "context_tokens")


def test_a_turn_from_the_prompt_to_the_end(desk: Desk, client: Client) -> None:
    client.session()
    assert state(desk) == ("idle", None, None, "no turn yet")
    assert counts(desk) == (0, 0, 0, 0)

    client.message("msg_1", asked(1))
    client.part("prt_1", "msg_1", text())
    assert state(desk) == ("working", None, None, "the prompt has no answer yet")

    client.message("msg_2", answer(2))
    assert state(desk) == ("working", None, None, "the model has not ended its answer")

    client.part("prt_2", "msg_2", tool("bash", "pending"))
    assert state(desk) == ("working", None, "bash", "bash has no result yet; it may wait for a permission")
    assert desk.shown("current_tool_started_at") == (None,)

    client.part("prt_2", "msg_2", tool("bash", "running", 3))
    assert desk.shown("current_tool", "current_tool_started_at") == ("bash", moment(at(3)))
    client.part("prt_3", "msg_2", tool("read", "running", 4))
    assert desk.shown("current_tool", "tool_call_count") == ("read", 2)

    client.part("prt_3", "msg_2", tool("read", "error", 4, 5))
    assert desk.shown("current_tool") == ("bash",)
    client.part("prt_2", "msg_2", tool("bash", "completed", 3, 6))
    assert state(desk) == ("working", None, None, "the model has not ended its answer")

    client.message("msg_2", answer(2, 7, finish="tool-calls", tokens=tokens(200, 20, 3000, 40)))
    assert state(desk) == ("working", None, None, "the tools have no answer yet")
    assert used(desk) == (200, 3000, 40, 20, 3240)

    client.message("msg_3", answer(8))
    client.message("msg_3", answer(8, 9, tokens=tokens(10, 1, 3300)))
    assert state(desk) == ("waiting", "prompt", None, "the turn ended")
    assert desk.shown("evidence") == (Evidence(kind="record", detail="the turn ended", since=moment(at(9))),)
    assert used(desk) == (210, 6300, 40, 21, 3310)
    assert counts(desk) == (3, 2, 0, 0)


@pytest.mark.parametrize(
    ("more", "waiting_for", "detail"),
    [
        ({"finish": "stop"}, "prompt", "the turn ended"),
        ({"finish": "length"}, "prompt", "the turn ended"),
        ({"finish": "something new"}, "prompt", "the turn ended"),
        ({"finish": None}, "prompt", "the turn ended"),
        ({"finish": "tool-calls"}, None, "the tools have no answer yet"),
        ({"finish": "unknown"}, None, "the tools have no answer yet"),
        ({"finish": None, "error": {"name": "APIError", "data": {"message": "m"}}}, "prompt", "the last call failed"),
        ({"finish": None, "error": "odd"}, "prompt", "the last call failed"),
        ({"finish": None, "error": {"name": "MessageAbortedError"}}, "prompt", "the turn was interrupted"),
    ],
)
def test_ways_in_which_an_answer_ends(
    desk: Desk, client: Client, more: dict[str, Any], waiting_for: str | None, detail: str
) -> None:
    client.session()
    client.message("msg_1", asked(1))
    client.message("msg_2", answer(2, 3, **more))

    assert state(desk) == ("waiting" if waiting_for else "working", waiting_for, None, detail)


def test_an_answer_that_failed_may_have_no_end(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(2, error={"name": "APIError"}))
    client.part("prt_1", "msg_1", tool("bash", "running", 3))

    assert state(desk) == ("waiting", "prompt", None, "the last call failed")


@pytest.mark.parametrize(("name", "waits"), [("question", "question"), ("plan_exit", "plan"), ("plan_enter", "plan")])
def test_a_tool_that_asks_a_person_waits(desk: Desk, client: Client, name: str, waits: str) -> None:
    client.session()
    client.message("msg_1", answer(1))
    client.part("prt_1", "msg_1", tool(name, "pending"))
    assert state(desk) == ("working", None, name, f"{name} has no result yet; it may wait for a permission")

    client.part("prt_1", "msg_1", tool(name, "running", 2))
    assert state(desk) == ("waiting", waits, name, f"{name} waits for an answer")
    assert desk.shown("evidence")[0].since == moment(at(2))

    client.part("prt_1", "msg_1", tool(name, "completed", 2, 3))
    assert state(desk)[:3] == ("working", None, None)


def test_a_session_that_was_killed_in_a_tool_keeps_it_until_it_is_taken_up_again(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", asked(1))
    client.message("msg_2", answer(2))
    client.part("prt_1", "msg_2", tool("bash", "running", 3))
    assert state(desk)[:3] == ("working", None, "bash")
    assert list(desk.source().pulse()) == []

    client.message("msg_3", asked(100))
    client.message("msg_4", answer(101))
    assert state(desk) == ("working", None, None, "the model has not ended its answer")
    client.message("msg_4", answer(101, 102))
    assert state(desk)[:3] == ("waiting", "prompt", None)


def test_a_prompt_that_waits_in_line_does_not_hide_the_tool(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1))
    client.part("prt_1", "msg_1", tool("bash", "running", 2))
    client.message("msg_2", asked(3))

    assert state(desk)[:3] == ("working", None, "bash")


def test_a_failed_call_leaves_the_context_as_it_was(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_00", answer(0, 1, tokens=tokens(500, 5)))
    for number in range(1, 9):
        client.message(f"msg_{number:02d}", answer(number, number + 0.5, error={"name": "APIError"}, tokens=tokens()))

    assert used(desk)[-1] == 500
    assert desk.sessions == Desk(desk.root).read()


def test_before_any_answer_the_context_is_not_known_and_the_model_is_the_one_asked_for(
    desk: Desk, client: Client
) -> None:
    client.session()
    client.message("msg_1", asked(1))
    client.message("msg_2", answer(2, modelID=None))

    assert desk.shown("model") == ("m0",)
    assert desk.updates[-1].context_tokens is UNSET


def test_the_model_is_the_one_that_answered_last(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1, 2, modelID="first"))
    client.message("msg_2", asked(3))
    assert desk.shown("model") == ("first",)

    client.message("msg_3", answer(4, modelID="second"))
    assert desk.shown("model") == ("second",)
    for number in range(4, 9):
        client.message(f"msg_{number}", asked(number + 5))
    assert desk.shown("model") == ("second",)


# compactions


def test_a_compaction_is_counted_when_it_has_ended(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1, 2, tokens=tokens(9000, 5)))
    client.set(time_compacting=at(3))
    assert state(desk) == ("working", None, None, "the conversation is being compacted")

    client.message("msg_2", asked(4))
    client.part("prt_2", "msg_2", {"type": "compaction", "auto": True})
    client.message("msg_3", answer(5, summary=True, mode="compaction"))
    assert desk.shown("compaction_count", "context_tokens") == (0, 9000)

    client.message("msg_3", answer(5, 6, summary=True, mode="compaction", tokens=tokens(9100, 300)))
    client.set(time_compacting=None)
    assert desk.shown("compaction_count", "context_tokens", "output_tokens") == (1, None, 305)
    assert state(desk)[:2] == ("waiting", "prompt")

    client.message("msg_4", answer(7, 8, tokens=tokens(800, 1)))
    assert desk.shown("compaction_count", "context_tokens", "unknown_records") == (1, 800, 0)


@pytest.mark.parametrize("summary", [False, None, {"diffs": []}, "true", 1])
def test_only_what_says_so_is_a_compaction(desk: Desk, client: Client, summary: Any) -> None:
    client.session()
    client.message("msg_1", answer(1, 2, summary=summary))

    assert counts(desk) == (1, 0, 0, 0)


def test_a_compaction_that_failed_compacted_nothing(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1, 2, summary=True, error={"name": "ContextOverflowError"}, tokens=tokens()))

    assert counts(desk) == (1, 0, 0, 0)


def test_a_mark_of_compacting_that_was_left_behind_is_old(desk: Desk, client: Client) -> None:
    client.session(time_compacting=at(3))
    client.message("msg_1", answer(1, 4))

    assert state(desk)[:2] == ("waiting", "prompt")


# what vanishes


def test_turns_that_are_taken_back_stay_counted(desk: Desk, client: Client) -> None:
    client.session()
    for number in range(1, 5):
        client.message(
            f"msg_{number}", asked(number) if number % 2 else answer(number, number, tokens=tokens(number * 100))
        )
        client.part(f"prt_{number}", f"msg_{number}", tool("bash", "completed", 1, 2))
    assert counts(desk) == (4, 4, 0, 0)
    assert used(desk)[-1] == 400

    client.set(revert='{"messageID":"msg_3"}')
    assert state(desk) == ("waiting", "prompt", None, "a person took the last turns back")

    client.remove("msg_3", "msg_4")
    client.set(revert=None)
    assert counts(desk) == (4, 4, 0, 0)
    assert state(desk)[3] == "the turn ended"
    assert used(desk)[-1] == 200

    client.message("msg_5", asked(5))
    client.message("msg_6", answer(6, 7, tokens=tokens(300, 1)))
    assert counts(desk) == (6, 4, 0, 0)
    assert used(desk)[-1] == 300
    # the tokens of what was taken back were spent
    assert desk.shown("input_tokens") == (900,)


def test_everything_may_vanish(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", asked(1))
    desk.read()
    client.remove("msg_1")

    assert state(desk) == ("idle", None, None, "no turn yet")
    assert counts(desk) == (1, 0, 0, 0)


def test_parts_that_vanish_stay_counted(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1))
    client.part("prt_1", "msg_1", tool("bash", "completed", 1, 2))
    client.part("prt_2", "msg_1", tool("bash", "completed", 1, 2))
    assert counts(desk)[1] == 2

    client.connection.execute("DELETE FROM part")
    assert counts(desk)[1] == 2
    client.part("prt_3", "msg_1", tool("bash", "completed", 1, 2))
    assert counts(desk)[1] == 2


# a prompt is written a while after the time that it bears


def test_a_prompt_that_is_written_late_is_counted(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", asked(1))
    client.message("msg_3", answer(3))
    assert counts(desk) == (2, 0, 0, 0)

    client.message("msg_2", asked(2))
    client.part("prt_1", "msg_2", {"type": "news"})
    assert counts(desk) == (3, 0, 0, 1)
    assert state(desk)[0] == "working"


# the session's own row


def test_facts_of_the_session_itself(desk: Desk, client: Client) -> None:
    client.session(title="New session - 2026-11-22T10:50:41.689Z")
    client.session(OTHER, parent_id=SESSION, title="Child session - 2026-11-22T10:50:41.689Z", second=5)
    assert desk.shown("slug", "working_dir", "client_version", "started_at", "title", "parent_id") == (
        "sunny-otter", "/home/me/app", "1.18.33", moment(at(0)), None, None,
    )  # fmt: skip
    assert desk.shown("parent_id", "started_at", "title", session=OTHER) == (SESSION, moment(at(5)), None)

    client.set(title="Mending the roof")
    assert desk.shown("title") == ("Mending the roof",)
    assert [update.branch for update in desk.updates] == [UNSET] * 3


def test_a_session_of_another_session_asks_no_person(desk: Desk, client: Client) -> None:
    client.session(parent_id=OTHER)
    client.message("msg_1", asked(1))
    assert state(desk)[:2] == ("working", None)

    client.message("msg_2", answer(2, 3))
    assert state(desk) == ("idle", None, None, "the turn ended; the session works for another one")


def test_an_archived_session_has_ended_and_may_come_back(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_1", answer(1))
    client.part("prt_1", "msg_1", tool("bash", "running", 2))
    client.set(time_archived=at(50))
    assert state(desk) == ("terminal", None, None, "archived")
    assert desk.shown("terminal", "end_reason", "ended_at") == (True, "archived", moment(at(50)))

    client.set(time_archived=None)
    assert state(desk)[:3] == ("working", None, "bash")
    assert desk.shown("terminal", "end_reason", "ended_at") == (False, None, None)


def test_the_last_activity_is_the_newest_of_all_times(desk: Desk, client: Client) -> None:
    client.session(time_updated=at(1))
    assert desk.shown("last_activity_at") == (moment(at(1)),)
    client.message("msg_1", answer(5))
    assert desk.shown("last_activity_at") == (moment(at(5)),)
    client.part("prt_1", "msg_1", tool("bash", "completed", 6, 9))
    assert desk.shown("last_activity_at") == (moment(at(9)),)
    client.message("msg_1", answer(5, 11))
    assert desk.shown("last_activity_at") == (moment(at(11)),)


# drift


def test_what_is_not_known_is_counted_as_drift_once(desk: Desk, client: Client) -> None:
    client.session()
    client.message("msg_0", {"role": "narrator", "time": {"created": at(0)}})
    client.message("msg_1", answer(1, 2))
    client.part("prt_1", "msg_1", {"type": "news"})
    client.part("prt_2", "msg_1", {"no": "type"})
    assert counts(desk) == (1, 0, 0, 2)

    for number in range(2, 8):
        client.message(f"msg_{number}", answer(number, number))
    assert counts(desk) == (7, 0, 0, 3)
    assert counts(desk) == (7, 0, 0, 3)
    assert desk.sessions == Desk(desk.root).read()


@pytest.mark.parametrize(
    "kind",
    [
        "text",
        "reasoning",
        "step-start",
        "step-finish",
        "file",
        "patch",
        "snapshot",
        "agent",
        "subtask",
        "retry",
        "compaction",
    ],
)
def test_known_parts_are_no_drift(desk: Desk, client: Client, kind: str) -> None:
    client.session()
    client.message("msg_1", answer(1, 2))
    client.part("prt_1", "msg_1", {"type": kind})

    assert counts(desk) == (1, 0, 0, 0)
