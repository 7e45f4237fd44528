"""A simulated Claude Code session, written as 2.1.330 writes: transcript rows and the registry of live processes."""

import itertools
import json
from collections.abc import Iterator

from .acts import LATER, TASKS, Act, Ids, Row, line

TOOLS = ("Bash", "Read", "Edit", "Grep", "Write")
ASKED = frozenset(("Bash", "Write"))
MODEL = "claude-opus-5-5"


class Claude:
    """One session. With `asks` it waits for permission before commands and writes."""

    def __init__(self, seed: str, task: int, *, asks: bool) -> None:
        self._ids = Ids(seed)
        self._title, project, self._branch = TASKS[task % len(TASKS)]
        self._asks = asks
        self._session = self._ids.uuid()
        self._folder = f"/home/you/{project}"
        self._path = f".claude/projects/{self._folder.replace('/', '-')}/{self._session}.jsonl"
        self._registry = f".claude/sessions/{{pid}}{task}.json"
        self._used = 12_000

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        for turn in itertools.count():
            yield self._status("busy")
            words = self._title if turn == 0 else self._ids.random.choice(LATER)
            prompt = {"role": "user", "content": words}
            yield Act(1.0, self._path, self._row("user", message=prompt, origin={"kind": "human"}))
            for _ in range(self._ids.random.randint(2, 5)):
                yield from self._tool()
            answer = [{"type": "text", "text": "Done."}]
            yield Act(1.5, self._path, self._assistant(answer, "end_turn"))
            yield Act(0.0, self._path, self._row("system", subtype="turn_duration", durationMs=9000))
            yield self._status("idle")
            yield Act(self._ids.between(2.0, 6.0), self._path)

    def _tool(self) -> Iterator[Act]:
        call, tool = self._ids.next("toolu"), self._ids.random.choice(TOOLS)
        self._used += self._ids.random.randint(800, 6000)
        use = [{"type": "tool_use", "id": call, "name": tool, "input": {"description": "simulated"}}]
        yield Act(self._ids.between(0.5, 2.5), self._path, self._assistant(use, "tool_use"))
        if self._asks and tool in ASKED:
            yield self._status("waiting", "permission prompt")
            yield Act(self._ids.between(3.0, 6.0), self._path)
            yield self._status("busy")
        result = [{"type": "tool_result", "tool_use_id": call, "content": "ok", "is_error": False}]
        yield Act(
            self._ids.between(0.5, 3.0), self._path, self._row("user", message={"role": "user", "content": result})
        )

    def _assistant(self, content: list[Row], stop: str) -> str:
        usage = {
            "input_tokens": 4,
            "cache_creation_input_tokens": 900,
            "cache_read_input_tokens": self._used,
            "output_tokens": 180,
        }
        message = {"id": self._ids.next("msg"), "role": "assistant", "model": MODEL, "content": content}
        return self._row("assistant", message={**message, "stop_reason": stop, "usage": usage})

    def _row(self, kind: str, **more: object) -> str:
        row: Row = {
            "type": kind,
            "uuid": self._ids.uuid(),
            "parentUuid": None,
            "isSidechain": False,
            "userType": "external",
            "cwd": self._folder,
            "sessionId": self._session,
            "version": "2.1.330",
            "gitBranch": self._branch,
            "timestamp": "{now}",
        }
        return line({**row, **more})

    def _status(self, word: str, waiting: str | None = None) -> Act:
        entry: Row = {
            "pid": "PID",
            "sessionId": self._session,
            "cwd": self._folder,
            "procStart": "{born}",
            "version": "2.1.330",
            "kind": "interactive",
            "entrypoint": "cli",
            "status": word,
        }
        if waiting is not None:
            entry["waitingFor"] = waiting
        # A number in the file, but only known when the act is performed.
        return Act(0.0, self._registry, json.dumps(entry).replace('"PID"', "{pid}"), "write")
