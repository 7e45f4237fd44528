"""A simulated Gemini CLI session, written as 0.61.0 writes: an append log in which a message may be written again."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from .acts import Act, Ids, Row, Said, Task, dump, line, wait
from .marks import NOW, kept

SOURCE = "gemini"
MODEL = "gemini-2.5-pro"
CONTEXT = "<session_context>\nThis is the Gemini CLI. We are setting up the context for our chat.\n</session_context>"


class Gemini:
    """One session of few, long steps."""

    source = SOURCE
    manner = "steady"

    def __init__(self, seed: str, task: Task, born: datetime) -> None:
        self._ids = Ids(seed, born)
        self._task = task
        self._session = self._ids.uuid()
        self._folder = f".gemini/tmp/{task.project}"
        self._chat = f"{self._folder}/chats/session-{born:%Y-%m-%dT%H-%M}-{self._session[:8]}.jsonl"
        self._used = 11_000

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        yield from self._open()
        for number in itertools.count():
            words = self._message("user", content=[{"text": self._task.words(number)}])
            yield self._act(1.0, line(words) + self._touched(), messages=1)
            for _ in range(self._ids.number(2, 3)):
                yield from self._step()
            done = {**self._answer(), "content": "That is all: it is done."}
            yield self._act(self._ids.between(1.2, 2.6), line(done) + self._touched(), messages=1)
            yield wait(self._ids.between(2.0, 5.0))

    def _open(self) -> Iterator[Act]:
        where = self._task.folder
        projects = dump({"projects": {where: self._task.project}})
        yield Act(path=".gemini/projects.json", text=projects, how="write")
        yield Act(path=f"{self._folder}/.project_root", text=where, how="write")
        digest = sha256(where.encode()).hexdigest()
        header = {"sessionId": self._session, "projectHash": digest, "startTime": NOW, "lastUpdated": NOW}
        context = self._message("user", content=[{"text": CONTEXT}])
        rebuilt = {"$set": {"messages": [context], "lastUpdated": NOW}}
        yield self._act(0.2, line({**header, "kind": "main"}) + line(rebuilt))

    def _step(self) -> Iterator[Act]:
        """One answer that calls a tool: written when it is complete, and again when the tool has ended."""
        name = self._ids.one_of(("run_shell_command", "read_file", "write_file", "search_file_content"))
        answer = {**self._answer(), "content": ""}
        yield self._act(self._ids.between(1.2, 2.6), line(answer) + self._touched(), messages=1)
        call = f"{name}__{name}_{self._ids.hex(10)}_0"
        reply = {"functionResponse": {"id": call, "name": name, "response": {"output": "ok"}}}
        ran: Row = {"id": call, "name": name, "args": {}, "result": [reply], "status": "success", "timestamp": NOW}
        again = line({**answer, "toolCalls": [ran]}) + line(self._message("user", content=[reply]))
        yield self._act(self._ids.between(0.8, 2.4), again + self._touched(), calls=1)

    def _answer(self) -> Row:
        grown = self._ids.number(900, 7_000)
        self._used += grown
        output = self._ids.number(20, 240)
        tokens = {"input": self._used, "output": output, "cached": self._used - grown, "thoughts": 15, "tool": 0}
        total = {"total": self._used + output + 15}
        return self._message("gemini", content="", thoughts=[], tokens={**tokens, **total}, model=MODEL)

    def _message(self, kind: str, **more: object) -> Row:
        name = self._ids.uuid()
        # A message that is written again keeps the time at which it was written first.
        return {"id": name, "timestamp": kept(NOW, name), "type": kind, **more}

    def _touched(self) -> str:
        return line({"$set": {"lastUpdated": NOW}})

    def _act(self, pause: float, text: str, *, messages: int = 0, calls: int = 0) -> Act:
        said = (Said(SOURCE, self._session, messages, calls),) if messages or calls else ()
        return Act(pause=pause, path=self._chat, text=text, said=said)
