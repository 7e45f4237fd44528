"""The hand-checked truths of genuine homes, and the known sums of made ones."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gemini_home import SHARED, Home

CORPUS = SHARED / "corpus"
MAKE = SHARED / "bench/make_corpus.py"
FIELDS = (
    "message_count", "tool_call_count", "compaction_count", "context_tokens", "output_tokens", "max_context_tokens",
    "model", "working_dir", "branch", "activity", "waiting_for", "parent_id", "title",
)  # fmt: skip
MAY_BE_NULL = {"max_context_tokens", "title", "branch", "working_dir", "model", "context_tokens", "parent_id"}


def cases() -> list[Any]:
    if not (CORPUS / "truth.json").exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="no corpus beside the repository"))]
    found = json.loads((CORPUS / "truth.json").read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["case"]) for case in found if case["source"] == "gemini"]


@pytest.mark.parametrize("case", cases())
def test_a_genuine_home_is_read_as_it_was(case: dict[str, Any], tmp_path: Path) -> None:
    home = Home(Path(shutil.copytree(CORPUS / case["root"], tmp_path / ".gemini")))

    sessions = home.read()

    assert set(sessions) == {want["id"] for want in case["sessions"]}
    for want in case["sessions"]:
        got = sessions[want["id"]]
        for field in set(FIELDS) & set(want):
            options = want[field] if isinstance(want[field], list) else [want[field]]
            assert got.get(field) in options or (field in MAY_BE_NULL and None in options), field
        assert got["unknown_records"] == 0
    assert sessions.keys() - {"93ec84df-d9de-4850-b02e-797d271815f3"} == {
        name for name, got in sessions.items() if got.get("parent_id") is None
    }


@pytest.mark.skipif(not MAKE.exists(), reason="no generator beside the repository")
@pytest.mark.parametrize("form", ["json", "jsonl", "both"])
def test_the_sums_of_a_made_tree_are_exact(form: str, tmp_path: Path) -> None:
    command = [sys.executable, str(MAKE), str(tmp_path), "--sessions", "6", "--seed", "7", "--lines", "60"]
    made = subprocess.run([*command, "--sources", "gemini", "--gemini-format", form], capture_output=True, check=True)
    truth = json.loads(made.stdout)["gemini"]

    sessions = Home(tmp_path / ".gemini").read().values()

    wanted = {
        "message_count": truth["user_messages"] + truth["gemini_messages"],
        "tool_call_count": truth["tool_calls"],
        "input_tokens": truth["tokens"]["input"],
        "output_tokens": truth["tokens"]["output"],
        "cache_read_tokens": truth["tokens"]["cached"],
        "unknown_records": 0,
    }
    assert len(sessions) == truth["sessions"]
    assert {name: sum(session[name] for session in sessions) for name in wanted} == wanted
