"""Genuine homes and generated ones, compared with the truths that were checked by hand."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from claude_home import CORPUS, Board, Desk, Table

TRUTH = CORPUS / "truth.json"
BENCH = CORPUS / "../bench/make_corpus.py"
CASES: list[dict[str, Any]] = (
    [case for case in json.loads(TRUTH.read_text())["cases"] if case["source"] == "claude"] if TRUTH.exists() else []
)
RUNS = [
    (case, alive)
    for case in CASES
    for alive in (False, True)
    if not alive or any("alive" in s for s in case["sessions"])
]
FIELDS = (
    "message_count", "tool_call_count", "compaction_count", "context_tokens", "output_tokens", "model", "working_dir",
    "branch", "activity", "waiting_for", "title",
)  # fmt: skip
UNKNOWABLE = {"title", "branch", "working_dir", "model", "context_tokens", "waiting_for"}


def meets(name: str, want: Any, got: Any) -> bool:
    """A list holds the acceptable values; null says that the artifact does not tell."""
    options = cast("list[Any]", want) if isinstance(want, list) else [want]
    return got in options or (name in UNKNOWABLE and None in options)


def home(case: dict[str, Any], root: Path, *, alive: bool) -> Desk:
    """Copy the home of a case; the processes that its register names are put into the table, or not."""
    shutil.copytree(CORPUS / case["root"], root)
    table = Table()
    if case["has_registry"]:
        (root / "sessions").mkdir(exist_ok=True)
    for path in (root / "sessions").glob("*.json"):
        row = json.loads(path.read_text())
        row.pop("pidDomain", None)
        path.write_text(json.dumps(row))
        if alive:
            table.living[row["pid"]] = row["procStart"]
    desk = Desk(root, table)
    desk.now += 2 * 86400
    return desk


def differences(want: dict[str, Any], board: Board) -> dict[str, tuple[Any, Any]]:
    got = board[want["id"]]
    found = {
        name: (want[name], got.get(name))
        for name in FIELDS
        if name in want and not meets(name, want[name], got.get(name))
    }
    if got["activity"] == "working" and want["pending_tools"] and got["current_tool"] not in want["pending_tools"]:
        found["current_tool"] = want["pending_tools"], got["current_tool"]
    mine = {sub.id: (sub.tool_call_count, sub.output_tokens, sub.model) for sub in got["subagents"]}
    wanted = {
        sub["id"]: (sub["tool_call_count"], sub["output_tokens"], sub["model"]) for sub in want.get("subagents", [])
    }
    if mine != wanted:
        found["subagents"] = wanted, mine
    return found


@pytest.mark.skipif(not CASES, reason="no corpus beside the repository")
@pytest.mark.parametrize(("case", "alive"), RUNS, ids=[f"{case['case']}{'-alive' * alive}" for case, alive in RUNS])
def test_a_genuine_home_gives_the_numbers_that_were_checked_by_hand(
    case: dict[str, Any], alive: bool, tmp_path: Path
) -> None:
    board = home(case, tmp_path / "home", alive=alive).read()

    wanted = [session for session in case["sessions"] if alive or not session.get("registry_only")]
    assert set(board.sessions) == {session["id"] for session in wanted}
    for session in wanted:
        assert differences({**session, **(session.get("alive", {}) if alive else {})}, board) == {}
        damaged = case["case"] == "claude/14-damaged/final"
        assert board[session["id"]]["unknown_records"] == 0 or damaged


@pytest.mark.skipif(not BENCH.exists(), reason="no benchmark beside the repository")
def test_a_generated_home_adds_up_to_the_last_unit(tmp_path: Path) -> None:
    arguments = ["--sources", "claude", "--sessions", "12", "--seed", "5", "--forks", "0", "--subagents", "0.5"]
    made = subprocess.run([sys.executable, str(BENCH), str(tmp_path), *arguments], capture_output=True, check=True)
    truth = json.loads(made.stdout)["claude"]
    assert truth["subagent_files"] > 0

    sessions = Desk(tmp_path / ".claude").read().sessions.values()

    def total(name: str) -> int:
        return sum(session[name] + sum(getattr(sub, name) for sub in session["subagents"]) for session in sessions)

    assert len(sessions) == truth["sessions"]
    assert total("message_count") == truth["user_prompts"] + truth["assistant_messages"]
    assert total("tool_call_count") == truth["tool_calls"]
    assert total("input_tokens") == truth["tokens"]["input"]
    assert total("cache_creation_tokens") == truth["tokens"]["cache_creation"]
    assert total("cache_read_tokens") == truth["tokens"]["cache_read"]
    assert total("output_tokens") == truth["tokens"]["output"]
    assert sum(session["unknown_records"] for session in sessions) == 0
