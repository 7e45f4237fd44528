"""The hand-checked truths of genuine homes, and the contract's own test kit."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pi_home import CORPUS, SESSION, Home, assistant, header, lines, name_of, result, user

from bellboard.sources.conformance import Conformance, Step
from bellboard.sources.contract import Source
from bellboard.sources.pi import PiSource

FIELDS = (
    "message_count", "tool_call_count", "compaction_count", "context_tokens", "output_tokens", "max_context_tokens",
    "model", "working_dir", "branch", "activity", "waiting_for", "parent_id",
)  # fmt: skip
MAY_BE_NULL = {"max_context_tokens", "branch", "working_dir", "model", "context_tokens", "parent_id", "waiting_for"}


def cases() -> list[Any]:
    if not (CORPUS / "truth.json").exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="no corpus beside the repository"))]
    found = json.loads((CORPUS / "truth.json").read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["case"]) for case in found if case["source"] == "pi"]


@pytest.mark.parametrize("case", cases())
def test_a_genuine_home_is_read_as_it_was(case: dict[str, Any], tmp_path: Path) -> None:
    home = Home(Path(shutil.copytree(CORPUS / case["root"], tmp_path / ".pi")))

    sessions = home.read()

    assert set(sessions) == {want["id"] for want in case["sessions"]}
    for want in case["sessions"]:
        got = sessions[want["id"]]
        for field in set(FIELDS) & set(want):
            options = want[field] if isinstance(want[field], list) else [want[field]]
            assert got.get(field) in options or (field in MAY_BE_NULL and None in options), field
        assert got["unknown_records"] == 0


class TestContract(Conformance):
    """The kit's cuts, restarts, truncations and garbage, on a short life of one session."""

    steps = (
        Step(lines(header(), user("a", None, 1), assistant("b", "a", 2, ("c1", "bash"))), messages=2, tool_calls=1),
        Step(lines(result("c", "b", 3, "c1"), assistant("d", "c", 4)), messages=1),
        Step(lines(user("e", "d", 5)), messages=1),
        Step(lines(assistant("f", "e", 6, ("c2", "read"), ("c3", "edit"))), messages=1, tool_calls=2),
    )

    def source(self, home: Path) -> Source:
        return PiSource(home=str(home))

    def artifact(self, home: Path) -> Path:
        return home / "agent/sessions/--w--" / name_of(SESSION)
