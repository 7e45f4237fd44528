"""What the lines of a session mean: turns, tools, tokens, branches, compactions, forks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from pi_home import SESSION, Home, assistant, entry, header, message, result, usage, user

from bellboard.protocol.session import Evidence
from bellboard.sources.pi.state import NEWEST_PLACES, OPEN_LIMIT, TURN_PLACES


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".pi")


def moment(second: int) -> datetime:
    return datetime(2026, 1, 2, 3, 4 + second // 60, second % 60, tzinfo=UTC)


def state(home: Home) -> tuple[Any, ...]:
    activity, waiting_for, tool, evidence = home.shown("activity", "waiting_for", "current_tool", "evidence")
    return activity, waiting_for, tool, evidence.detail


def counts(home: Home) -> tuple[Any, ...]:
    return home.shown("message_count", "tool_call_count", "compaction_count", "unknown_records")


def tokens(home: Home) -> tuple[Any, ...]:
    return home.shown("input_tokens", "cache_read_tokens", "cache_creation_tokens", "output_tokens")


def test_a_turn_from_the_prompt_to_the_end(home: Home) -> None:
    home.write(header())
    assert state(home) == ("idle", None, None, "no turn yet")

    home.write(user("a", None, 1))
    assert state(home) == ("working", None, None, "the prompt has no answer yet")

    home.write(assistant("b", "a", 2, ("c1", "bash"), ("c2", "write")))
    assert state(home) == ("working", None, "bash", "bash has no result yet")
    assert home.shown("current_tool_started_at") == (moment(2),)

    home.write(result("c", "b", 3, "c1"))
    assert state(home) == ("working", None, "write", "write has no result yet")

    home.write(result("d", "c", 4, "c2"))
    assert state(home) == ("working", None, None, "the tools have no answer yet")
    assert home.shown("current_tool_started_at") == (None,)

    home.write(assistant("e", "d", 5))
    assert state(home) == ("waiting", "prompt", None, "the turn ended")
    assert home.shown("evidence") == (Evidence(kind="record", detail="the turn ended", since=moment(5)),)
    assert counts(home) == (3, 2, 0, 0)


@pytest.mark.parametrize(
    ("stop", "detail"),
    [
        ("stop", "the turn ended"),
        ("length", "the answer reached its longest"),
        ("aborted", "the turn was interrupted"),
        ("error", "the last call failed"),
        ("something new", "the turn ended"),
        (7, "the turn ended"),
        (None, "the turn ended"),
    ],
)
def test_ways_in_which_an_answer_ends(home: Home, stop: Any, detail: str) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, stopReason=stop))

    assert state(home) == ("waiting", "prompt", None, detail)


@pytest.mark.parametrize("stop", ["aborted", "error"])
def test_calls_of_an_answer_that_broke_off_are_counted_and_never_run(home: Home, stop: str) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, ("c1", "bash"), stop=stop))

    assert state(home)[:3] == ("waiting", "prompt", None)
    assert counts(home) == (2, 1, 0, 0)


def test_calls_run_whatever_the_provider_calls_the_stop(home: Home) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, ("c1", "bash"), stop="stop"))

    assert state(home)[:3] == ("working", None, "bash")


def test_a_session_that_was_killed_in_a_tool_keeps_the_call(home: Home) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, ("c1", "bash")))
    assert state(home)[2] == "bash"

    home.write(user("c", "b", 500))
    assert state(home) == ("working", None, None, "the prompt has no answer yet")
    assert list(home.source().pulse()) == []


def test_the_context_is_that_of_the_newest_answer_that_says_it(home: Home) -> None:
    home.write(header(), user("a", None, 1))
    assert "context_tokens" not in home.read()[SESSION]

    home.write(assistant("b", "a", 2, usage=usage(100, 7, 3000, 50)))
    assert home.shown("context_tokens") == (3150,)
    assert tokens(home) == (100, 3000, 50, 7)

    home.write(user("c", "b", 3), assistant("d", "c", 4, stop="aborted", usage=usage(0, 0)))
    assert home.shown("context_tokens") == (3150,)

    home.write(user("e", "d", 5), assistant("f", "e", 6, usage=usage(10, 1, 3200)))
    assert home.shown("context_tokens") == (3210,)
    assert tokens(home) == (110, 6200, 50, 8)


def test_after_a_compaction_the_context_is_unknown_until_the_next_answer(home: Home) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, usage=usage(5000, 7)))
    home.write(entry("compaction", "c", "b", 3, summary="s", firstKeptEntryId="a", usage=usage(4000, 300)))
    assert home.shown("context_tokens", "compaction_count") == (None, 1)
    assert tokens(home) == (9000, 0, 0, 307)
    assert state(home)[:2] == ("waiting", "prompt")

    home.write(user("d", "c", 4), assistant("e", "d", 5, usage=usage(800, 3)))
    assert home.shown("context_tokens", "compaction_count") == (800, 1)


def test_calls_beside_the_conversation_cost_tokens_and_hold_nothing(home: Home) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, usage=usage(5000, 7)))
    home.write(entry("usage", "c", "b", 3, kind="cache_warm", usage=usage(0, 1, 5000)))
    home.write(entry("branch_summary", "d", "c", 4, fromId="b", summary="s", usage=usage(60, 20)))

    assert tokens(home) == (5060, 5000, 0, 28)
    assert home.shown("context_tokens") == (5000,)
    assert counts(home) == (2, 0, 0, 0)


def test_the_model_is_the_one_that_answered(home: Home) -> None:
    home.write(header(), entry("model_change", "a", None, 0, provider="p", modelId="virtual"))
    assert home.shown("model") == ("virtual",)

    home.write(user("b", "a", 1), assistant("c", "b", 2, model="real"))
    assert home.shown("model") == ("real",)

    home.write(entry("model_change", "d", "c", 3, provider="p", modelId="other"))
    assert home.shown("model") == ("real",)


def test_the_title_is_the_name_or_else_the_first_prompt(home: Home) -> None:
    home.write(header(), user("a", None, 1, "\n  Mend the\x1b[31m roof\nand the wall"), user("b", "a", 2, "More"))
    assert home.shown("title") == ("Mend the[31m roof",)

    home.write(entry("session_info", "c", "b", 3, name="Roof"))
    assert home.shown("title") == ("Roof",)

    home.write(entry("session_info", "d", "c", 4, name=""))
    assert home.shown("title") == ("Mend the[31m roof",)


def test_a_long_prompt_is_cut_and_a_bare_text_is_a_prompt(home: Home) -> None:
    home.write(header(), message("a", None, 1, "user", content="x" * 500))

    assert home.shown("title", "message_count") == ("x" * 80, 1)


# branches


def test_going_back_takes_up_what_stood_there(home: Home) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, usage=usage(1000, 1), model="m1"))
    home.write(user("c", "b", 3), assistant("d", "c", 4, ("c1", "bash"), usage=usage(2000, 1), model="m2"))
    assert home.shown("context_tokens", "model") == (2000, "m2")

    home.write(entry("branch_summary", "e", "b", 5, fromId="d", summary="s"))
    assert home.shown("context_tokens", "model") == (1000, "m1")
    assert state(home) == ("waiting", "prompt", None, "a person went back to an earlier entry")

    home.write(user("f", "e", 6))
    assert state(home)[0] == "working"
    home.write(assistant("g", "f", 7, usage=usage(1500, 1), model="m2"))
    assert home.shown("context_tokens", "model") == (1500, "m2")
    # all branches are counted
    assert counts(home) == (6, 1, 0, 0)


def test_going_back_behind_a_compaction_undoes_it(home: Home) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, usage=usage(1000, 1)))
    home.write(entry("compaction", "c", "b", 3, summary="s", firstKeptEntryId="a"))
    assert home.shown("context_tokens") == (None,)

    home.write(entry("label", "d", "b", 4, targetId="b", label="here"))
    assert home.shown("context_tokens", "compaction_count") == (1000, 1)


def test_going_back_to_where_a_person_went_back_to(home: Home) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, usage=usage(1000, 1), model="m1"))
    home.write(user("c", "b", 3), assistant("d", "c", 4, usage=usage(2000, 1), model="m2"))
    home.write(entry("label", "e", "b", 5, targetId="b"), entry("compaction", "f", "e", 6), user("g", "f", 7))
    home.write(assistant("h", "g", 8, usage=usage(300, 1), model="m3"))
    assert home.shown("context_tokens", "model") == (300, "m3")

    home.write(user("i", "f", 9))
    assert home.shown("context_tokens", "model") == (None, "m1")
    home.write(user("j", "d", 10))
    assert home.shown("context_tokens", "model") == (2000, "m2")
    home.write(user("k", "e", 11))
    assert home.shown("context_tokens", "model") == (1000, "m1")


def test_an_entry_without_a_parent_goes_on_from_the_one_before(home: Home) -> None:
    row = user("c", "-", 3)
    del row["parentId"]
    home.write(header(), user("a", None, 1), assistant("b", "a", 2), row)

    assert home.shown("context_tokens", "message_count") == (100, 3)


def test_the_last_activity_is_the_newest_time_wherever_it_stands(home: Home) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 50), entry("label", "c", "b", 7, targetId="b"))

    assert home.shown("last_activity_at") == (moment(50),)


def test_going_back_to_the_very_beginning(home: Home) -> None:
    home.write(header(), user("a", None, 1), assistant("b", "a", 2), user("c", None, 3))

    assert home.shown("context_tokens", "message_count") == (None, 3)
    assert state(home)[0] == "working"


def test_a_branch_from_where_nothing_is_remembered_waits_for_its_answer(home: Home) -> None:
    rows: list[Any] = [header()]
    parent = None
    for turn in range(TURN_PLACES + NEWEST_PLACES + 2):
        rows += [user(f"u{turn}", parent, turn), assistant(f"a{turn}", f"u{turn}", turn, usage=usage(100 + turn))]
        parent = f"a{turn}"
    home.write(*rows)

    # from where a turn began, the place is kept longest
    home.write(user("x", "a30", 1000))
    assert home.shown("context_tokens") == (130,)

    home.write(user("y", "a0", 1001))
    assert home.shown("context_tokens", "model") == (None, "m1")
    home.write(assistant("z", "y", 1002, usage=usage(7)))
    assert home.shown("context_tokens") == (7,)


def test_more_models_than_places_can_name(home: Home) -> None:
    rows: list[Any] = [header(), user("u", None, 0)]
    parent = "u"
    for number in range(20):
        rows.append(assistant(f"a{number}", parent, number, model=f"m{number}", usage=usage(100 + number)))
        parent = f"a{number}"
    home.write(*rows, user("x", "a18", 30))

    # the model of that place was one too many: the newest one is the best guess, its context is known
    assert home.shown("model", "context_tokens") == ("m19", 118)


def test_one_answer_may_call_more_tools_than_are_remembered(home: Home) -> None:
    calls = [(f"c{number}", f"t{number}") for number in range(OPEN_LIMIT + 5)]
    home.write(header(), user("a", None, 1), assistant("b", "a", 2, *calls))
    assert home.shown("tool_call_count", "current_tool") == (OPEN_LIMIT + 5, "t0")

    parents = ["b", *(f"r{number}" for number in range(OPEN_LIMIT))]
    home.write(*(result(f"r{number}", parents[number], 3, f"c{number}") for number in range(OPEN_LIMIT)))
    assert home.shown("activity", "current_tool") == ("working", None)


# what is not the session's own


def test_the_copied_history_of_a_fork_is_left_out_and_still_held(home: Home) -> None:
    home.write(header(second=100, parentSession="/elsewhere/parent.jsonl"))
    home.write(user("a", None, 1, "First"), assistant("b", "a", 2, ("c1", "bash"), usage=usage(1000, 9)))
    home.write(result("c", "b", 3, "c1"), entry("compaction", "d", "c", 4, usage=usage(5, 5)), assistant("e", "d", 5))
    assert counts(home) == (0, 0, 0, 0)
    assert tokens(home) == (0, 0, 0, 0)
    assert home.shown("context_tokens", "title", "activity") == (100, "First", "waiting")

    home.write(user("f", "e", 101), assistant("g", "f", 102, usage=usage(1200, 4)))
    assert counts(home) == (2, 0, 0, 0)
    assert tokens(home) == (1200, 0, 0, 4)
    assert home.shown("started_at", "last_activity_at") == (moment(100), moment(102))
    assert home.updates[-1].parent_id is UNSET


def test_a_session_that_begins_anew_from_another_one_copies_nothing(home: Home) -> None:
    home.write(
        header(second=100, parentSession="/elsewhere/parent.jsonl"), user("a", None, 100), assistant("b", "a", 102)
    )

    assert counts(home) == (2, 0, 0, 0)


def test_without_a_parent_an_early_time_is_only_an_early_time(home: Home) -> None:
    home.write(header(second=100), user("a", None, 1), assistant("b", "a", 2))

    assert counts(home) == (2, 0, 0, 0)


def test_a_later_header_changes_nothing(home: Home) -> None:
    home.write(header(), user("a", None, 1), header(second=50, cwd="/other"), assistant("b", "a", 2))

    assert home.shown("working_dir", "started_at", "message_count") == ("/home/me/app", moment(0), 2)
    assert state(home)[:2] == ("waiting", "prompt")


# what else is in a file


def test_known_entries_and_roles_that_say_nothing_here(home: Home) -> None:
    home.write(
        header(), message("a", None, 1, "system", content="", sections={}), user("b", "a", 1), assistant("c", "b", 2)
    )
    kinds = ("thinking_level_change", "context_edit", "custom", "custom_message", "label", "session_info")
    roles = ("bashExecution", "custom", "branchSummary", "compactionSummary", "hookMessage", "system")
    parent = "c"
    for number, kind in enumerate((*kinds, *roles)):
        name = f"x{number}"
        home.write(message(name, parent, 3, kind) if kind in roles else entry(kind, name, parent, 3))
        parent = name

    assert counts(home) == (2, 0, 0, 0)
    assert state(home) == ("waiting", "prompt", None, "the turn ended")


def test_what_is_not_known_is_counted_as_drift(home: Home) -> None:
    home.write(header(), user("a", None, 1), entry("new_kind", "b", "a", 2), message("c", "b", 3, "new_role"))
    home.write(entry("message", "d", "c", 4), {"no": "type"}, {"type": ["list"]}, message("e", "d", 5, "x", role=None))

    assert counts(home) == (1, 0, 0, 6)


def test_files_of_version_1_have_no_tree(home: Home) -> None:
    old: list[dict[str, Any]] = [
        user("-", None, 1),
        assistant("-", None, 2, ("c1", "bash")),
        result("-", None, 3, "c1"),
        assistant("-", None, 4),
    ]
    for row in old:
        del row["id"], row["parentId"]
    first = header()
    del first["version"]
    home.write(first, *old)

    assert counts(home) == (3, 1, 0, 0)
    assert state(home)[:2] == ("waiting", "prompt")
    assert home.shown("context_tokens") == (100,)


def test_a_file_of_version_1_that_is_migrated_is_counted_once(home: Home) -> None:
    first, row = header(), user("-", None, 1)
    del first["version"], row["id"], row["parentId"]
    path = home.write(first, row)
    assert counts(home) == (1, 0, 0, 0)

    path.write_bytes(b"")  # rewritten in place, as the client does
    home.write(header(), user("a", None, 1), assistant("b", "a", 2))

    assert counts(home) == (2, 0, 0, 0)
    assert [update.restart for update in home.updates] == [False, True]
