"""What each record of the append-only format means, told as conversations."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gemini_home import SESSION, Home, at, call, context, gemini, header, info, result, set_, user

from bellboard.protocol.session import Evidence

ANSWERED = "the model has answered; a tool that it called along with that may still run"
STATE = ("activity", "waiting_for", "message_count", "tool_call_count")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".gemini")


def time(second: float) -> datetime:
    return datetime.fromisoformat(at(second)).astimezone(UTC)


def evidence(home: Home) -> Any:
    return home.sessions[SESSION]["evidence"]


def test_a_turn_from_prompt_to_answer(home: Home) -> None:
    home.write(header(), set_(messages=[context("c", 0)], lastUpdated=at(0)))
    assert home.shown(*STATE) == ("idle", None, 0, 0)
    assert evidence(home) == Evidence(kind="record", detail="no turn has begun")

    home.write(user("u", 1), set_(lastUpdated=at(1)))
    assert home.shown(*STATE) == ("working", None, 1, 0)
    assert evidence(home) == Evidence(kind="record", detail="a prompt was sent and has no answer yet", since=time(1))

    home.write(gemini("g", 2), set_(lastUpdated=at(2)))
    assert home.shown(*STATE) == ("working", None, 2, 0)
    detail = "a tool has no result yet; it may wait for approval"
    assert evidence(home) == Evidence(kind="tool", detail=detail, since=time(2))

    home.write(gemini("g", 2, calls=[call("t"), call("s", "error")]))
    assert home.shown(*STATE) == ("working", None, 2, 2)
    assert evidence(home) == Evidence(kind="record", detail="the tools have ended and the model goes on", since=time(2))
    home.write(result("r", 5))
    assert home.shown(*STATE) == ("working", None, 2, 2)
    assert evidence(home).since == time(5)

    home.write(gemini("h", 6, "Done."), set_(lastUpdated=at(6.5)))
    assert home.shown(*STATE) == ("waiting", "prompt", 3, 2)
    assert evidence(home) == Evidence(kind="record", detail=ANSWERED, since=time(6))
    assert home.shown("title", "model", "last_activity_at", "current_tool") == (
        "do it",
        "gemini-2.5-pro",
        time(6.5),
        None,
    )


def test_a_message_that_is_written_again_adds_only_what_is_new(home: Home) -> None:
    tokens = (
        "input_tokens",
        "cache_read_tokens",
        "output_tokens",
        "context_tokens",
        "tool_call_count",
        "message_count",
    )

    home.write(header(), user("u", 1), gemini("g", 2, tokens=None))
    assert home.shown(*tokens) == (None, None, None, None, 0, 2)
    home.write(gemini("g", 2, tokens={"input": 900, "output": 4, "cached": 50}))
    assert home.shown(*tokens) == (900, 50, 4, 900, 0, 2)
    home.write(gemini("g", 2, calls=[call("t")], tokens={"input": 950, "output": 6, "cached": None}))
    assert home.shown(*tokens) == (950, 0, 6, 950, 1, 2)
    home.write(gemini("g", 2, calls=[call("t"), call("s")], tokens=None), user("u", 1, "again"))
    assert home.shown(*tokens) == (950, 0, 6, 950, 2, 2)
    home.write(gemini("g", 2, calls=[call("t")], tokens=None))
    assert home.shown(*tokens) == (950, 0, 6, 950, 2, 2)
    home.write(gemini("h", 3, "x", [call("z")], tokens={"input": 1200, "output": 1, "cached": 0}))
    assert home.shown(*tokens) == (2150, 0, 7, 1200, 3, 3)


@pytest.mark.parametrize(
    "text",
    [
        "", "  \n", "/help", " ?", "<session_context>\nx", "<hook_context>x</hook_context>",
        "User has manually exited Plan Mode. x",
        "Here is the user's editor context as a JSON object. This is for your information only.",
    ],
)  # fmt: skip
def test_what_nobody_said_is_no_prompt(home: Home, text: str) -> None:
    home.write(header(), user("u", 1, text))
    assert home.shown(*STATE, "title") == ("idle", None, 0, 0, None)


def test_prompts_come_in_several_shapes(home: Home) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    home.write(
        header(),
        {"id": "a", "timestamp": at(1), "type": "user", "content": "a plain string"},
        {"id": "b", "timestamp": at(2), "type": "user", "content": {"text": "one part"}},
        {"id": "c", "timestamp": at(3), "type": "user", "content": ["two ", {"text": "parts"}, None]},
        {"id": "d", "timestamp": at(4), "type": "user", "content": [image]},
        {"id": "e", "timestamp": at(5), "type": "user", "content": None},
        {"id": "f", "timestamp": at(6), "type": "user"},
        {"id": "g", "timestamp": at(7), "type": "user", "content": 5},
    )
    assert home.shown("message_count", "unknown_records", "title") == (4, 0, "a plain string")


def test_a_command_of_the_person_s_own_shell_does_not_ask_the_model(home: Home) -> None:
    home.write(
        header(), user("u", 1), gemini("g", 2, "Done."), user("s", 3, "I ran the following shell command:\n```sh\nls")
    )
    assert home.shown(*STATE) == ("waiting", "prompt", 3, 0)


def test_the_title_is_a_line_of_the_first_prompt_until_the_client_sums_up(home: Home) -> None:
    shown = [{"text": "fix @notes"}]
    home.write(header(), user("u", 1, "\n\x1b[31m  fix\u202e @notes\x00\nmore", displayContent=shown))
    assert home.shown("title") == ("fix @notes",)
    home.write(user("v", 2, "x" * 500), set_(summary="Fixing the notes\nof old"))
    assert home.shown("title") == ("Fixing the notes",)


def test_a_long_or_wild_first_prompt_is_cut_and_cleaned(home: Home) -> None:
    home.write(header(), user("u", 1, "\n\x1b[31mred\u202e \x00" + "ä" * 500))
    (title,) = home.shown("title")
    assert title == "[31mred " + "ä" * 72


def test_a_prompt_of_nothing_to_show_is_no_title(home: Home) -> None:
    home.write(header(), user("u", 1, "\x00\x1b"), user("v", 2, "and now?"))
    assert home.shown("title", "message_count") == ("and now?", 2)


def test_a_prompt_cancelled_while_the_model_writes_was_said(home: Home) -> None:
    live = [context("c", 0), user("u", 1), gemini("g", 2, "Done.")]
    home.write(header(), set_(messages=live[:1]), *live[1:], user("v", 3), info("i", 4))
    assert home.shown(*STATE) == ("waiting", "prompt", 3, 0)
    assert evidence(home) == Evidence(kind="record", detail="the turn was cancelled", since=time(4))
    home.write(set_(messages=live, lastUpdated=at(5)))
    assert home.shown(*STATE) == ("waiting", "prompt", 3, 0)
    assert evidence(home) == Evidence(kind="record", detail="the turn was cancelled", since=time(4))
    home.write(user("w", 9), gemini("h", 10, "Yes."))
    assert home.shown(*STATE) == ("waiting", "prompt", 5, 0)


def test_other_notices_leave_the_turn_as_it_is(home: Home) -> None:
    home.write(header(), user("u", 1), info("i", 2, "Checkpoint saved."), info("w", 3, "x") | {"type": "warning"})
    assert home.shown(*STATE, "unknown_records") == ("working", None, 1, 0, 0)
    home.write(info("e", 4, "x") | {"type": "error"})
    assert home.shown(*STATE) == ("working", None, 1, 0)


def test_tools_that_were_stopped_end_the_turn(home: Home) -> None:
    home.write(header(), user("u", 1), gemini("g", 2), gemini("g", 2, calls=[call("t", "cancelled")]))
    assert home.shown(*STATE) == ("waiting", "prompt", 2, 1)
    home.write(result("r", 3, error="[Operation Cancelled] Reason: Operation cancelled by user"))
    assert home.shown(*STATE) == ("waiting", "prompt", 2, 1)

    home.write(result("q", 3, error="[Operation Cancelled] Reason: Operation cancelled"))
    assert home.shown(*STATE) == ("waiting", "prompt", 2, 1)

    # Of two tools one had ended already when the person stopped the turn.
    home.write(user("v", 4), gemini("h", 5), gemini("h", 5, calls=[call("a", "cancelled"), call("b")]))
    home.write(result("s", 6, error="[Operation Cancelled] Reason: Operation cancelled by user"))
    assert home.shown(*STATE) == ("waiting", "prompt", 4, 3)
    assert evidence(home) == Evidence(kind="record", detail="the turn was cancelled", since=time(6))

    # Refusing one of two tools does not stop the turn.
    home.write(user("w", 7), gemini("k", 8), gemini("k", 8, calls=[call("c", "cancelled"), call("d")]))
    home.write(result("x", 9, error="[Operation Cancelled] Reason: User denied execution."))
    assert home.shown(*STATE) == ("working", None, 6, 5)


def copy_of(prefix: str, second: float, *texts: str, with_context: bool = True) -> list[dict[str, Any]]:
    """A conversation as the client writes it down again: prompt and answer in turns, under new ids."""
    turns: list[dict[str, Any]] = [context(f"{prefix}c", second)] if with_context else []
    for index, text in enumerate(texts):
        parts = [{"text": text}]
        bare = {"id": f"{prefix}{index}", "timestamp": at(second), "content": parts}
        turns.append(bare | ({"type": "gemini", "thoughts": [], "tokens": None} if index % 2 else {"type": "user"}))
    return turns


@pytest.mark.parametrize("with_context", [True, False])
def test_an_old_conversation_that_is_written_down_again_counts_nothing(home: Home, with_context: bool) -> None:
    home.write(header(), set_(messages=[context("c", 0)]), user("u", 1), gemini("g", 2, "Yes."), user("v", 3))
    home.write(gemini("h", 4), gemini("h", 4, calls=[call("t", "cancelled")]), info("i", 5))
    assert home.shown(*STATE) == ("waiting", "prompt", 4, 1)
    copied = copy_of("n", 5.001, "do it", "Yes.", with_context=with_context)
    for row in copied:
        home.write(row, set_(lastUpdated=at(5.001)))
        assert home.shown(*STATE) == ("waiting", "prompt", 4, 1)
    home.write(set_(messages=copied, lastUpdated=at(5.001)))
    assert home.shown(*STATE) == ("waiting", "prompt", 4, 1)
    home.write(user("w", 30))
    assert home.shown(*STATE) == ("working", None, 5, 1)


def test_a_copy_that_is_not_ended_by_a_list_ends_with_the_model_s_next_word(home: Home) -> None:
    home.write(header(), user("u", 1), gemini("g", 2, "Yes."), *copy_of("n", 9, "do it", "Yes."))
    assert home.shown(*STATE) == ("waiting", "prompt", 2, 0)
    home.write(gemini("h", 10, "Well."), user("v", 11))
    assert home.shown(*STATE) == ("working", None, 4, 0)


def test_a_person_who_writes_after_a_cancellation_is_counted(home: Home) -> None:
    home.write(header(), user("u", 1), info("i", 2), user("v", 2.3))
    assert home.shown(*STATE) == ("working", None, 2, 0)


def test_a_compression_is_counted_once_and_its_copies_not_at_all(home: Home) -> None:
    summary = copy_of(
        "s", 5, "<state_snapshot>all</state_snapshot>", "Got it. Thanks for the additional context!", "do it", "Yes."
    )
    shown = (*STATE, "compaction_count", "context_tokens")
    home.write(header(), user("u", 1), gemini("g", 2, "Yes."))
    home.write(set_(sessionId=SESSION), set_(messages=summary, lastUpdated=at(5)), info("i", 5, ""))
    assert home.shown(*shown) == ("waiting", "prompt", 2, 0, 1, 1000)
    # A resume builds the same list again; a refused tool writes it down under new ids.
    home.write(header(9), set_(messages=[context("c", 9)]), set_(sessionId=SESSION), set_(messages=summary))
    assert home.shown(*shown) == ("waiting", "prompt", 2, 0, 1, 1000)
    texts = ("<state_snapshot>all</state_snapshot>", "Got it. Thanks for the additional context!", "do it", "Yes.")
    home.write(
        user("v", 20), gemini("h", 21, tokens={"input": 70, "output": 1}), info("j", 22), *copy_of("t", 22, *texts)
    )
    home.write(set_(messages=copy_of("t", 22, *texts)))
    assert home.shown(*shown) == ("waiting", "prompt", 4, 0, 1, 70)
    home.write(set_(messages=copy_of("z", 23, "<state_snapshot>more</state_snapshot>", *texts[1:])))
    assert home.shown(*shown) == ("waiting", "prompt", 4, 0, 2, 70)


def test_a_rewind_takes_back_nothing_that_was_said(home: Home) -> None:
    home.write(header(), user("u", 1), gemini("g", 2, "Yes.", calls=[call("t")]), user("v", 3))
    assert home.shown(*STATE) == ("working", None, 3, 1)
    home.write({"$rewindTo": "v"})
    assert home.shown(*STATE) == ("waiting", "prompt", 3, 1)
    assert evidence(home) == Evidence(kind="record", detail="the conversation was rewound", since=time(3))
    home.write({"$rewindTo": "nobody knows it"}, set_(messages=[]))
    assert home.shown(*STATE) == ("waiting", "prompt", 3, 1)
    home.write(user("w", 9))
    assert home.shown(*STATE) == ("working", None, 4, 1)


def test_a_resume_in_the_same_minute_repeats_the_header(home: Home) -> None:
    rebuilt = [user("u", 9), {"id": "g", "timestamp": at(9), "type": "gemini", "content": [{"text": "Yes."}]}]
    home.write(header(1), user("u", 2), gemini("g", 3, "Yes."))
    home.write(header(9), set_(messages=[context("c", 9)], lastUpdated=at(9)))
    # for a moment its list is empty: a session in which something was said has not to begin again
    assert home.shown(*STATE, "output_tokens") == ("waiting", "prompt", 2, 0, 10)
    home.write(set_(messages=[info("i", 9), *rebuilt[1:]], lastUpdated=at(9)))
    assert home.shown(*STATE, "output_tokens") == ("waiting", "prompt", 2, 0, 10)
    home.write(set_(sessionId=SESSION), set_(messages=[context("c", 9), *rebuilt], lastUpdated=at(9)))
    assert home.shown(*STATE, "output_tokens", "started_at") == ("waiting", "prompt", 2, 0, 10, time(1))
    assert evidence(home).detail == "the conversation was loaded again or shortened"


def test_words_that_the_client_puts_between_are_not_the_model_s(home: Home) -> None:
    filler = {"type": "gemini", "content": [{"text": "Binary content received.", "thought": True}], "tokens": None}
    home.write(header(), user("u", 1), gemini("g", 2, calls=[call("t")]), {"id": "f", "timestamp": at(3), **filler})
    assert home.shown(*STATE) == ("working", None, 2, 1)


@pytest.mark.parametrize(("model", "window"), [("gemma-4-31b-it", 256_000), ("unheard-of", 1_048_576)])
def test_the_window_is_that_of_the_client_s_table(home: Home, model: str, window: int) -> None:
    home.write(header(), user("u", 1))
    assert home.shown("max_context_tokens", "max_context_from") == (None, None)
    home.write(gemini("g", 2, "x", model=model))
    assert home.shown("model", "max_context_tokens", "max_context_from") == (model, window, "table")


def test_the_folder_is_named_by_the_session_s_context_if_by_nothing_else(home: Home) -> None:
    home.write(header(directories=["/home/me/other"]))
    assert home.shown("working_dir") == ("/home/me/other",)
    home.write(set_(messages=[context("c", 0, "/home/me/app")]))
    assert home.shown("working_dir") == ("/home/me/app",)


def test_a_header_may_bring_messages(home: Home) -> None:
    home.write(header(messages=[user("u", 1), None, gemini("g", 2, "Yes.")]))
    assert home.shown(*STATE) == ("waiting", "prompt", 2, 0)


def test_a_subagent_that_stopped_without_a_result_waits_for_nobody(home: Home) -> None:
    child = "2c2c2c2c-0000-4000-8000-000000000002"
    name = f"{SESSION}/{child}.jsonl"
    told = ("activity", "waiting_for", "title", "parent_id")
    home.write(header(session=child, kind="subagent"), user("u", 1, "look"), gemini("g", 2, "Hm."), name=name)
    assert home.shown(*told, session=child) == ("idle", None, "look", SESSION)
    # Its summary is its answer, never a title.
    home.write(gemini("h", 3, calls=[call("t", tool="complete_task")]), set_(summary="the answer"), name=name)
    assert home.shown(*told, session=child) == ("terminal", None, "look", SESSION)
    home.write(user("v", 9, "more"), name=name)
    assert home.shown(*told, "terminal", "end_reason", session=child) == ("working", None, "look", SESSION, False, None)


def test_calls_that_a_notice_came_before_are_those_of_the_model_s_last_message(home: Home) -> None:
    late: dict[str, Any] = {
        "id": "l",
        "timestamp": at(4),
        "type": "gemini",
        "content": "",
        "thoughts": [],
        "model": "gemini-2.5-pro",
    }
    home.write(header(), user("u", 1), gemini("g", 2, ""))
    assert home.shown(*STATE) == ("working", None, 2, 0)
    home.write(
        info("i", 3),
        late | {"toolCalls": [call("t", "cancelled")]},
        result("r", 4, error="Operation cancelled by user"),
    )
    assert home.shown(*STATE) == ("waiting", "prompt", 2, 1)
    home.write(user("v", 5), gemini("h", 6, "Yes."))
    assert home.shown(*STATE) == ("waiting", "prompt", 4, 1)
