"""What the real client wrote while it was driven by a script, and what the board shows of it.

Between them these homes hold each way in which the client takes back, repeats or rebuilds what it wrote.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gemini_home import Home, copied

from bellboard.protocol.session import Evidence

TOOLS = "5de1405a-4136-4343-b807-bde47b41f742"
TUI = "48679023-4b1f-4fd5-8014-a20f85765bf9"
FAILED = "69d050c8-dfe9-44e7-99aa-4f601a24c2ee"
LEGACY = "e7eddf8b-4e9d-47b5-a7bf-8b7dbffbe0da"
RESUMED = "a3f1045d-5d72-4120-a776-012954ebd5c7"
COMPRESSED = "59e800d7-5a8c-49c0-b325-f1aead1997a4"
REFUSED = "e4e7e5f0-826b-4685-950d-cb355c2dada4"
MIGRATED = "01a455fc-a94d-44eb-97df-53a4f6d89a1c"
PARENT = "368a32d7-ed0c-4c2c-83b8-10521c683ee8"
CHILD = "bb2df47e-09c9-49a2-8dcd-d31ba15b300b"
SHOWN = ("message_count", "tool_call_count", "compaction_count", "context_tokens", "output_tokens", "title", "activity")

# case -> session -> what is shown of it
EXPECTED: dict[str, dict[str, tuple[Any, ...]]] = {
    "tools": {TOOLS: (5, 5, 0, 5600, 91, "Read notes.txt, then write out.txt and run a shell command", "waiting")},
    "awaiting_approval": {TUI: (4, 0, 0, 4300, 15, "hello", "working")},
    "streaming": {TUI: (6, 1, 0, 4400, 19, "hello", "working")},
    # a prompt that was cancelled was said all the same
    "tui": {TUI: (8, 1, 0, 4550, 24, "hello", "waiting")},
    "api_error": {FAILED: (3, 0, 0, 3000, 2, "First works", "waiting")},
    "legacy_json": {LEGACY: (3, 2, 0, 3600, 20, "Read a.txt please", "waiting")},
    "resumed_later": {RESUMED: (6, 2, 0, 4600, 51, "What is in a.txt?", "waiting")},
    # the copy of the conversation's tail under new ids counts nothing; what was rewound was said
    "compressed_and_rewound": {COMPRESSED: (13, 3, 1, 2000, 87, "hello", "waiting")},
    # a refused tool: the whole conversation is written down again under new ids
    "refused_and_cancelled": {REFUSED: (13, 2, 0, 2100, 82, "hello", "waiting")},
    # a 0.22 document and its copy, the .jsonl that took its place, and the stubs of two resumes
    "migrated": {MIGRATED: (8, 3, 0, 4700, 59, "Read a.txt please", "waiting")},
    "subagent_running": {
        PARENT: (2, 0, 0, 7000, 25, "Delegate this", "working"),
        CHILD: (2, 0, 0, 2000, 11, "Read src/main.py and report", "working"),
    },
    "subagent_done": {
        PARENT: (3, 1, 0, 7200, 34, "Delegate this", "waiting"),
        CHILD: (3, 3, 0, 2100, 25, "Read src/main.py and report", "terminal"),
    },
}


@pytest.mark.parametrize("case", EXPECTED)
def test_a_genuine_home_is_shown_as_its_person_saw_it(case: str, tmp_path: Path) -> None:
    home = Home(copied(case, tmp_path / ".gemini"))

    sessions = home.read()

    assert {name: tuple(got.get(field) for field in SHOWN) for name, got in sessions.items()} == EXPECTED[case]
    assert [got["unknown_records"] for got in sessions.values()] == [0] * len(sessions)
    assert all(len(cursor) < 4096 for cursor in home.cursors.values())


def test_the_four_files_of_a_migrated_session_are_one(tmp_path: Path) -> None:
    home = Home(copied("migrated", tmp_path / ".gemini"))

    (handle,) = home.handles()
    got = home.read()[MIGRATED]

    assert handle.id == "01a455fc"
    assert handle.path.endswith("tmp/project-c/chats/session-2026-11-24T02-45-01a455fc.jsonl")
    assert handle.started_at == datetime(2026, 11, 24, 2, 45, tzinfo=UTC)
    assert handle.working_dir == got["working_dir"] == "/tmp/demo-gm/mig/project-c"
    assert got["started_at"] == datetime(2026, 11, 24, 2, 45, 21, 552000, UTC)
    assert got["last_activity_at"] == datetime(2026, 11, 24, 2, 47, 32, 203000, UTC)
    assert (got["input_tokens"], got["cache_read_tokens"], got["max_context_tokens"]) == (20800, 7300, 1_048_576)


def test_every_fact_of_a_subagent_that_has_ended(tmp_path: Path) -> None:
    home = Home(copied("subagent_done", tmp_path / ".gemini"))
    ended = datetime(2026, 11, 24, 2, 30, 59, 24000, UTC)

    assert home.read()[CHILD] == {
        "session_id": CHILD,
        "message_count": 3,
        "tool_call_count": 3,
        "compaction_count": 0,
        "unknown_records": 0,
        "title": "Read src/main.py and report",
        "activity": "terminal",
        "waiting_for": None,
        "evidence": Evidence(kind="record", detail="the task was handed in", since=ended),
        "model": "gemini-2.5-pro",
        "working_dir": "/tmp/demo-gm/sub3/project-c",
        "context_tokens": 2100,
        "input_tokens": 4100,
        "cache_read_tokens": 0,
        "output_tokens": 25,
        "max_context_tokens": 1_048_576,
        "max_context_from": "table",
        "current_tool": None,
        "current_tool_started_at": None,
        "started_at": datetime(2026, 11, 24, 2, 30, 54, 920000, UTC),
        "last_activity_at": ended,
        "parent_id": PARENT,
        "terminal": True,
        "end_reason": "task complete",
        "ended_at": ended,
    }


def test_a_session_is_working_as_long_as_its_subagent_has_not_come_back(tmp_path: Path) -> None:
    home = Home(copied("subagent_running", tmp_path / ".gemini"))
    began = datetime(2026, 11, 24, 2, 30, 54, 920000, UTC)

    got = home.read()[PARENT]
    assert (got["activity"], got["waiting_for"]) == ("working", None)
    assert got["evidence"] == Evidence(kind="tool", detail="a subagent has not come back yet", since=began)

    copied("subagent_done", home.root)
    got = home.read()[PARENT]
    assert (got["activity"], got["waiting_for"], got["message_count"]) == ("waiting", "prompt", 3)


def test_without_a_project_file_the_folder_is_known_only_by_its_hash(tmp_path: Path) -> None:
    home = Home(copied("legacy_json", tmp_path / ".gemini"))
    assert "working_dir" not in home.read()[LEGACY]

    (home.root / "projects.json").write_text('{"projects": {"/tmp/demo-gm/legacy/project-c": "project-c"}}')
    assert home.read()[LEGACY]["working_dir"] == "/tmp/demo-gm/legacy/project-c"
