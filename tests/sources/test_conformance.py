"""All built-in sources, and the example of the docs, run the kit; and the kit finds broken sources."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bellboard.sources.claude import ClaudeSource
from bellboard.sources.codex import CodexSource
from bellboard.sources.conformance import Conformance, Step
from bellboard.sources.contract import Evidence, SessionHandle, Source, SourceUpdate
from bellboard.sources.gemini import GeminiSource

NOTES = Path(__file__).parents[2] / "docs" / "examples" / "notes" / "notes_source.py"


def notes() -> Callable[[Path], Source]:
    spec = importlib.util.spec_from_file_location("notes_source", NOTES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["notes_source"] = module
    spec.loader.exec_module(module)
    return module.Notes


def line(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"


class TestNotes(Conformance):
    steps = (Step(b"milk\n", messages=1), Step(b"bread\nbutter\n", messages=2))

    def source(self, home: Path) -> Source:
        return notes()(home)

    def artifact(self, home: Path) -> Path:
        return home / "shopping.txt"


SESSION = "00000000-0000-4000-8000-000000000001"


class TestClaude(Conformance):
    base: ClassVar[dict[str, Any]] = {
        "sessionId": SESSION,
        "version": "2.0.40",
        "timestamp": "2026-01-02T03:04:05.000Z",
        "cwd": "/w",
    }
    message: ClassVar[dict[str, Any]] = {
        "id": "msg_1",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "usage": {"output_tokens": 5},
    }
    use: ClassVar[dict[str, Any]] = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}
    result: ClassVar[dict[str, Any]] = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
    steps = (
        Step(line({**base, "type": "user", "uuid": "1", "message": {"role": "user", "content": "do it"}}), messages=1),
        Step(line({**base, "type": "assistant", "uuid": "2", "message": {**message, "content": [use]}}), 1, 1),
        Step(line({**base, "type": "user", "uuid": "3", "message": {"role": "user", "content": [result]}})),
        Step(line({**base, "type": "summary", "summary": "a title"})),
    )

    def source(self, home: Path) -> Source:
        return ClaudeSource(home=str(home))

    def artifact(self, home: Path) -> Path:
        return home / "projects" / "-w" / f"{SESSION}.jsonl"


class TestCodex(Conformance):
    stamp: ClassVar[dict[str, Any]] = {"timestamp": "2026-01-02T03:04:05.000Z"}
    steps = (
        Step(line({**stamp, "type": "session_meta", "payload": {"id": SESSION, "cwd": "/w", "cli_version": "0.44.0"}})),
        Step(line({**stamp, "type": "event_msg", "payload": {"type": "user_message", "message": "do it"}}), messages=1),
        Step(
            line(
                {
                    **stamp,
                    "type": "response_item",
                    "payload": {"type": "function_call", "name": "shell", "call_id": "c"},
                }
            ),
            tool_calls=1,
        ),
        Step(line({**stamp, "type": "response_item", "payload": {"type": "function_call_output", "call_id": "c"}})),
        Step(line({**stamp, "type": "event_msg", "payload": {"type": "agent_message", "message": "done"}}), messages=1),
    )

    def source(self, home: Path) -> Source:
        return CodexSource(home=str(home))

    def artifact(self, home: Path) -> Path:
        return home / "sessions" / "2026" / "01" / "02" / f"rollout-2026-01-02T03-04-05-{SESSION}.jsonl"


class TestGemini(Conformance):
    stamp: ClassVar[dict[str, Any]] = {"timestamp": "2026-01-02T03:04:05.000Z"}
    header: ClassVar[dict[str, Any]] = {
        "sessionId": SESSION,
        "projectHash": "0" * 64,
        "startTime": stamp["timestamp"],
        "kind": "main",
    }
    answer: ClassVar[dict[str, Any]] = {**stamp, "id": "m2", "type": "gemini", "content": "", "model": "gemini-2.5-pro"}
    call: ClassVar[dict[str, Any]] = {**stamp, "id": "t1", "name": "read_file", "status": "success"}
    steps = (
        Step(line({**header, "lastUpdated": stamp["timestamp"]})),
        Step(line({**stamp, "id": "m1", "type": "user", "content": [{"text": "do it"}]}), messages=1),
        Step(line(answer), messages=1),
        Step(line({**answer, "toolCalls": [call]}), tool_calls=1),
    )

    def source(self, home: Path) -> Source:
        return GeminiSource(home=str(home))

    def artifact(self, home: Path) -> Path:
        return home / "tmp" / "app" / "chats" / f"session-2026-01-02T03-04-{SESSION[:8]}.jsonl"


class Forgetful:
    """A broken source: it reads everything at each call and never notices a restart."""

    name = "forgetful"

    def __init__(self, home: Path) -> None:
        self._home = home

    def discover(self) -> list[SessionHandle]:
        return [SessionHandle(id=path.stem, path=str(path), source=self.name) for path in self._home.glob("*.txt")]

    def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
        data = Path(handle.path).read_bytes()
        if cursor == str(len(data)):
            return None, cursor
        update = SourceUpdate(
            session_id=handle.id, activity="idle", evidence=Evidence(kind="none"), message_count_delta=data.count(b"\n")
        )
        return update, str(len(data))


class Broken(Conformance):
    steps = (Step(b"one\n", messages=1), Step(b"two\n", messages=1))

    def source(self, home: Path) -> Source:
        return Forgetful(home)

    def artifact(self, home: Path) -> Path:
        return home / "a.txt"


@pytest.mark.parametrize(
    "check",
    [
        "test_each_step_adds_what_it_adds",
        "test_a_restart_between_all_steps_changes_nothing",
        "test_one_call_is_bounded",
    ],
)
def test_the_kit_finds_a_source_that_counts_everything_again(tmp_path: Path, check: str) -> None:
    with pytest.raises(AssertionError):
        getattr(Broken(), check)(tmp_path)
