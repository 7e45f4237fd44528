"""What the tests of the OpenCode source share: a client that writes a store, and a board that adds up.

The tables and indexes are those of 1.18.33, as far as a reader needs them.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bellboard.protocol.update import SourceUpdate
from bellboard.sources.contract import CURSOR_LIMIT, SessionHandle
from bellboard.sources.opencode import OpenCodeSource

DATA = Path(__file__).parents[2] / "data/opencode"
CORPUS = Path(__file__).parents[3] / "../shared/corpus"

NOW = 1_795_344_640_000
SESSION = "ses_dfd100000001aaaaaaaaaaaaaa"
OTHER = "ses_dfd100000002bbbbbbbbbbbbbb"
GENUINE = "ses_dfd1ed16affenkVmQVFhNGsWpI"
TREE = "ses_dfd1748d1ffeYGCQkLXgZ67uJX"
COUNTS = ("message_count", "tool_call_count", "compaction_count", "unknown_records")

TABLES = """
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


def tokens(fresh: int = 0, output: int = 0, cached: int = 0, written: int = 0) -> dict[str, Any]:
    return {"input": fresh, "output": output, "reasoning": 0, "cache": {"read": cached, "write": written}}


def asked(second: float, **more: Any) -> dict[str, Any]:
    """The text of a prompt."""
    return {"role": "user", "time": {"created": at(second)}, "agent": "build", "model": {"modelID": "m0"}} | more


def answer(second: float, completed: float | None = None, **more: Any) -> dict[str, Any]:
    """The text of an answer; one that has ended says how."""
    time = {"created": at(second)} | ({} if completed is None else {"completed": at(completed)})
    ended = {} if completed is None else {"finish": "stop", "tokens": tokens(100, 10)}
    return {"role": "assistant", "time": time, "modelID": "m1", "providerID": "p", "tokens": tokens()} | ended | more


def tool(name: str, status: str, start: float = 0, end: float | None = None) -> dict[str, Any]:
    """The text of a tool part."""
    time = {} if status == "pending" else {"start": at(start)} | ({} if end is None else {"end": at(end)})
    state = {"status": status, "input": {"x": 1}, "time": time} | ({"output": "long"} if status == "completed" else {})
    return {"type": "tool", "tool": name, "callID": "c", "state": state}


def text(said: str = "Do it") -> dict[str, Any]:
    return {"type": "text", "text": said}


def at(second: float) -> int:
    return NOW + int(second * 1000)


class Client:
    """The client: it keeps the database open, and what it wrote last stands in the log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA wal_autocheckpoint = 0")
        self.connection.executescript(TABLES)
        self.clock = 0

    def close(self) -> None:
        self.connection.close()

    def put(self, table: str, row: Mapping[str, Any]) -> None:
        """Write a row, in the place of the one with its id."""
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        renewed = ", ".join(f"{name} = excluded.{name}" for name in row if name != "id")
        self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {renewed}",  # noqa: S608 - a test's own words
            tuple(row.values()),
        )

    def session(self, session: str = SESSION, second: float = 0, **more: Any) -> None:
        row = {"project_id": "global", "slug": "sunny-otter", "directory": "/home/me/app", "title": "A title"}
        self.put("session", {"id": session, **row, "version": "1.18.33", **self._times(second), **more})

    def message(self, name: str, data: Any, session: str = SESSION, second: float | None = None) -> None:
        """Write a message, by default as of the time that its text says it was created."""
        created = at(second) if second is not None else data["time"]["created"]
        told = data if isinstance(data, str | bytes) else json.dumps(data)
        times = {"time_created": created, "time_updated": self._tick()}
        self.put("message", {"id": name, "session_id": session, **times, "data": told})

    def part(self, name: str, message: str, data: Any, session: str = SESSION) -> None:
        told = data if isinstance(data, str | bytes) else json.dumps(data)
        row = {"id": name, "message_id": message, "session_id": session}
        now = self._tick()
        self.put("part", {**row, "time_created": now, "time_updated": now, "data": told})

    def set(self, session: str = SESSION, **values: Any) -> None:
        """Change columns of a session's row."""
        for name, value in {**values, "time_updated": values.get("time_updated", self._tick())}.items():
            self.connection.execute(f"UPDATE session SET {name} = ? WHERE id = ?", (value, session))  # noqa: S608 - a test's own words

    def remove(self, *messages: str) -> None:
        """Take messages out, and their parts with them."""
        for name in messages:
            self.connection.execute("DELETE FROM part WHERE message_id = ?", (name,))
            self.connection.execute("DELETE FROM message WHERE id = ?", (name,))

    def _tick(self) -> int:
        self.clock += 1
        return NOW + self.clock

    def _times(self, second: float) -> dict[str, int]:
        return {"time_created": at(second), "time_updated": self._tick()}


def genuine(case: str, client: Client) -> None:
    """Write the rows of a genuine store."""
    for table, rows in json.loads((DATA / f"{case}.json").read_text(encoding="utf-8")).items():
        for row in rows:
            client.put(table, row)


class Tree:
    """The store of older clients."""

    def __init__(self, root: Path) -> None:
        self.root = root / "storage"

    def put(self, path: str, data: Any) -> Path:
        file = self.root / f"{path}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data if isinstance(data, bytes) else json.dumps(data, indent=2).encode())
        return file

    def session(self, session: str = SESSION, second: float = 0, **more: Any) -> Path:
        told = {"id": session, "version": "1.1.34", "directory": "/home/me/app", "title": "A title", "slug": "s"}
        times = {"created": at(second), "updated": at(second)}
        return self.put(f"session/global/{session}", {**told, "projectID": "global", "time": times, **more})

    def message(self, name: str, data: Any, session: str = SESSION) -> Path:
        return self.put(f"message/{session}/{name}", data)

    def part(self, name: str, message: str, data: Any) -> Path:
        return self.put(f"part/{message}/{name}", data)


def name_at(second: float, kind: str = "msg") -> str:
    """An id as the client makes it at that time."""
    return f"{kind}_{at(second) * 4096 % (1 << 48):012x}AAAAAAAAAAAAAA"


class Desk:
    """One home, its board, and the cursors that a worker would have stored.

    Every reading begins with a new source: nothing is kept between two readings but the cursors.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cursors: dict[str, str] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.updates: list[SourceUpdate] = []

    def source(self) -> OpenCodeSource:
        """A source that never saw this home before."""
        return OpenCodeSource(home=str(self.root))

    def hand(self, path: Path, session: str = SESSION) -> SessionHandle:
        """A handle made by hand: nobody looked at the store for it."""
        return SessionHandle(id=session, path=str(path), source="opencode")

    def step(self, handle: SessionHandle) -> SourceUpdate | None:
        """One parse of one session, by a new source."""
        before = self.cursors.get(handle.id, "")
        update, after = self.source().parse(handle, before)
        assert len(after.encode()) < CURSOR_LIMIT
        assert update is None or after != before
        self.cursors[handle.id] = after
        if update is not None:
            self._take(update)
        return update

    def read(self, handles: Sequence[SessionHandle] | None = None) -> dict[str, dict[str, Any]]:
        """Parse every session until nothing is new; returns the board."""
        for handle in self.source().discover() if handles is None else handles:
            before = None
            while before != self.cursors.get(handle.id, ""):
                before = self.cursors.get(handle.id, "")
                self.step(handle)
            # What discover says of the store is what parse says of it: the next look opens nothing.
            assert not handle.stamp or not before or before.startswith(f"{handle.stamp}|")
        return self.sessions

    def shown(self, *names: str, session: str = SESSION) -> tuple[Any, ...]:
        """Read on and return some facts of one session."""
        return tuple(self.read()[session].get(name) for name in names)

    def _take(self, update: SourceUpdate) -> None:
        facts = msgspec.structs.asdict(update)
        session = self.sessions.setdefault(update.session_id, dict.fromkeys(COUNTS, 0))
        if facts.pop("restart"):
            session.update(dict.fromkeys(COUNTS, 0))
        for name in COUNTS:
            delta = facts.pop(f"{name}_delta")
            assert delta >= 0
            session[name] += delta
        session.update({name: value for name, value in facts.items() if value is not msgspec.UNSET})
        assert session["activity"] is not None
        assert session["evidence"] is not None
        self.updates.append(update)
