"""What each record means, told as conversations."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from codex_home import LATER, OTHER, THREAD, Board, Desk, event, item, line, meta, usage

from bellboard.protocol.session import Evidence
from bellboard.sources.codex.records import EVENTS, ITEMS, RECORDS
from bellboard.sources.codex.state import OPEN_LIMIT

PARENT_TURN = "01a1ffff-0000-7000-8000-00000000000a"
OWN_TURN = "01a20000-0001-7000-8000-00000000000b"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


def told(desk: Desk, *names: str) -> tuple[Any, ...]:
    """Read on and return some facts of the one thread."""
    session = desk.read()[THREAD]
    return tuple(session.get(name) for name in names)


def at(second: int) -> datetime:
    return datetime(2026, 11, 22, 10, 0, second, tzinfo=UTC)


def test_a_legacy_turn_from_prompt_to_answer(desk: Desk) -> None:
    shown = ("activity", "waiting_for", "current_tool", "message_count", "tool_call_count")

    desk.write(meta())
    assert told(desk, *shown) == ("idle", None, None, 0, 0)
    desk.write(event("task_started", 1, turn_id="t", model_context_window=258400))
    desk.write(item("message", 1, role="user"), event("user_message", 1, message="  \nDo\x1b[31m it\nnow"))
    assert told(desk, *shown) == ("working", None, None, 1, 0)
    desk.write(item("function_call", 2, name="shell", call_id="c1"))
    assert told(desk, *shown) == ("working", None, "shell", 1, 1)
    assert desk.board[THREAD]["evidence"] == Evidence(
        kind="tool", detail="shell has no result yet; it may wait for approval", since=at(2)
    )
    assert desk.board[THREAD]["current_tool_started_at"] == at(2)
    desk.write(item("function_call_output", 3, call_id="c1"), event("agent_message", 4, message="Done."))
    assert told(desk, *shown) == ("working", None, None, 2, 1)
    desk.write(event("task_complete", 5, turn_id="t"))
    assert told(desk, *shown) == ("waiting", "prompt", None, 2, 1)
    assert desk.board[THREAD]["evidence"] == Evidence(kind="record", detail="the turn ended", since=at(5))
    assert desk.board[THREAD]["title"] == "Do[31m it"


def test_a_paginated_turn_counts_items_and_not_what_the_model_sees(desk: Desk) -> None:
    said = {"type": "UserMessage", "id": "u", "content": [{"type": "image"}, {"type": "text", "text": "Hello"}]}
    answer = {"type": "AgentMessage", "id": "m", "content": [{"type": "Text", "text": "Hi"}]}
    desk.write(
        meta(ordinal=0, history_mode="paginated"),
        event("task_started", 1, 1, turn_id="t"),
        item("message", 1, 2, role="user"),
        event("item_completed", 1, 3, thread_id=THREAD, item=said),
        event("item_completed", 2, 4, thread_id=THREAD, item=answer),
        item("message", 2, 5, role="assistant"),
        item("message", 2, 6, role="assistant"),
        event("item_completed", 2, 7, thread_id=THREAD, item={"type": "Plan", "id": "p"}),
    )

    assert told(desk, "message_count", "tool_call_count", "title") == (2, 0, "Hello")


def test_parallel_calls_end_one_by_one_by_their_items(desk: Desk) -> None:
    desk.write(meta(ordinal=0), event("task_started", 1, 1))
    desk.write(*(item("function_call", 2, 2 + n, name=f"tool{n}", call_id=f"c{n}") for n in range(3)))
    assert told(desk, "current_tool", "tool_call_count") == ("tool2", 3)
    desk.write(event("item_completed", 3, 5, thread_id=THREAD, item={"type": "CommandExecution", "id": "c2"}))
    assert told(desk, "current_tool") == ("tool1",)
    desk.write(item("function_call_output", 4, 6, call_id="c1"), item("custom_tool_call_output", 4, 7, call_id="c0"))
    assert told(desk, "current_tool", "activity") == (None, "working")


@pytest.mark.parametrize(
    ("kind", "tool"),
    [
        ("function_call", "named"),
        ("custom_tool_call", "named"),
        ("local_shell_call", "local_shell"),
        ("tool_search_call", "tool_search"),
        ("web_search_call", None),
        ("image_generation_call", None),
    ],
)
def test_every_kind_of_call_counts_and_those_of_the_server_are_over_at_once(desk: Desk, kind: str, tool: str) -> None:
    name: dict[str, Any] = {"name": "named"} if tool == "named" else {}
    desk.write(meta(), event("task_started"), item(kind, call_id="c", **name))

    assert told(desk, "tool_call_count", "current_tool") == (1, tool)


@pytest.mark.parametrize("ending", ["task_complete", "turn_complete", "turn_aborted", "task_started"])
def test_the_ends_and_the_beginning_of_a_turn_leave_no_call_open(desk: Desk, ending: str) -> None:
    desk.write(meta(), event("task_started"), item("function_call", name="shell", call_id="c"), event(ending))

    assert told(desk, "current_tool") == (None,)


def test_what_comes_late_does_not_set_a_finished_turn_to_work(desk: Desk) -> None:
    desk.write(meta(), event("task_started", 1), event("turn_aborted", 2, reason="interrupted"))
    desk.write(event("item_completed", 3, thread_id=THREAD, item={"type": "CommandExecution", "id": "c"}))
    desk.write(item("function_call_output", 4, call_id="c"), item("reasoning", 4))

    assert told(desk, "activity", "last_activity_at") == ("waiting", at(4))


def test_settings_are_no_activity_and_give_the_newest_model_and_folder(desk: Desk) -> None:
    desk.write(meta(), line("turn_context", {"model": "old", "cwd": "/w/old"}, 1), event("task_complete", 2))
    assert told(desk, "model", "working_dir") == ("old", "/w/old")
    desk.write(event("thread_settings_applied", 9, thread_settings={"model": "new", "cwd": "/w/new"}))

    assert told(desk, "model", "working_dir", "activity", "last_activity_at") == ("new", "/w/new", "waiting", at(2))


def test_where_turns_are_not_marked_prompts_and_answers_tell(desk: Desk) -> None:
    desk.write(meta(), event("user_message", 1, message="Go"))
    assert told(desk, "activity") == ("working",)
    desk.write(event("agent_message", 2, message="I look first."))
    assert told(desk, "activity") == ("waiting",)
    desk.write(item("message", 2, role="assistant", phase="commentary"))
    assert told(desk, "activity") == ("working",)
    desk.write(item("function_call", 3, name="shell", call_id="c"), event("agent_message", 3, message="And on."))
    assert told(desk, "activity", "current_tool") == ("working", "shell")
    desk.write(item("function_call_output", 4, call_id="c"), event("token_count", 4, info=None))
    assert told(desk, "activity", "current_tool") == ("working", None)
    desk.write(event("agent_message", 5, message="Done."), event("token_count", 5, info=None))
    assert told(desk, "activity", "waiting_for") == ("waiting", "prompt")
    desk.write(event("turn_aborted", 6), event("user_message", 7, message="More"))
    assert told(desk, "activity", "message_count") == ("working", 5)


def test_only_plain_user_messages_are_a_persons(desk: Desk) -> None:
    desk.write(
        meta(),
        event("user_message", message="<environment_context>", kind="environment_context"),
        event("user_message", message="Hello", kind="plain"),
    )

    assert told(desk, "message_count", "title") == (1, "Hello")


def test_the_newest_total_counts_however_often_it_is_repeated(desk: Desk) -> None:
    first = {"total_token_usage": usage(1000, 50), "last_token_usage": usage(1000, 50), "model_context_window": 60800}
    desk.write(meta(), event("token_count", info=first), event("token_count", info=first))
    shown = ("input_tokens", "output_tokens", "cache_read_tokens", "context_tokens", "max_context_tokens")
    assert told(desk, *shown) == (950, 50, 0, 1000, 60800)
    desk.write(event("token_count", info=None))
    second = {"total_token_usage": usage(3100, 90, 800), "last_token_usage": usage(2100, 40, 800)}
    desk.write(event("token_count", info=second))
    assert told(desk, *shown, "max_context_from") == (3010, 90, 800, 2100, 60800, "reported")
    assert "cache_creation_tokens" not in desk.board[THREAD]


@pytest.mark.parametrize("nothing", [None, 0])
def test_a_request_without_a_total_leaves_the_context_as_it_was(desk: Desk, nothing: int | None) -> None:
    desk.write(meta(), event("token_count", info={"last_token_usage": usage(2100, 40)}))
    desk.write(event("token_count", info={"last_token_usage": {"total_tokens": nothing}}))

    assert told(desk, "context_tokens") == (2100,)


def test_a_usage_record_is_there_before_the_tools_run(desk: Desk) -> None:
    spent = {**usage(2000, 60), "cache_write_input_tokens": 7}
    desk.write(
        meta(ordinal=0),
        line("token_usage_record", {"thread_id": THREAD, "usage": usage(1500, 40), "thread_token_usage": spent}, 1, 1),
    )

    shown = ("context_tokens", "output_tokens", "cache_creation_tokens")
    assert told(desk, *shown) == (1500, 60, 7)


def test_a_compaction_counts_once_and_its_estimate_is_the_context(desk: Desk) -> None:
    estimate = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 6144}
    desk.write(
        meta(),
        event("token_count", info={"total_token_usage": usage(9000, 60), "last_token_usage": usage(9000, 60)}),
        line("compacted", {"message": "", "replacement_history": [{"type": "message", "role": "user"}]}),
        event("context_compacted"),
        item("compaction"),
        event("token_count", info={"total_token_usage": usage(9000, 60), "last_token_usage": estimate}),
    )

    assert told(desk, "compaction_count", "context_tokens", "message_count") == (1, 6144, 0)


def test_records_of_a_reviewer_are_mirrored_and_count_for_nothing(desk: Desk) -> None:
    said = {"type": "UserMessage", "id": "u", "content": [{"type": "text", "text": "Review"}]}
    desk.write(
        meta(ordinal=0),
        event("item_completed", 1, 1, thread_id=OTHER, item=said),
        line("token_usage_record", {"thread_id": OTHER, "usage": usage(5, 1), "thread_token_usage": usage(5, 1)}, 1, 2),
        event("thread_settings_applied", 1, 3, thread_id=OTHER, thread_settings={"model": "reviewer"}),
    )

    assert told(desk, "message_count", "context_tokens", "model", "title") == (0, None, None, None)


def test_a_guardian_is_never_on_the_board(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(
        meta(source={"subagent": {"other": "guardian"}}, thread_source="guardian_review"),
        event("task_started"),
        event("user_message", message="Judge this"),
    )

    assert desk.read().sessions == {}
    # known for what it is, its file is not even opened again
    desk.write(event("task_complete"))
    monkeypatch.delattr("bellboard.sources.codex.reading.read_on")
    assert desk.read().sessions == {}
    cursor = desk.cursors[THREAD]
    desk.read()
    assert desk.cursors[THREAD] == cursor


def test_the_parent_of_an_older_subagent_stands_in_its_source(desk: Desk) -> None:
    spawn = {"subagent": {"thread_spawn": {"parent_thread_id": OTHER, "depth": 1}}}
    desk.write(meta(source=spawn, agent_nickname="Fermat"))
    assert told(desk, "parent_id", "slug") == (OTHER, "Fermat")


def test_a_reviewer_without_a_parent_belongs_to_the_root_of_its_tree(desk: Desk) -> None:
    desk.write(meta(source={"subagent": "review"}, session_id=OTHER))
    assert told(desk, "parent_id") == (OTHER,)


# copied history


def legacy_fork() -> list[bytes]:
    """A fork of 0.142: the header, the parent's header and records with the fork's times, then its own turn."""
    return [
        meta(forked_from_id=OTHER),
        meta(OTHER),
        event("task_started", turn_id=PARENT_TURN),
        line("turn_context", {"turn_id": PARENT_TURN, "model": "parent", "cwd": "/parent"}),
        event("user_message", message="Old question"),
        item("function_call", name="shell", call_id="old"),
        event("token_count", info={"total_token_usage": usage(5000, 100), "last_token_usage": usage(5000, 100)}),
        event("task_started", 5, turn_id=OWN_TURN),
        event("user_message", 5, message="New question"),
        event("token_count", 6, info={"total_token_usage": usage(11000, 130), "last_token_usage": usage(6000, 30)}),
    ]


def test_a_legacy_fork_begins_with_its_first_turn_that_is_younger_than_itself(desk: Desk) -> None:
    desk.write(*legacy_fork())

    shown = ("message_count", "tool_call_count", "title", "output_tokens", "input_tokens", "context_tokens", "model")
    assert told(desk, *shown) == (1, 0, "New question", 30, 5970, 6000, None)


def test_a_legacy_fork_that_repeats_the_inherited_total_has_spent_nothing_yet(desk: Desk) -> None:
    repeated = {"total_token_usage": usage(5000, 100), "last_token_usage": usage(5000, 100)}
    desk.write(*legacy_fork()[:8], event("token_count", 5, info=repeated))
    assert told(desk, "output_tokens") == (0,)
    desk.write(legacy_fork()[-1])
    assert told(desk, "output_tokens") == (30,)


def test_a_copying_subagent_counts_its_own_tokens_from_zero(desk: Desk) -> None:
    own = {"total_token_usage": usage(6000, 30), "last_token_usage": usage(6000, 30)}
    header = meta(source={"subagent": {"thread_spawn": {"parent_thread_id": OTHER}}})
    desk.write(header, *legacy_fork()[1:8], event("token_count", 6, info=own))

    # nothing in the header told of the copy: the second header did
    assert told(desk, "output_tokens", "message_count", "parent_id") == (30, 0, OTHER)


def test_a_first_request_that_is_the_whole_total_begins_anew_however_large_it_is(desk: Desk) -> None:
    own = {"total_token_usage": usage(9000, 200, 8000), "last_token_usage": usage(9000, 200, 8000)}
    desk.write(*legacy_fork()[:8], event("token_count", 6, info=own))

    assert told(desk, "output_tokens", "input_tokens", "cache_read_tokens") == (200, 8800, 8000)


def test_without_ids_that_tell_time_the_second_of_a_turn_is_compared(tmp_path: Path) -> None:
    thread = "f333a828-019a-4f7d-9fcb-cb3e11163792"
    desk = Desk(tmp_path / "home")
    start = int(at(0).timestamp())
    desk.write(
        meta(thread, forked_from_id=OTHER),
        meta(OTHER),
        event("task_started", started_at=start - 60),
        event("user_message", message="Old"),
        event("task_started", started_at=start),
        event("user_message", message="New"),
        thread=thread,
    )

    assert (desk.read()[thread]["message_count"], desk.board[thread]["title"]) == (1, "New")


def test_where_no_boundary_is_marked_a_fork_counts_its_copies(desk: Desk) -> None:
    desk.write(meta(forked_from_id=OTHER), meta(OTHER), event("user_message", message="Old"))
    desk.write(line("turn_context", {"model": "m"}), event("agent_message", message="Yes"))
    desk.write(event("user_message", 9, message="New"))

    assert told(desk, "message_count", "title") == (3, "Old")


def test_a_turn_that_tells_neither_id_nor_time_marks_no_boundary(desk: Desk) -> None:
    desk.write(meta(forked_from_id=OTHER), meta(OTHER), line("turn_context", {"model": "m"}))
    desk.write(event("agent_message", message="Yes"), event("user_message", 9, message="New"))

    assert told(desk, "message_count", "model") == (2, "m")


def test_a_paginated_subagent_skips_what_lies_below_its_own_first_ordinal(desk: Desk) -> None:
    said = {"type": "UserMessage", "id": "u", "content": [{"type": "text", "text": "Mine"}]}
    desk.write(
        meta(ordinal=0, forked_from_id=OTHER, subagent_history_start_ordinal=4, history_mode="paginated"),
        meta(OTHER, ordinal=1),
        event("task_started", 0, 2),
        item("function_call", 0, 3, name="spawn_agent", call_id="c"),
        event("item_completed", 1, 4, thread_id=THREAD, item=said),
    )

    assert told(desk, "message_count", "tool_call_count", "title") == (1, 0, "Mine")


def test_a_fork_by_reference_takes_its_parents_tokens_off(desk: Desk) -> None:
    base = {"thread_id": OTHER, "end_ordinal_exclusive": 29}
    total = {"usage": usage(6225, 25), "thread_token_usage": usage(22745, 145)}
    desk.write(
        meta(ordinal=29, forked_from_id=OTHER, history_base=base, history_mode="paginated"),
        event("task_started", 1, 30),
        line("token_usage_record", {"thread_id": THREAD, **total}, 2, 31),
        event("token_count", 2, 32, info={"total_token_usage": usage(22745, 145), "last_token_usage": usage(6225, 25)}),
    )

    assert told(desk, "output_tokens", "input_tokens", "context_tokens") == (25, 6200, 6225)


def test_what_a_fork_by_reference_repeats_before_its_first_turn_is_its_parents(desk: Desk) -> None:
    repeated = {"total_token_usage": usage(16520, 120), "last_token_usage": usage(5830, 30)}
    own = {"total_token_usage": usage(22745, 145), "last_token_usage": usage(6225, 25)}
    header = meta(ordinal=29, forked_from_id=OTHER, history_base={"thread_id": OTHER})
    desk.write(header, event("token_count", 1, 30, info=repeated))
    assert told(desk, "output_tokens", "input_tokens") == (0, 0)
    desk.write(event("task_started", 2, 31), event("token_count", 3, 32, info=own))
    assert told(desk, "output_tokens", "input_tokens") == (25, 6200)


def test_a_rewound_fork_still_takes_off_what_it_inherited(desk: Desk) -> None:
    def spent(total: int, output: int, request: int) -> bytes:
        record = {"usage": usage(request, 25), "thread_token_usage": usage(total, output)}
        return line("token_usage_record", {"thread_id": THREAD, **record})

    desk.write(meta(ordinal=29, forked_from_id=OTHER, history_base={"thread_id": OTHER}), event("task_started"))
    desk.write(spent(22745, 145, 6225))
    assert told(desk, "output_tokens") == (25,)
    desk.write(meta(ordinal=31, forked_from_id=OTHER, history_base={"thread_id": THREAD}), key=LATER)
    desk.write(event("task_started"), spent(29000, 170, 6255), key=LATER)
    assert told(desk, "output_tokens") == (50,)


def test_a_rewind_keeps_what_was_said_and_shows_the_newer_file(desk: Desk) -> None:
    base = {"thread_id": THREAD, "end_ordinal_exclusive": 2}
    spent = {"total_token_usage": usage(900, 90), "last_token_usage": usage(500, 20)}
    desk.write(meta(ordinal=0), event("task_started", 1), event("user_message", 1, message="First"))
    desk.write(item("function_call", 2, name="shell", call_id="c"), event("token_count", 3, info=spent))
    shown = ("message_count", "tool_call_count", "activity", "context_tokens", "output_tokens", "title")
    assert told(desk, *shown) == (1, 1, "working", 500, 90, "First")

    desk.write(meta(at=9, ordinal=2, history_base=base), key=LATER)
    assert told(desk, *shown) == (1, 1, "waiting", None, 90, "First")
    assert desk.board[THREAD]["evidence"] == Evidence(
        kind="record", detail="a person went back to an earlier turn", since=at(9)
    )
    desk.write(event("task_started", 10), event("user_message", 10, message="Other"), key=LATER)
    spent = {"total_token_usage": usage(450, 45), "last_token_usage": usage(450, 5)}
    desk.write(event("token_count", 11, info=spent), key=LATER)
    assert told(desk, *shown) == (2, 1, "working", 450, 45, "First")

    # the older file is history: what appears there counts and changes nothing else
    desk.write(event("user_message", 12, message="Late"), event("task_complete", 12))
    assert told(desk, *shown) == (3, 1, "working", 450, 45, "First")


# bounds and drift


def test_open_calls_are_remembered_up_to_a_bound_by_the_same_rule_however_they_come(tmp_path: Path) -> None:
    calls = [item("function_call", name=f"t{n}", call_id=f"c{n}") for n in range(OPEN_LIMIT + 5)]
    results = [item("function_call_output", call_id=f"c{n}") for n in range(5, OPEN_LIMIT + 5)]
    boards: list[Board] = []
    for number, step in enumerate((1, 7, 1000)):
        desk = Desk(tmp_path / str(number))
        lines = [meta(), event("task_started"), *calls, *results]
        for begin in range(0, len(lines), step):
            desk.write(*lines[begin : begin + step])
            desk.read()
        boards.append(desk.board)

    # the five oldest were forgotten, so no call is open though they never had a result
    assert [board[THREAD]["current_tool"] for board in boards] == [None, None, None]
    assert [board[THREAD]["tool_call_count"] for board in boards] == [OPEN_LIMIT + 5] * 3


def test_documented_types_are_no_drift_and_others_are(desk: Desk) -> None:
    desk.write(meta())
    desk.write(*(line(str(kind), {}) for kind in RECORDS))
    desk.write(*(item(str(kind)) for kind in ITEMS))
    desk.write(*(event(str(kind), item={"type": "Sleep"}) for kind in EVENTS))
    assert told(desk, "unknown_records") == (0,)
    desk.write(line("brand_new"), item("brand_new"), event("brand_new"), event("item_completed"))
    assert told(desk, "unknown_records") == (4,)


def test_bare_lines_are_read_as_the_first_clients_wrote_them(desk: Desk) -> None:
    def bare(*rows: str) -> None:
        desk.write(*(row.encode() + b"\n" for row in rows))

    text = '[{"type":"input_text","text":"%s"}]'
    bare(
        f'{{"id":"{THREAD}","timestamp":"2026-11-22T10:00:00.000Z","instructions":null,"git":{{"branch":"dev"}}}}',
        '{"record_type":"state"}',
        '{"type":"message","role":"user","content":%s}' % (text % "<user_instructions>be kind</user_instructions>"),
        '{"type":"message","role":"user","content":%s}' % (text % "<environment_context><cwd>/w/x</cwd>"),
        '{"type":"message","role":"user","content":%s}' % (text % "Hello"),
        '{"type":"local_shell_call","call_id":"c1"}',
        '{"type":"brand_new"}',
        "{}",
    )
    shown = ("message_count", "tool_call_count", "title", "working_dir", "branch", "activity", "current_tool")
    assert told(desk, *shown) == (1, 1, "Hello", "/w/x", "dev", "working", "local_shell")
    assert told(desk, "unknown_records", "started_at") == (2, at(0))
    bare('{"type":"function_call_output","call_id":"c1"}', '{"type":"message","role":"assistant","content":"Done"}')
    assert told(desk, *shown) == (2, 1, "Hello", "/w/x", "dev", "waiting", None)
