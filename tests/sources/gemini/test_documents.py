"""The older format: one document a session, saved anew at each change."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gemini_home import SESSION, Home, at, call, context, gemini, header, info, user

DOCUMENT = "session-2026-01-02T03-04-1f0c24aa.json"
STATE = ("activity", "waiting_for", "message_count", "tool_call_count", "output_tokens")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".gemini")


def test_a_turn_as_it_is_saved_step_by_step(home: Home) -> None:
    prompt = {"id": "u", "timestamp": at(1), "type": "user", "content": "do it"}
    home.save(prompt)
    assert home.shown(*STATE, "title") == ("working", None, 1, 0, None, "do it")
    home.save(prompt, gemini("g", 2, calls=[call("t")], tokens=None))
    assert home.shown(*STATE) == ("working", None, 2, 1, None)
    home.save(prompt, gemini("g", 2, calls=[call("t"), call("s")]))
    assert home.shown(*STATE) == ("working", None, 2, 2, 10)
    home.save(prompt, gemini("g", 2, calls=[call("t"), call("s")]), gemini("h", 5, "Done."), lastUpdated=at(6))
    assert home.shown(*STATE, "last_activity_at") == (
        "waiting",
        "prompt",
        3,
        2,
        20,
        datetime(2026, 1, 2, 3, 4, 6, 0, UTC),
    )
    assert len(home.updates) == 4


def test_a_document_that_says_the_same_again_is_no_news(home: Home) -> None:
    home.save(user("u", 1))
    home.read()
    (before,) = home.cursors.values()

    home.save(user("u", 1))
    home.read()

    assert len(home.updates) == 1
    assert home.cursors != {"1f0c24aa": before}


@pytest.mark.parametrize("cut", [0, 1, 100, 300])
def test_a_document_caught_half_written_changes_nothing_and_is_read_later(home: Home, cut: int) -> None:
    home.save(user("u", 1), gemini("g", 2, "Done."))
    before = dict(home.read()[SESSION])
    path = home.path(DOCUMENT)
    text = json.dumps({**header(), "messages": [user("u", 1), gemini("g", 2, "Done."), user("v", 3)]}, indent=2)

    path.write_text(text[:cut])
    assert home.read()[SESSION] == before
    (handle,) = home.handles()
    assert home.step(handle) is None

    path.write_text(text)
    assert home.shown(*STATE) == ("working", None, 3, 0, 10)
    assert not any(update.restart for update in home.updates)


def test_a_rewind_takes_back_nothing_that_was_said(home: Home) -> None:
    home.save(user("u", 1), gemini("g", 2, "Yes."), user("v", 3), gemini("h", 4, "No.", calls=[call("t")]))
    assert home.shown(*STATE) == ("working", None, 4, 1, 20)
    home.save(user("u", 1), gemini("g", 2, "Yes."))
    assert home.shown(*STATE) == ("waiting", "prompt", 4, 1, 20)
    home.save(user("u", 1), gemini("g", 2, "Yes."), user("w", 8), gemini("k", 9, "Well."))
    assert home.shown(*STATE) == ("waiting", "prompt", 6, 1, 30)
    home.save()
    assert home.shown(*STATE) == ("idle", None, 6, 1, 30)
    home.save(user("x", 12))
    assert home.shown(*STATE) == ("working", None, 7, 1, 30)


def test_a_rewind_further_back_than_is_remembered_counts_only_what_is_newer(home: Home) -> None:
    said = [user(f"u{n}", n) if n % 2 else gemini(f"g{n}", n, "Yes.") for n in range(1, 41)]
    home.save(*said, lastUpdated=at(41))
    assert home.shown(*STATE) == ("waiting", "prompt", 40, 0, 200)
    home.save(*said[:4], user("v", 50), lastUpdated=at(50))
    assert home.shown(*STATE) == ("working", None, 41, 0, 200)
    home.save(*said[:4], user("v", 50), gemini("h", 51, "No."), lastUpdated=at(51))
    assert home.shown(*STATE) == ("waiting", "prompt", 42, 0, 210)


def test_the_session_s_context_and_notices_are_passed_over_at_every_reading(home: Home) -> None:
    rows: list[dict[str, Any]] = [context("c", 0), user("u", 1), info("i", 2), gemini("g", 3, "Yes.")]
    for end in range(1, 5):
        home.save(*rows[:end])
        home.read()
    assert home.shown(*STATE, "working_dir") == ("waiting", "prompt", 2, 0, 10, "/home/me/app")
    home.save(*rows, context("d", 20), user("v", 20), gemini("h", 21, "Yes."))
    assert home.shown(*STATE) == ("waiting", "prompt", 4, 0, 20)


def test_a_message_that_cannot_be_understood_costs_only_itself(home: Home) -> None:
    odd: list[Any] = [{"id": 5}, {"id": "x", "type": "video"}, None, "text", {"id": "y", "type": "user", "tokens": [1]}]
    home.save(user("u", 1), *odd, gemini("g", 2, "Yes."))
    home.read()
    home.save(user("u", 1), *odd, gemini("g", 2, "Yes."), user("v", 3))
    assert home.shown(*STATE, "unknown_records") == ("working", None, 3, 0, 10, 4)


@pytest.mark.parametrize("text", ["", "[]", "5", "null", "{}", '{"messages": 5}', "not json", "\ufeff{}", "{" * 5000])
def test_a_document_that_is_none_says_nothing(home: Home, text: str) -> None:
    home.path(DOCUMENT).write_text(text)
    assert home.read() == {}


def test_marks_and_lone_surrogates_do_no_harm(home: Home) -> None:
    text = json.dumps({**header(), "messages": [user("u", 1, "a\ud800b")]})
    home.path(DOCUMENT).write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\0\0\n")
    assert home.shown(*STATE, "title") == ("working", None, 1, 0, None, "a?b")


def test_a_document_of_another_session_begins_anew(home: Home) -> None:
    other = "1f0c24aa-ffff-4000-8000-00000000000f"
    home.save(user("u", 1), gemini("g", 2, "Yes."))
    home.read()
    home.save(user("v", 3), sessionId=other)
    assert home.shown(*STATE, "restart", session=other) == ("working", None, 1, 0, None, None)
    assert home.updates[-1].restart


@pytest.mark.parametrize("seed", range(6))
def test_counts_are_exact_however_often_it_is_saved(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    home = Home(tmp_path / ".gemini")
    live: list[dict[str, Any]] = []
    second, messages, calls, output = 0.0, 0, 0, 0
    for number in range(120):
        second += chance.uniform(0.1, 20)
        match chance.randrange(12):
            case 0 if live:
                home.read()  # what nobody has read before it is rewound is never known
                del live[chance.randrange(len(live)) :]
            case 1:
                live.append(info(f"i{number}", second))
            case 2 | 3 | 4:
                live.append(user(f"u{number}", second))
                messages += 1
            case _:
                spent = chance.randrange(100)
                made = [call(f"t{number}.{n}") for n in range(chance.randrange(3))]
                tokens = {"input": 1, "output": spent, "cached": 0}
                live.append(gemini(f"g{number}", second, "x", made, tokens=None))
                if chance.random() < 0.5:
                    home.save(*live, lastUpdated=at(second))
                    home.read()
                live[-1]["tokens"] = tokens
                messages, calls, output = messages + 1, calls + len(made), output + spent
        home.save(*live, lastUpdated=at(second))
        if chance.random() < 0.6:
            home.read()
    got = home.read()[SESSION]
    assert (got["message_count"], got["tool_call_count"], got["output_tokens"]) == (messages, calls, output)
