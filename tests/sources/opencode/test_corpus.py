"""The hand-checked truths of genuine homes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from opencode_home import CORPUS, Desk

FIELDS = (
    "message_count", "tool_call_count", "compaction_count", "context_tokens", "output_tokens", "max_context_tokens",
    "model", "working_dir", "branch", "activity", "waiting_for", "parent_id", "title",
)  # fmt: skip
MAY_BE_NULL = {"max_context_tokens", "branch", "working_dir", "model", "context_tokens", "parent_id", "waiting_for"}
RUNNING = "opencode/02-tool-running-live-wal"


def cases() -> list[Any]:
    if not (CORPUS / "truth.json").exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="no corpus beside the repository"))]
    found = json.loads((CORPUS / "truth.json").read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["case"]) for case in found if case["source"] == "opencode"]


@pytest.mark.parametrize("case", cases())
def test_a_genuine_home_is_read_as_it_was(case: dict[str, Any], tmp_path: Path) -> None:
    # the whole folder: of a living store nearly everything is in the log beside the database
    desk = Desk(Path(shutil.copytree(CORPUS / case["root"], tmp_path / "opencode")))
    files = {
        path: path.read_bytes() for path in desk.root.rglob("*") if not path.name.endswith("-shm") and path.is_file()
    }

    sessions = desk.read()

    assert set(sessions) == {want["id"] for want in case["sessions"]}
    for want in case["sessions"]:
        got = sessions[want["id"]]
        for field in set(FIELDS) & set(want):
            options = want[field] if isinstance(want[field], list) else [want[field]]
            assert got.get(field) in options or (field in MAY_BE_NULL and None in options), field
        assert got["unknown_records"] == 0
        assert got["current_tool"] == ("bash" if case["case"] == RUNNING else None)
    assert {path: path.read_bytes() for path in files} == files
