"""A simulated Codex session, written as 0.169.0 writes: paginated records with ordinals."""

import itertools
from collections.abc import Iterator

from .acts import TASKS, Act, Ids, Row, line


class Codex:
    """One thread that works in bursts of commands."""

    def __init__(self, seed: str, task: int) -> None:
        self._ids = Ids(seed)
        self._title, project, self._branch = TASKS[task % len(TASKS)]
        self._folder = f"/home/you/{project}"
        self._thread = self._ids.uuid()
        self._path = f".codex/sessions/2026/01/01/rollout-2026-01-01T00-00-00-{self._thread}.jsonl"
        self._ordinals = itertools.count()
        self._turn = ""
        self._spent = 0
        self._used = 9_000

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        yield Act(0.5, self._path, self._header())
        for number in itertools.count():
            self._turn = self._ids.uuid()
            yield Act(1.0, self._path, self._event("task_started", turn_id=self._turn, model_context_window=258_400))
            yield Act(
                0.0, self._path, self._record("turn_context", turn_id=self._turn, cwd=self._folder, model="gpt-5.5")
            )
            yield Act(0.0, self._path, self._item("UserMessage", self._title if number == 0 else "Continue"))
            for _ in range(self._ids.random.randint(2, 6)):
                yield from self._command()
            yield Act(1.0, self._path, self._item("AgentMessage", "Done."))
            yield Act(0.2, self._path, self._event("task_complete", turn_id=self._turn, last_agent_message="Done."))
            yield Act(self._ids.between(3.0, 8.0), self._path)

    def _command(self) -> Iterator[Act]:
        call = self._ids.next("call")
        what: Row = {"type": "function_call", "name": "exec_command", "arguments": "{}", "call_id": call}
        yield Act(self._ids.between(0.3, 1.5), self._path, self._record("response_item", **what))
        yield Act(0.0, self._path, self._tokens())
        output: Row = {"type": "function_call_output", "call_id": call, "output": "ok"}
        yield Act(self._ids.between(0.3, 2.5), self._path, self._record("response_item", **output))

    def _tokens(self) -> str:
        self._spent += 120
        self._used += self._ids.random.randint(500, 4000)
        usage = {"input_tokens": self._used, "cached_input_tokens": self._used - 500, "output_tokens": 120}
        usage["total_tokens"] = self._used + 120
        total = {**usage, "output_tokens": self._spent, "total_tokens": self._used + self._spent}
        more = {"response_id": self._ids.next("resp"), "usage": usage, "thread_token_usage": total}
        return self._record("token_usage_record", thread_id=self._thread, turn_id=self._turn, **more)

    def _header(self) -> str:
        more = {"history_mode": "paginated", "git": {"branch": self._branch}, "timestamp": "{now}", "cwd": self._folder}
        client = {"originator": "codex-tui", "cli_version": "0.169.0", "source": "cli"}
        return self._record("session_meta", id=self._thread, session_id=self._thread, **client, **more)

    def _item(self, kind: str, text: str) -> str:
        content = [{"type": "text" if kind == "UserMessage" else "Text", "text": text}]
        item = {"type": kind, "id": self._ids.next("item"), "content": content}
        return self._event("item_completed", thread_id=self._thread, turn_id=self._turn, item=item)

    def _event(self, kind: str, **more: object) -> str:
        return self._record("event_msg", type=kind, **more)

    def _record(self, record: str, **payload: object) -> str:
        return line({"timestamp": "{now}", "ordinal": next(self._ordinals), "type": record, "payload": payload})
