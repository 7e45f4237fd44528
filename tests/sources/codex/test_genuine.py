"""What the real client wrote (long texts cut), and what the board shows of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from codex_home import Board, Desk, copied

from bellboard.protocol.session import Evidence

LOOK, RUN = "Look around, then write notes.txt.", "Run something long"
BASE = "01a202d1-efed-7783-b437-91e6c7c91d9c"
SHOWN = ("message_count", "tool_call_count", "compaction_count", "title", "context_tokens", "output_tokens", "activity")

# case -> thread -> what is shown of it
EXPECTED: dict[str, dict[str, tuple[Any, ...]]] = {
    "tools": {"01a202d1-e93e-7453-bde2-df20b0364ca9": (3, 4, 0, LOOK, 9930, 310, "waiting")},
    "interrupted": {"01a202d2-f7b5-7730-8cbc-9fdb0b4830e9": (2, 1, 0, RUN, 7045, 45, "waiting")},
    "killed_midtool": {"01a202d2-f69d-7810-8c6c-4cc2056fa6b4": (2, 1, 0, RUN, 7045, 45, "terminal")},
    "compaction": {"01a202dd-b60d-76c2-983a-c05a3d5b6fd0": (6, 1, 1, "Give me answer one", 6931, 425, "waiting")},
    "retry_error": {"01a202d1-f917-7500-8fc6-4cbaac9c98e5": (4, 0, 0, "First question", 4033, 33, "waiting")},
    "legacy_0142": {"01a202d4-19c2-7ca2-a6a3-e267859d61cb": (3, 4, 0, LOOK, 9930, 310, "waiting")},
    "legacy_098": {"01a202d4-0df0-7f52-9be3-cf99d3e1c6be": (3, 4, 0, LOOK, 9930, 310, "waiting")},
    "bare_023": {"f333a828-019a-4f7d-9fcb-cb3e11163792": (2, 3, 0, LOOK, None, None, "working")},
    "rewind": {"01a202e3-5d8c-7722-ae30-c071dc393474": (6, 1, 0, "Rewind demo", 4615, 52, "waiting")},
    # a fork by reference copies nothing and goes on counting from its parent's tokens: 145 - 120
    "resume_fork": {
        BASE: (4, 1, 0, "Question one", 5830, 120, "waiting"),
        "01a202d1-f39e-7c93-a1c2-bab685d032f3": (2, 0, 0, "Question three", 6225, 25, "waiting"),
    },
    # a legacy fork (0.142) begins with a copy of its parent, tokens included
    "legacy_fork": {
        "01a20b6f-cc45-7d11-a22c-e388e12756b2": (4, 1, 0, "Question alpha", 5830, 120, "waiting"),
        "01a20b6f-ced9-7220-b563-dd7e49b74b46": (2, 0, 0, "Question gamma", 6225, 25, "waiting"),
    },
    "subagent_fork_v1": {
        "01a202d5-ed4f-7781-b0ac-9275f3124896": (3, 2, 0, "Please delegate the counting", 10522, 102, "waiting"),
        "01a202d5-ef01-74b3-baeb-84acccef6efe": (2, 1, 0, "SUBTASK: count files", 3115, 35, "waiting"),
    },
    # a review: the records of the reviewer that are mirrored into the first file count in the second only
    "review": {
        "01a20b71-79ea-7fe0-b3d4-4753fa388f95": (1, 0, 0, None, None, None, "waiting"),
        "01a20b71-7a2f-71b0-b8af-62ed3c2ec00c": (4, 1, 0, "Look for bugs", 5007, 43, "waiting"),
    },
}


def read(case: str, tmp_path: Path) -> Board:
    return Desk(copied(case, tmp_path / "home")).read()


@pytest.mark.parametrize("case", EXPECTED)
def test_a_genuine_home_is_shown_as_its_person_saw_it(case: str, tmp_path: Path) -> None:
    board = read(case, tmp_path)

    assert {
        thread: tuple(session.get(name) for name in SHOWN) for thread, session in board.sessions.items()
    } == EXPECTED[case]
    assert [session["unknown_records"] for session in board.sessions.values()] == [0] * len(board.sessions)


def test_every_fact_of_a_whole_session(tmp_path: Path) -> None:
    session = read("tools", tmp_path)["01a202d1-e93e-7453-bde2-df20b0364ca9"]

    assert session == {
        "session_id": "01a202d1-e93e-7453-bde2-df20b0364ca9",
        "message_count": 3,
        "tool_call_count": 4,
        "compaction_count": 0,
        "unknown_records": 0,
        "title": LOOK,
        "activity": "waiting",
        "waiting_for": "prompt",
        "evidence": Evidence(
            kind="record", detail="the turn ended", since=datetime(2026, 11, 22, 10, 34, 1, 421000, tzinfo=UTC)
        ),
        "model": "gpt-5.5",
        "working_dir": "/tmp/demo/project-b",
        "branch": "main",
        "client_version": "0.169.0",
        "context_tokens": 9930,
        "max_context_tokens": 258400,
        "max_context_from": "reported",
        "input_tokens": 38100,
        "cache_read_tokens": 35900,
        "cache_creation_tokens": 0,
        "output_tokens": 310,
        "current_tool": None,
        "current_tool_started_at": None,
        "started_at": datetime(2026, 11, 22, 10, 34, 0, 923000, tzinfo=UTC),
        "last_activity_at": datetime(2026, 11, 22, 10, 34, 1, 421000, tzinfo=UTC),
        "terminal": False,
        "end_reason": None,
    }


def test_a_subagent_names_its_parent_and_its_nickname(tmp_path: Path) -> None:
    board = read("subagent_fork_v1", tmp_path)

    child = board["01a202d5-ef01-74b3-baeb-84acccef6efe"]
    assert (child["parent_id"], child["slug"]) == ("01a202d5-ed4f-7781-b0ac-9275f3124896", "Descartes")
    assert "parent_id" not in board["01a202d5-ed4f-7781-b0ac-9275f3124896"]


def test_the_folder_of_a_bare_file_is_found_in_what_was_injected(tmp_path: Path) -> None:
    session = read("bare_023", tmp_path)["f333a828-019a-4f7d-9fcb-cb3e11163792"]

    assert (session["working_dir"], session["branch"]) == ("/tmp/demo/old-0.23", "main")


def test_how_a_turn_ended_is_said(tmp_path: Path) -> None:
    cases = ("interrupted", "retry_error", "legacy_098")

    details = [next(iter(read(case, tmp_path / case).sessions.values()))["evidence"].detail for case in cases]

    assert details == ["the turn was interrupted", "the turn failed", "the last answer calls no tool"]
