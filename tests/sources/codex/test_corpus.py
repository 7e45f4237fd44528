"""Genuine homes and generated ones, compared with the truths that were checked by hand."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from codex_home import CORPUS, Desk

TRUTH = CORPUS / "truth.json"
BENCH = CORPUS / "../bench/make_corpus.py"
CASES: list[dict[str, Any]] = (
    [case for case in json.loads(TRUTH.read_text())["cases"] if case["source"] == "codex"] if TRUTH.exists() else []
)
UNKNOWABLE = {"max_context_tokens", "title", "branch", "working_dir", "model", "context_tokens", "parent_id"}
ASIDE = {"id", "pending_tools"}


def meets(name: str, want: Any, got: Any) -> bool:
    """A list holds the acceptable values; null says that the artifact does not tell."""
    options = cast("list[Any]", want) if isinstance(want, list) else [want]
    return got in options or (name in UNKNOWABLE and None in options)


@pytest.mark.skipif(not CASES, reason="no corpus beside the repository")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_genuine_home_gives_the_numbers_that_were_checked_by_hand(case: dict[str, Any], tmp_path: Path) -> None:
    root = tmp_path / "home"
    shutil.copytree(CORPUS / case["root"], root)
    if any(path.suffix == ".zst" for path in root.rglob("*")):
        pytest.importorskip("zstandard")

    board = Desk(root).read()

    wanted = {session["id"]: session for session in case["sessions"]}
    assert set(board.sessions) == set(wanted)
    differing = {
        (thread, name): (want, board[thread].get(name))
        for thread, session in wanted.items()
        for name, want in session.items()
        if name not in ASIDE and not meets(name, want, board[thread].get(name))
    }
    assert differing == {}
    for thread, session in wanted.items():
        assert board[thread]["unknown_records"] == 0
        if board[thread]["activity"] == "working" and session["pending_tools"]:
            assert board[thread]["current_tool"] in session["pending_tools"]


@pytest.mark.skipif(not BENCH.exists(), reason="no benchmark beside the repository")
def test_a_generated_home_adds_up_to_the_last_unit(tmp_path: Path) -> None:
    arguments = ["--sources", "codex", "--sessions", "12", "--seed", "5"]
    made = subprocess.run([sys.executable, str(BENCH), str(tmp_path), *arguments], capture_output=True, check=True)
    truth = json.loads(made.stdout)["codex"]

    sessions = Desk(tmp_path / ".codex").read().sessions.values()

    def total(name: str) -> int:
        return sum(session[name] for session in sessions)

    assert len(sessions) == truth["sessions"]
    assert total("message_count") == truth["user_messages"] + truth["agent_messages"]
    assert total("tool_call_count") == truth["tool_calls"]
    assert total("input_tokens") == truth["tokens"]["input_tokens"]
    assert total("cache_read_tokens") == truth["tokens"]["cached_input_tokens"]
    assert total("output_tokens") == truth["tokens"]["output_tokens"]
    assert total("unknown_records") == 0
