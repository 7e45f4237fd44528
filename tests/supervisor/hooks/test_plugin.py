"""OpenCode's plugin, run as its client runs it: what it writes for which event."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bellboard.supervisor.hooks.settings import PLUGIN

NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="no node to run it with")


def written(folder: Path, *events: dict[str, Any]) -> list[tuple[str, str]]:
    """Send events to the plugin; returns the lines it wrote, as (session, kind)."""
    assert NODE is not None
    spool = folder / "spool"
    (folder / "bellboard.mjs").write_text(PLUGIN.replace("FOLDER", json.dumps(str(spool))))
    (folder / "run.mjs").write_text(
        'import { Bellboard } from "./bellboard.mjs"\nconst plugin = await Bellboard()\n'
        f"for (const event of {json.dumps(events)}) await plugin.event({{ event }})\n"
    )
    subprocess.run([NODE, str(folder / "run.mjs")], check=True, timeout=30)
    path = spool / "opencode.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    assert all(set(row) == {"agent", "session", "kind", "at"} and row["agent"] == "opencode" for row in rows)
    return [(row["session"], row["kind"]) for row in rows]


def event(kind: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "properties": properties}


def test_a_turn_with_a_permission(tmp_path: Path) -> None:
    assert written(
        tmp_path,
        event("session.updated", info={"id": "ses_a"}),
        event("permission.asked", sessionID="ses_a", permission="bash", metadata={"command": "rm -rf x"}),
        event("permission.replied", sessionID="ses_a", reply="once"),
        event("session.idle", sessionID="ses_a"),
    ) == [("ses_a", "permission"), ("ses_a", "working"), ("ses_a", "prompt")]


def test_a_session_that_works_for_another_one_waits_for_nobody_when_it_ends(tmp_path: Path) -> None:
    assert written(
        tmp_path,
        event("session.created", info={"id": "ses_child", "parentID": "ses_a"}),
        event("permission.asked", sessionID="ses_child"),
        event("session.idle", sessionID="ses_child"),
        event("session.idle", sessionID="ses_a"),
    ) == [("ses_child", "permission"), ("ses_a", "prompt")]


def test_what_is_no_event_of_ours_is_passed_over(tmp_path: Path) -> None:
    assert (
        written(tmp_path, event("message.updated", info={"id": "m"}), {"type": "session.idle"}, event("session.idle"))
        == []
    )
