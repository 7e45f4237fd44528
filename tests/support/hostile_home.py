"""The smallest genuine session of each agent, to be put into hostile places, and a board that adds up what comes of it.

An agent is a place (where the file of a session lies in its home), a head (what its client writes first) and prompts (each
is one line and one message). OpenCode keeps rows instead of lines: its `put` makes a store, and a prompt is a row.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct

from bellboard.sources.catalog import load
from bellboard.sources.conformance import Seen, read
from bellboard.sources.contract import Source

AT = "2026-01-02T03:04:05.000Z"
MILLISECONDS = 1_767_323_045_000


class Agent(Struct, frozen=True):
    """One agent whose sessions are files of lines."""

    name: str
    place: str
    head: str
    prompt: str

    def path(self, home: Path, number: int = 1) -> Path:
        """Where a session lies."""
        return home / self.place.format(id=session(number), short=session(number)[:8])

    def lines(self, prompts: Iterable[str], number: int = 1, at: str = AT) -> bytes:
        """A whole session that says this; each prompt is one message."""
        told = [self.head, *(self._prompt(count, text) for count, text in enumerate(prompts))]
        return "".join(f"{line}\n" for line in told).replace("$ID", session(number)).replace(AT, at).encode()

    def put(self, home: Path, prompts: Iterable[str], number: int = 1, at: str = AT) -> Path:
        """Write a session."""
        path = self.path(home, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.lines(prompts, number, at))
        return path

    def append(self, home: Path, prompts: Sequence[str], first: int, at: str = AT) -> None:
        """Say more in the first session; `first` is how many prompts it has."""
        with self.path(home).open("ab") as file:
            for count, text in enumerate(prompts):
                file.write(f"{self._prompt(first + count, text)}\n".replace("$ID", session(1)).replace(AT, at).encode())

    def _prompt(self, count: int, text: str) -> str:
        return self.prompt.replace("$N", f"{count:08x}").replace("$TEXT", text)


def session(number: int) -> str:
    """The id of a session: all of them differ in their first eight characters."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


CLAUDE = Agent(
    "claude",
    "projects/-w/{id}.jsonl",
    _json({"type": "summary", "summary": "A title", "leafUuid": "x"}),
    _json({
        "type": "user", "sessionId": "$ID", "uuid": "$N-0000-4000-8000-000000000000", "version": "2.0.40",
        "timestamp": AT, "cwd": "/w", "message": {"role": "user", "content": "$TEXT"},
    }),
)  # fmt: skip
CODEX = Agent(
    "codex",
    "sessions/2026/01/02/rollout-2026-01-02T03-04-05-{id}.jsonl",
    _json({"timestamp": AT, "type": "session_meta", "payload": {"id": "$ID", "cwd": "/w", "cli_version": "0.44.0"}}),
    _json({"timestamp": AT, "type": "event_msg", "payload": {"type": "user_message", "message": "$TEXT"}}),
)
GEMINI = Agent(
    "gemini",
    "tmp/app/chats/session-2026-01-02T03-04-{short}.jsonl",
    _json({"sessionId": "$ID", "projectHash": "0" * 64, "startTime": AT, "lastUpdated": AT, "kind": "main"}),
    _json({"id": "$N", "timestamp": AT, "type": "user", "content": [{"text": "$TEXT"}]}),
)
PI = Agent(
    "pi",
    "agent/sessions/--w--/2026-01-02T03-04-05-000Z_{id}.jsonl",
    _json({"type": "session", "version": 3, "id": "$ID", "timestamp": AT, "cwd": "/w"}),
    _json({
        "type": "message", "id": "$N", "timestamp": AT,
        "message": {"role": "user", "content": [{"type": "text", "text": "$TEXT"}], "timestamp": MILLISECONDS},
    }),
)  # fmt: skip

AGENTS = (CLAUDE, CODEX, GEMINI, PI)

_TABLES = """
    CREATE TABLE session (id text PRIMARY KEY, parent_id text, slug text, directory text, title text, version text,
        revert text, time_created integer, time_updated integer, time_compacting integer, time_archived integer);
    CREATE TABLE message (id text PRIMARY KEY, session_id text, time_created integer, time_updated integer, data text);
    CREATE TABLE part (id text PRIMARY KEY, message_id text, session_id text, time_created integer,
        time_updated integer, data text);
    CREATE INDEX message_session_time_created_id_idx ON message (session_id, time_created, id);
    CREATE INDEX part_message_id_id_idx ON part (message_id, id);
    CREATE INDEX part_session_idx ON part (session_id);
"""


class OpenCodeStore:
    """OpenCode's database."""

    name = "opencode"

    def path(self, home: Path) -> Path:
        """Where it lies."""
        return home / "opencode.db"

    def put(self, home: Path, prompts: Iterable[str], number: int = 1, at: int = MILLISECONDS) -> None:
        """Write a session; each prompt is a message with one part."""
        self.put_all(home, [(number, prompts)], at)

    def put_all(self, home: Path, sessions: Iterable[tuple[int, Iterable[str]]], at: int = MILLISECONDS) -> None:
        """Write many sessions at once."""
        home.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path(home))) as connection:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                connection.executescript(f"PRAGMA journal_mode = WAL; {_TABLES}")
            for number, prompts in sessions:
                name = f"ses_{number:026d}"
                row = (name, None, "s", "/w", "A title", "1.18.33", None, at, at, None, None)
                connection.execute(f"INSERT INTO session VALUES ({','.join('?' * len(row))})", row)  # noqa: S608 - marks only
                connection.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", _messages(name, prompts, at))
                connection.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", _parts(name, prompts, at))
            connection.commit()


def _messages(name: str, prompts: Iterable[str], at: int) -> Iterable[tuple[Any, ...]]:
    for count, _ in enumerate(prompts):
        yield (
            f"msg_{name[-6:]}{count:020d}",
            name,
            at + count,
            at + count,
            _json({"role": "user", "time": {"created": at}}),
        )


def _parts(name: str, prompts: Iterable[str], at: int) -> Iterable[tuple[Any, ...]]:
    for count, text in enumerate(prompts):
        message = f"msg_{name[-6:]}{count:020d}"
        yield f"prt_{message}", message, name, at + count, at + count, _json({"type": "text", "text": text})


class OpenCodeTree:
    """OpenCode's older store."""

    name = "opencode"

    def put(self, home: Path, prompts: Iterable[str], number: int = 1, at: int = MILLISECONDS) -> None:
        """Write a session; each prompt is a message with one part, each in a file of its own."""
        name = f"ses_{number:026d}"
        times = {"created": at, "updated": at}
        self._save(home, f"session/global/{name}", {"id": name, "directory": "/w", "version": "1.1.34", "time": times})
        for count, text in enumerate(prompts):
            message = f"msg_{(at + count) * 4096 % (1 << 48):012x}AAAAAAAAAAAAAA"
            self._save(home, f"message/{name}/{message}", {"role": "user", "time": {"created": at + count}})
            self._save(home, f"part/{message}/prt_{message[4:]}", {"type": "text", "text": text})

    def _save(self, home: Path, name: str, value: Any) -> None:
        path = home / "storage" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_json(value))


STORES = (OpenCodeStore(), OpenCodeTree())


def source(name: str, home: Path) -> Source:
    """A source that never saw this home before."""
    return load(name, None, {"home": str(home)})


class Board:
    """Every session of a home as it adds up; each reading is made by a new source, from stored cursors."""

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.home = home
        self.seen: dict[str, Seen] = {}

    def read(self, asked: Source | None = None) -> dict[str, int]:
        """Read on in every session; returns the messages of each."""
        asked = asked or source(self.name, self.home)
        for handle in asked.discover():
            self.seen[handle.id] = read(asked, handle, self.seen.get(handle.id))
        return {name: seen.messages for name, seen in self.seen.items()}
