"""The hook program as agents run it: silent, successful, and telling no more than who waits."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bellboard.sources.spool import Spool
from bellboard.supervisor.hooks import program


def run(folder: Path, given: bytes, agent: str = "claude") -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-I", "-S", program.__file__, agent, str(folder)]
    return subprocess.run(words, input=given, capture_output=True, timeout=20, check=False)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"hook_event_name": "PermissionRequest", "tool_input": {"command": "SECRET"}}, "permission"),
        ({"hook_event_name": "PermissionRequest", "tool_name": "Bash"}, "permission"),
        ({"hook_event_name": "PermissionRequest", "tool_name": "AskUserQuestion"}, "question"),
        ({"hook_event_name": "PermissionRequest", "tool_name": "ExitPlanMode"}, "plan"),
        ({"hook_event_name": "Notification", "notification_type": "ToolPermission", "message": "SECRET"}, "permission"),
        ({"hook_event_name": "Notification", "notification_type": "idle_prompt"}, "prompt"),
        ({"hook_event_name": "UserPromptSubmit", "prompt": "SECRET"}, "working"),
        ({"hook_event_name": "Stop", "last_assistant_message": "SECRET"}, "prompt"),
        ({"hook_event_name": "SessionEnd", "reason": "other"}, "end"),
    ],
)
def test_an_event_becomes_one_line_without_what_was_said(tmp_path: Path, event: dict[str, object], kind: str) -> None:
    done = run(tmp_path / "spool", json.dumps({"session_id": "abc", **event}).encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    text = (tmp_path / "spool" / "claude.jsonl").read_text()
    row = json.loads(text)
    assert (row["agent"], row["session"], row["kind"], set(row)) == (
        "claude",
        "abc",
        kind,
        {"agent", "session", "kind", "at"},
    )
    assert "SECRET" not in text
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    spool = Spool("claude", str(tmp_path / "spool"))
    assert spool.refresh() == {"abc"}


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"not json",
        b"[]",
        b'{"hook_event_name":"Stop"}',
        b'{"session_id":"a","hook_event_name":"PreToolUse"}',
        b"\xff" * 99,
    ],
)
def test_what_means_nothing_leaves_nothing_and_disturbs_nobody(tmp_path: Path, given: bytes) -> None:
    done = run(tmp_path / "spool", given)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not (tmp_path / "spool" / "claude.jsonl").exists()


def test_a_spool_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    done = run(tmp_path / "spool", b'{"session_id":"a","hook_event_name":"Stop"}')
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_spool_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "claude.jsonl"
    path.write_bytes(b"x" * (program.MOST_SPOOL + 1))
    run(tmp_path, b'{"session_id":"a","hook_event_name":"Stop"}')
    assert path.stat().st_size < 200
    assert (tmp_path / "claude.jsonl.old").exists()
