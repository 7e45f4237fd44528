"""A simulated Codex thread, written as 0.169.0 writes: paginated records with ordinals, and the lock of an open thread.

Its context is nearly full: it grows until the client compacts it, again and again.
"""

import itertools
from collections.abc import Iterator
from datetime import datetime

from .acts import Act, Ids, Row, Said, Task, line, wait
from .marks import MS, NOW, SECONDS

SOURCE = "codex"
MODEL = "gpt-5.5"
WINDOW = 258_400
FULL = 0.94
"""The share of the window at which the client compacts."""

LEFT_OVER = 31_000
"""Tokens that are held just after a compaction."""

COMMANDS = ("git diff --stat", "rg -n retry src", "pytest -q tests/unit", "sed -n 1,120p src/job.py", "ls -la")
LIMITS: Row = {"limit_id": "codex", "limit_name": None, "primary": None, "secondary": None, "plan_type": None}


class Codex:
    """One long thread."""

    source = SOURCE
    manner = "long context"

    def __init__(self, seed: str, task: Task, born: datetime) -> None:
        self._ids = Ids(seed, born)
        self._task = task
        self._thread = self._ids.uuid7()
        stamp = f"{born:%Y-%m-%dT%H-%M-%S}"
        self._path = f".codex/sessions/{born:%Y/%m/%d}/rollout-{stamp}-{self._thread}.jsonl"
        self._ordinals = itertools.count()
        self._turn = ""
        self._used = round(WINDOW * 0.78)
        self._total = {"input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0, "total_tokens": 0}

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        yield Act(path=f".codex/thread-writer-locks/{self._thread}.lock", how="lock")
        yield self._act(0.3, self._header())
        for number in itertools.count():
            yield from self._begin(self._task.words(number))
            for _ in range(self._ids.number(3, 6)):
                if self._used > WINDOW * FULL:
                    yield from self._compact()
                yield from self._step()
            yield self._act(1.0, self._message("Done.", "final_answer") + self._tokens() + self._count(), messages=1)
            yield self._act(0.1, self._event("task_complete", turn_id=self._turn, last_agent_message="Done."))
            yield wait(self._ids.between(2.0, 5.0))

    def _begin(self, words: str) -> Iterator[Act]:
        self._turn = self._ids.uuid7()
        started = self._event("task_started", turn_id=self._turn, started_at=SECONDS, model_context_window=WINDOW)
        where: Row = {"cwd": self._task.folder, "approval_policy": "on-request", "model": MODEL}
        context = self._record("turn_context", turn_id=self._turn, **where)
        yield self._act(0.8, started + context)
        content = [{"type": "input_text", "text": words}]
        item = self._record("response_item", type="message", role="user", content=content)
        shown: Row = {"type": "text", "text": words, "text_elements": []}
        said = self._item("UserMessage", content=[shown])
        yield self._act(0.05, item + said, messages=1)

    def _step(self) -> Iterator[Act]:
        """One answer of the model, with commentary now and then, and one or two commands."""
        calls = [f"call_{self._ids.hex(12)}" for _ in range(self._ids.number(1, 2))]
        talks = self._ids.number(0, 1)
        rows = self._message("I look at it first.", "commentary") if talks else ""
        for call in calls:
            command = self._ids.one_of(COMMANDS)
            given = '{"cmd": "' + command + '"}'
            rows += self._record(
                "response_item", type="function_call", name="exec_command", arguments=given, call_id=call
            )
        rows += self._tokens()
        yield self._act(self._ids.between(0.6, 1.8), rows, messages=talks, calls=len(calls))
        for call in calls:
            ran: Row = {"id": call, "status": "completed", "exit_code": 0, "aggregated_output": "ok\n"}
            yield self._act(self._ids.between(0.4, 1.8), self._item("CommandExecution", **ran))
        outputs = [
            self._record(
                "response_item", type="function_call_output", call_id=call, output="Process exited with code 0"
            )
            for call in calls
        ]
        yield self._act(0.05, "".join(outputs) + self._count())

    def _compact(self) -> Iterator[Act]:
        """The history is replaced by a summary; the client's own estimate of what is left comes with it."""
        yield self._act(1.5, self._tokens(grow=False) + self._count())
        summary = "Another language model started to solve this problem and left a summary."
        rows = self._record("compacted", message=summary, replacement_history=[])
        self._used = LEFT_OVER
        estimate = {"input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0, "total_tokens": LEFT_OVER}
        rows += self._event("token_count", info=self._info(estimate), rate_limits=LIMITS)
        said = Said(SOURCE, self._thread, compactions=1)
        yield Act(pause=1.5, path=self._path, text=rows, said=(said,))

    def _act(self, pause: float, text: str, *, messages: int = 0, calls: int = 0) -> Act:
        said = (Said(SOURCE, self._thread, messages, calls),) if messages or calls else ()
        return Act(pause=pause, path=self._path, text=text, said=said)

    def _tokens(self, *, grow: bool = True) -> str:
        """Return the usage of one answer, which is written as soon as it ends."""
        grown = self._ids.number(1_200, 5_200) if grow else 0
        output = self._ids.number(60, 380)
        used = {"input_tokens": self._used + grown, "cached_input_tokens": self._used, "output_tokens": output}
        self._last = {**used, "reasoning_output_tokens": 0, "total_tokens": self._used + grown + output}
        self._used = self._last["total_tokens"]
        self._total = {name: value + self._last.get(name, 0) for name, value in self._total.items()}
        about: Row = {"thread_id": self._thread, "turn_id": self._turn, "response_id": f"resp_{self._ids.hex(12)}"}
        return self._record("token_usage_record", **about, usage=self._last, thread_token_usage=self._total)

    def _count(self) -> str:
        return self._event("token_count", info=self._info(self._last), rate_limits=LIMITS)

    def _info(self, last: dict[str, int]) -> Row:
        return {"total_token_usage": self._total, "last_token_usage": last, "model_context_window": WINDOW}

    def _header(self) -> str:
        more = {"history_mode": "paginated", "git": {"branch": self._task.branch}, "timestamp": NOW}
        client = {"originator": "codex-tui", "cli_version": "0.169.0", "source": "cli", "thread_source": "user"}
        where = {"cwd": self._task.folder, "model_provider": "openai", "base_instructions": {"text": "You are Codex."}}
        return self._record("session_meta", session_id=self._thread, id=self._thread, **client, **where, **more)

    def _message(self, words: str, phase: str) -> str:
        """Return what the model says: the item comes before the record that the model will see again."""
        name = f"msg_{self._ids.hex(12)}"
        item = self._item("AgentMessage", id=name, content=[{"type": "Text", "text": words}], phase=phase)
        content: list[Row] = [{"type": "output_text", "text": words, "annotations": []}]
        return item + self._record("response_item", type="message", id=name, role="assistant", content=content)

    def _item(self, kind: str, **more: object) -> str:
        item = {"type": kind, "id": f"item_{self._ids.hex(12)}", **more}
        about: Row = {"thread_id": self._thread, "turn_id": self._turn, "completed_at_ms": MS}
        return self._event("item_completed", item=item, **about)

    def _event(self, kind: str, **more: object) -> str:
        return self._record("event_msg", type=kind, **more)

    def _record(self, record: str, **payload: object) -> str:
        return line({"timestamp": NOW, "ordinal": next(self._ordinals), "type": record, "payload": payload})
