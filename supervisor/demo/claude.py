"""A simulated Claude Code, written as 2.1.330 writes: the rows of a transcript, and the registry of living processes.

`Rows` knows what rows look like; `Asking` is a person's session that stops for permissions. The session that sends out
subagents is in `helpers.py`.
"""

import itertools
from collections.abc import Iterator
from datetime import datetime

from .acts import Act, Ids, Row, Said, Task, dump, line, wait
from .marks import BEGUN, BORN, MS, NOW, PID

SOURCE = "claude"
MODEL = "claude-opus-5-5"
VERSION = "2.1.330"
TOOLS = ("Bash", "Read", "Edit", "Grep", "Write")
ASKED = frozenset(("Bash", "Write"))


class Rows:
    """The rows of one transcript: chained by `uuid` and `parentUuid`, with the envelope that each of them repeats."""

    def __init__(self, ids: Ids, task: Task, session: str, agent: str | None = None, used: int = 16_000) -> None:
        self.used = used
        self.agent = agent
        self._ids = ids
        self._last: str | None = None
        self._session = session
        self._envelope = {
            "userType": "external",
            "entrypoint": "cli",
            "cwd": task.folder,
            "sessionId": session,
            "version": VERSION,
            "gitBranch": task.branch,
        }

    def prompt(self, words: str) -> str:
        """Return what a person, or a parent, said."""
        more: Row = {"promptId": self._ids.uuid(), "message": {"role": "user", "content": words}}
        if self.agent is None:
            more |= {"permissionMode": "default", "origin": {"kind": "human"}, "promptSource": "typed"}
        return self._chained("user", **more)

    def opening(self) -> str:
        """Return what the client writes around the first prompt: notes, and what it tells the model."""
        notes = [{"type": "mode", "mode": "normal"}, {"type": "permission-mode", "permissionMode": "default"}]
        return "".join(line({**note, "sessionId": self._session}) for note in notes)

    def surroundings(self) -> str:
        """Return what the client tells the model besides the prompt."""
        return self._chained("attachment", attachment={"type": "date", "date": f"{self._ids.born:%Y-%m-%d}"})

    def answer(self, blocks: list[Row], stop: str) -> str:
        """Return one answer of the model: a row for each block, all with the same id and the same usage."""
        fresh = self._ids.number(300, 2600)
        self.used += fresh
        usage = {
            "input_tokens": 4,
            "cache_creation_input_tokens": fresh,
            "cache_read_input_tokens": self.used - fresh,
            "output_tokens": self._ids.number(40, 420),
            "service_tier": "standard",
        }
        number, request = f"msg_01{self._ids.hex(22)}", f"req_01{self._ids.hex(22)}"
        head: Row = {"id": number, "type": "message", "role": "assistant", "model": MODEL}
        tail: Row = {"stop_reason": stop, "stop_sequence": None, "usage": usage}
        rows: list[str] = []
        for place, block in enumerate(blocks):
            message = {**head, "content": [block], **tail}
            more = {"message": message, "apiBlockIndex": place, "requestId": request, "requestedModel": MODEL}
            rows.append(self._chained("assistant", **more))
        return "".join(rows)

    def result(self, call: str, output: str, *, failed: bool = False, twin: Row | None = None) -> str:
        """Return the result of a tool."""
        block = {"tool_use_id": call, "type": "tool_result", "content": output, "is_error": failed}
        twin = twin or {"stdout": output, "stderr": "", "interrupted": False}
        message = {"role": "user", "content": [block]}
        return self._chained("user", message=message, toolUseResult=twin, sourceToolAssistantUUID=self._last)

    def notification(self, words: str) -> str:
        """Return what the client tells the model of a background agent."""
        note = {"type": "queue-operation", "timestamp": NOW, "sessionId": self._session}
        queued = line({**note, "operation": "enqueue", "content": words}) + line({**note, "operation": "dequeue"})
        origin = {"kind": "task-notification", "producer": "session-task"}
        return queued + self._chained("user", message={"role": "user", "content": words}, origin=origin)

    def over(self, pending: int = 0) -> str:
        """Return the end of a turn."""
        more = {"pendingBackgroundAgentCount": pending} if pending else {}
        return self._chained("system", subtype="turn_duration", durationMs=7_798, isMeta=False, **more)

    def _chained(self, kind: str, **more: object) -> str:
        row: Row = {"parentUuid": self._last, "isSidechain": self.agent is not None}
        if self.agent is not None:
            row["agentId"] = self.agent
        self._last = self._ids.uuid()
        return line({**row, "type": kind, **more, "uuid": self._last, "timestamp": NOW, **self._envelope})


class Client:
    """One client process with one conversation: where its files are, and what each act says of the counts."""

    source = SOURCE

    def __init__(self, seed: str, task: Task, born: datetime) -> None:
        self.ids = Ids(seed, born)
        self.task = task
        self._clear()

    def _clear(self) -> None:
        """Begin a conversation of its own, in a file of its own."""
        self.session = self.ids.uuid()
        self.folder = f".claude/projects/{self.task.folder.replace('/', '-')}"
        self.path = f"{self.folder}/{self.session}.jsonl"
        self.rows = Rows(self.ids, self.task, self.session)

    def act(self, pause: float, text: str, *, messages: int = 0, calls: int = 0) -> Act:
        """Return an act on the transcript."""
        said = (Said(SOURCE, self.session, messages, calls),) if messages or calls else ()
        return Act(pause=pause, path=self.path, text=text, said=said)

    def ask(self, turn: int) -> Iterator[Act]:
        """Begin a turn with a person's words."""
        yield self.status("busy")
        opening = self.rows.opening() if turn == 0 else ""
        yield self.act(0.6, opening + self.rows.prompt(self.task.words(turn)), messages=1)
        if turn == 0:
            yield self.act(0.1, self.rows.surroundings())

    def close(self, words: str) -> Iterator[Act]:
        """End a turn with the model's last words."""
        yield self.act(1.2, self.rows.answer([text(words)], "end_turn"), messages=1)
        yield self.act(0.1, self.rows.over())
        yield self.status("idle")

    def status(self, word: str, waiting: str | None = None) -> Act:
        """Return what the client says of itself in the registry, which it writes anew at each change."""
        project = self.task.project
        entry: Row = {
            "pid": PID,
            "sessionId": self.session,
            "cwd": self.task.folder,
            "startedAt": BEGUN,
            "procStart": BORN,
            "version": VERSION,
            "kind": "interactive",
            "entrypoint": "cli",
            "name": f"{project}-{self.session[:2]}",
            "nameSource": "derived",
            "status": word,
            "updatedAt": MS,
            "statusUpdatedAt": MS,
        }
        if waiting is not None:
            entry["waitingFor"] = waiting
        return Act(path=f".claude/sessions/{PID}.json", text=dump(entry), how="write")


class Asking(Client):
    """A session in which commands and writes wait until the person has allowed them."""

    manner = "asks for permission"

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        for turn in itertools.count():
            yield from self.ask(turn)
            for number in range(self.ids.number(3, 5)):
                yield from self._tool("Bash" if number == 1 else self.ids.one_of(TOOLS))
            yield from self.close("Done: the change is in, the tests pass.")
            yield wait(self.ids.between(2.0, 5.0))

    def _tool(self, name: str) -> Iterator[Act]:
        call = f"toolu_01{self.ids.hex(22)}"
        blocks = [text("Next step."), use(call, name, {"description": "simulated"})]
        yield self.act(self.ids.between(0.4, 1.5), self.rows.answer(blocks, "tool_use"), messages=1, calls=1)
        if name in ASKED:
            yield self.status("waiting", "permission prompt")
            yield wait(self.ids.between(4.0, 8.0))
            yield self.status("busy")
        yield self.act(self.ids.between(0.3, 2.0), self.rows.result(call, "ok"))


def text(words: str) -> Row:
    """Return a block of text."""
    return {"type": "text", "text": words}


def use(call: str, name: str, given: Row) -> Row:
    """Return a block that calls a tool."""
    return {"type": "tool_use", "id": call, "name": name, "input": given}
