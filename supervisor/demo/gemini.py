"""A simulated Gemini CLI session, written as 0.61.0 writes: an append log in which a message may be written again."""

import itertools
from collections.abc import Iterator

from .acts import TASKS, Act, Ids, Row, line


class Gemini:
    """One session of few, long steps."""

    def __init__(self, seed: str, task: int) -> None:
        self._ids = Ids(seed)
        self._title, self._project, _ = TASKS[task % len(TASKS)]
        self._session = self._ids.uuid()
        self._chat = f".gemini/tmp/{self._project}/chats/session-2026-01-01T00-00-{self._session[:8]}.jsonl"
        self._used = 7_000

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        yield Act(0.0, f".gemini/tmp/{self._project}/.project_root", f"/home/you/{self._project}", "write")
        header = {"sessionId": self._session, "projectHash": "0" * 64, "startTime": "{now}", "lastUpdated": "{now}"}
        yield Act(0.5, self._chat, line({**header, "kind": "main"}))
        for number in itertools.count():
            yield self._user(1.0, {"text": self._title if number == 0 else "Go on"})
            yield from self._step()
            yield from self._step()
            yield Act(self._ids.between(1.5, 4.0), self._chat, line({**self._answer(), "content": "Done."}))
            yield Act(self._ids.between(4.0, 9.0), self._chat)

    def _step(self) -> Iterator[Act]:
        answer = self._answer()
        yield Act(self._ids.between(1.5, 4.0), self._chat, line({**answer, "content": ""}))
        call: Row = {"id": self._ids.next("call"), "name": "run_shell_command", "args": {}, "status": "success"}
        done = {**answer, "content": "", "toolCalls": [{**call, "timestamp": "{now}"}]}
        yield Act(self._ids.between(1.0, 4.0), self._chat, line(done))
        reply = {"id": call["id"], "name": call["name"], "response": {"output": "ok"}}
        yield self._user(0.1, {"functionResponse": reply})

    def _answer(self) -> Row:
        self._used += self._ids.random.randint(1000, 9000)
        tokens = {"input": self._used, "output": 150, "cached": 0, "thoughts": 20, "tool": 0, "total": self._used + 170}
        what: Row = {"id": self._ids.uuid(), "timestamp": "{now}", "type": "gemini", "thoughts": []}
        return {**what, "tokens": tokens, "model": "gemini-2.5-pro"}

    def _user(self, pause: float, part: Row) -> Act:
        return Act(
            pause, self._chat, line({"id": self._ids.uuid(), "timestamp": "{now}", "type": "user", "content": [part]})
        )
