"""A simulated OpenCode, written as 1.18.33 writes: rows of a SQLite store, put anew as a message or a tool goes on.

Things go wrong for it: commands fail, files are missing, and now and then the model's provider refuses a call.
"""

import itertools
from collections.abc import Iterator
from datetime import datetime

from .acts import Act, Ids, Put, Row, Said, Task, dump, wait
from .marks import MS, kept

SOURCE = "opencode"
MODEL = "qwen3-coder"
PATH = ".local/share/opencode/opencode.db"

TABLES = """
    CREATE TABLE project (id text PRIMARY KEY, worktree text NOT NULL, vcs text, name text, time_created integer NOT NULL,
        time_updated integer NOT NULL, sandboxes text NOT NULL);
    CREATE TABLE session (id text PRIMARY KEY, project_id text NOT NULL, workspace_id text, parent_id text,
        slug text NOT NULL, directory text NOT NULL, path text, title text NOT NULL, version text NOT NULL,
        share_url text, summary_additions integer, summary_deletions integer, summary_files integer, summary_diffs text,
        metadata text, cost real DEFAULT 0 NOT NULL, tokens_input integer DEFAULT 0 NOT NULL,
        tokens_output integer DEFAULT 0 NOT NULL, tokens_reasoning integer DEFAULT 0 NOT NULL,
        tokens_cache_read integer DEFAULT 0 NOT NULL, tokens_cache_write integer DEFAULT 0 NOT NULL, revert text,
        permission text, agent text, model text, time_created integer NOT NULL, time_updated integer NOT NULL,
        time_compacting integer, time_archived integer);
    CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL, time_created integer NOT NULL,
        time_updated integer NOT NULL, data text NOT NULL);
    CREATE TABLE part (id text PRIMARY KEY, message_id text NOT NULL, session_id text NOT NULL,
        time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL);
    CREATE INDEX message_session_time_created_id_idx ON message (session_id, time_created, id);
    CREATE INDEX part_message_id_id_idx ON part (message_id, id);
    CREATE INDEX part_session_idx ON part (session_id);
"""
"""What the client's store has, as far as a reader may look at it."""

ERRORS = ("File not found: missing.txt", "The command failed with exit code 2", "The edit did not match the file")
NO_TOKENS: Row = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}


class OpenCode:
    """One session in which much goes wrong, and which goes on all the same."""

    source = SOURCE
    manner = "errors"

    def __init__(self, seed: str, task: Task, born: datetime) -> None:
        self._ids = Ids(seed, born)
        self._task = task
        # Sessions sort newest first, messages and parts as they come.
        since = int(born.timestamp() * 1000) * 4096
        self._name = itertools.count(since % (1 << 48))
        self._session = f"ses_{~since % (1 << 48):012x}{self._ids.hex(14)}"
        self._used = 9_000
        self._asked = ""

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        yield self._open()
        for number in itertools.count():
            yield self._ask(self._task.words(number))
            for step in range(self._ids.number(2, 4)):
                yield from self._step(fails=step == 1)
            if number % 2:
                yield from self._refused()
            else:
                yield from self._answer("All but the last file is done.", "stop")
            yield wait(self._ids.between(2.5, 5.5))

    def _open(self) -> Act:
        project: Row = {"id": "global", "worktree": self._task.folder, "vcs": "git", "sandboxes": "[]"}
        session: Row = {"id": self._session, "project_id": "global", "slug": "sunny-otter", "title": self._task.title}
        where = {"directory": self._task.folder, "path": "", "version": "1.18.33", "agent": "build"}
        times: Row = {"time_created": MS, "time_updated": MS}
        rows = (Put("project", project | times), Put("session", session | where | times))
        return Act(path=PATH, how="rows", text=TABLES, rows=rows)

    def _ask(self, words: str) -> Act:
        name = self._asked = self._new("msg")
        model = {"providerID": "local", "modelID": MODEL}
        data: Row = {"role": "user", "time": {"created": kept(MS, name)}, "agent": "build", "model": model}
        rows = self._message(name, data), self._part(name, {"type": "text", "text": words}), self._touch()
        return self._act(0.8, *rows, messages=1)

    def _step(self, *, fails: bool) -> Iterator[Act]:
        """One answer that calls a tool: the answer is open until the tool has ended."""
        name, part = self._new("msg"), self._new("prt")
        tool = self._ids.one_of(("bash", "read", "edit", "grep"))
        yield self._act(0.3, self._message(name, self._model(name)), messages=1)
        start = self._part(name, {"type": "step-start", "snapshot": self._ids.hex(40)})
        running = self._part(name, self._tool(part, tool, "running"), part)
        yield self._act(self._ids.between(0.5, 1.5), start, running, calls=1)
        ended = self._tool(part, tool, "error" if fails else "completed")
        tokens = self._tokens()
        finish = self._part(name, {"type": "step-finish", "reason": "tool-calls", "cost": 0, "tokens": tokens})
        done = self._message(name, self._model(name, tokens=tokens, finish="tool-calls"))
        yield self._act(self._ids.between(0.5, 2.2), self._part(name, ended, part), finish, done)

    def _answer(self, words: str, finish: str) -> Iterator[Act]:
        name = self._new("msg")
        yield self._act(0.3, self._message(name, self._model(name)), messages=1)
        tokens = self._tokens()
        said = self._part(name, {"type": "text", "text": words, "time": {"start": MS, "end": MS}})
        done = self._message(name, self._model(name, tokens=tokens, finish=finish))
        yield self._act(self._ids.between(0.8, 1.6), said, done, self._touch())

    def _refused(self) -> Iterator[Act]:
        """The provider refuses the call: the answer ends with an error and says nothing."""
        name = self._new("msg")
        yield self._act(0.3, self._message(name, self._model(name)), messages=1)
        error = {"name": "APIError", "data": {"message": "overloaded", "statusCode": 529, "isRetryable": True}}
        yield self._act(1.2, self._message(name, self._model(name, error=error)), self._touch())

    def _tool(self, part: str, tool: str, status: str) -> Row:
        times: Row = {"start": kept(MS, part)}
        state: Row = {"status": status, "input": {"path": "simulated"}, "time": times}
        if status == "completed":
            state |= {"output": "ok", "title": tool, "metadata": {"truncated": False}}
        elif status == "error":
            state["error"] = self._ids.one_of(ERRORS)
        if status != "running":
            times["end"] = MS
        return {"type": "tool", "tool": tool, "callID": f"call_{part[4:]}", "state": state}

    def _model(self, name: str, **ended: object) -> Row:
        """Return what is stored of an answer; with `ended` it is complete, for better or worse."""
        times: Row = {"created": kept(MS, name)} | ({"completed": MS} if ended else {})
        about: Row = {"parentID": self._asked, "role": "assistant", "mode": "build", "agent": "build"}
        where = {"path": {"cwd": self._task.folder, "root": self._task.folder}, "cost": 0}
        model = {"modelID": MODEL, "providerID": "local", "time": times}
        return {**about, **where, "tokens": NO_TOKENS, **model, **ended}

    def _tokens(self) -> Row:
        fresh, output = self._ids.number(200, 2_500), self._ids.number(20, 260)
        held, self._used = self._used, self._used + fresh + output
        cache = {"read": held, "write": 0}
        return {"total": self._used, "input": fresh, "output": output, "reasoning": 0, "cache": cache}

    def _new(self, kind: str) -> str:
        return f"{kind}_{next(self._name):012x}{self._ids.hex(14)}"

    def _message(self, name: str, data: Row) -> Put:
        times: Row = {"time_created": kept(MS, name), "time_updated": MS}
        return Put("message", {"id": name, "session_id": self._session, **times, "data": dump(data)})

    def _part(self, message: str, data: Row, name: str | None = None) -> Put:
        name = name or self._new("prt")
        times: Row = {"time_created": kept(MS, name), "time_updated": MS}
        ids = {"id": name, "message_id": message, "session_id": self._session}
        return Put("part", {**ids, **times, "data": dump(data)})

    def _touch(self) -> Put:
        return Put("session", {"id": self._session, "time_updated": MS})

    def _act(self, pause: float, *rows: Put, messages: int = 0, calls: int = 0) -> Act:
        said = (Said(SOURCE, self._session, messages, calls),) if messages or calls else ()
        return Act(pause=pause, path=PATH, how="rows", rows=rows, said=said)
