"""A simulated Pi session, written as 1.5.2 writes: a tree of entries in an append-only file, tools in bursts."""

import itertools
from collections.abc import Iterator
from datetime import datetime

from .acts import Act, Ids, Row, Said, Task, line, wait
from .marks import MS, NOW

SOURCE = "pi"
MODEL = "sonnet-local"
TOOLS = ("bash", "read", "edit", "write")


class Pi:
    """One session that does much at once and then rests."""

    source = SOURCE
    manner = "bursty"

    def __init__(self, seed: str, task: Task, born: datetime) -> None:
        self._ids = Ids(seed, born)
        self._task = task
        self._session = self._ids.uuid7()
        folder = f"--{task.folder.strip('/').replace('/', '-')}--"
        stamp = f"{born:%Y-%m-%dT%H-%M-%S}-000Z"
        self._path = f".pi/agent/sessions/{folder}/{stamp}_{self._session}.jsonl"
        self._leaf: str | None = None
        self._used = 3_000

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        opening = self._opening()
        for number in itertools.count():
            prompt = self._said("user", content=[{"type": "text", "text": self._task.words(number)}])
            if number == 0:
                # Nothing is on disk before the first answer is complete: then all of it comes at once.
                answer = self._answer([{"type": "text", "text": "I have a look."}], "stop")
                yield self._act(1.5, opening + prompt + answer, messages=2)
            else:
                yield self._act(0.5, prompt, messages=1)
                for _ in range(self._ids.number(6, 12)):
                    yield from self._burst()
                answer = self._answer([{"type": "text", "text": "All of it is done."}], "stop")
                yield self._act(0.4, answer, messages=1)
            yield wait(1.0 if number == 0 else self._ids.between(5.0, 9.0))

    def _burst(self) -> Iterator[Act]:
        calls = [(f"call_{self._ids.hex(10)}_{place}", self._ids.one_of(TOOLS)) for place in range(3)]
        blocks = [
            {"type": "toolCall", "id": call, "name": name, "arguments": {"path": "simulated"}} for call, name in calls
        ]
        yield self._act(self._ids.between(0.1, 0.4), self._answer(blocks, "toolUse"), messages=1, calls=len(calls))
        for call, name in calls:
            result: Row = {"toolCallId": call, "toolName": name, "content": [{"type": "text", "text": "ok\n"}]}
            yield self._act(self._ids.between(0.05, 0.3), self._said("toolResult", **result, isError=False))

    def _opening(self) -> str:
        header = {"type": "session", "version": 3, "id": self._session, "timestamp": NOW, "cwd": self._task.folder}
        model = self._entry("model_change", provider="local", modelId=MODEL)
        return line(header) + model + self._entry("thinking_level_change", thinkingLevel="medium")

    def _answer(self, content: list[Row], stop: str) -> str:
        fresh, output = self._ids.number(80, 900), self._ids.number(20, 300)
        usage = {"input": fresh, "output": output, "cacheRead": self._used, "cacheWrite": 0, "reasoning": 0}
        self._used += fresh + output
        costs = {"cost": {"input": 0.0, "output": 0.0, "cacheRead": 0.0, "cacheWrite": 0.0, "total": 0.0}}
        maker = {"api": "openai-completions", "provider": "local", "model": MODEL}
        spent = {**usage, "totalTokens": self._used, **costs}
        return self._said("assistant", content=content, **maker, usage=spent, stopReason=stop)

    def _said(self, role: str, **more: object) -> str:
        return self._entry("message", message={"role": role, **more, "timestamp": MS})

    def _entry(self, kind: str, **more: object) -> str:
        parent, self._leaf = self._leaf, self._ids.hex(8)
        return line({"type": kind, "id": self._leaf, "parentId": parent, "timestamp": NOW, **more})

    def _act(self, pause: float, text: str, *, messages: int = 0, calls: int = 0) -> Act:
        said = (Said(SOURCE, self._session, messages, calls),) if messages or calls else ()
        return Act(pause=pause, path=self._path, text=text, said=said)
