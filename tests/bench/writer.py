"""Writer: agents that append one message after the other. `python -m tests.bench.writer SOURCE HOME APPENDS PAUSE SESSIONS`.

Prints, for each message, its session, the number of messages that session then has, and when it was written (monotonic
seconds, which all processes of a machine share).
"""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Append = Callable[[int, int], None]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def name_of(source: str, number: int) -> str:
    """Return the id of a session as the board knows it."""
    return f"ses_{number:026d}" if source == "opencode" else f"{number:08d}-0000-4000-8000-000000000000"


class Lines:
    """An agent that keeps one file of lines a session."""

    def __init__(self, path: Callable[[int], str], rows: Callable[[int, int], list[dict[str, Any]]]) -> None:
        self._path, self._rows = path, rows

    def append(self, number: int, message: int) -> None:
        """Write one message (the first one with what stands before it)."""
        path = self._path(number)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab", 0) as file:
            file.write(b"".join(json.dumps(row).encode() + b"\n" for row in self._rows(number, message)))


def _claude(number: int, message: int) -> list[dict[str, Any]]:
    said = {
        "id": f"msg_{message}",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [{"type": "text", "text": "x"}],
    }
    base = {"sessionId": name_of("claude", number), "cwd": "/w", "version": "2.0.40", "timestamp": _now()}
    return [{**base, "type": "assistant", "uuid": str(message), "message": {**said, "usage": {"output_tokens": 5}}}]


def _codex(number: int, message: int) -> list[dict[str, Any]]:
    meta = {"id": name_of("codex", number), "timestamp": _now(), "cwd": "/w", "cli_version": "0.60.0", "source": "cli"}
    first = [{"timestamp": _now(), "type": "session_meta", "payload": meta}] if message == 1 else []
    return [*first, {"timestamp": _now(), "type": "event_msg", "payload": {"type": "agent_message", "message": "x"}}]


def _gemini(number: int, message: int) -> list[dict[str, Any]]:
    meta = {"sessionId": name_of("gemini", number), "projectHash": "0" * 64, "startTime": _now(), "kind": "main"}
    said = {"id": f"m{message}", "timestamp": _now(), "type": "gemini", "content": "x", "model": "gemini-2.5-pro"}
    return [*([meta] if message == 1 else []), said]


def _pi(number: int, message: int) -> list[dict[str, Any]]:
    meta = {"type": "session", "version": 3, "id": name_of("pi", number), "timestamp": _now(), "cwd": "/w"}
    said = {
        "role": "assistant",
        "timestamp": 1,
        "content": [{"type": "text", "text": "x"}],
        "model": "m",
        "stopReason": "stop",
    }
    row = {"type": "message", "id": f"m{message}", "parentId": None, "timestamp": _now(), "message": said}
    return [*([meta] if message == 1 else []), row]


class Database:
    """OpenCode, which keeps everything in one database."""

    def __init__(self, home: str) -> None:
        self._database = sqlite3.connect(f"{home}/opencode.db", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")  # as the client has it: a commit waits for no disk
        self._database.executescript(
            "CREATE TABLE IF NOT EXISTS session (id text PRIMARY KEY, project_id text, parent_id text, slug text,"
            " directory text, title text, version text, time_created integer, time_updated integer,"
            " time_compacting integer, time_archived integer, revert text, model text);"
            "CREATE TABLE IF NOT EXISTS message (id text PRIMARY KEY, session_id text, time_created integer,"
            " time_updated integer, data text);"
            "CREATE TABLE IF NOT EXISTS part (id text PRIMARY KEY, message_id text, session_id text,"
            " time_created integer, time_updated integer, data text);"
            "CREATE INDEX IF NOT EXISTS message_session_time_created_id_idx ON message (session_id, time_created, id);"
            "CREATE INDEX IF NOT EXISTS part_message_id_id_idx ON part (message_id, id);"
        )

    def append(self, number: int, message: int) -> None:
        """Write one answer in one transaction."""
        now, session = int(time.time() * 1000), name_of("opencode", number)
        tokens = {"input": 1, "output": 1, "reasoning": 0, "cache": {"read": 0, "write": 0}}
        data = {"role": "assistant", "time": {"created": now, "completed": now}, "modelID": "m", "providerID": "p",
                "finish": "stop", "tokens": tokens}  # fmt: skip
        put = self._database.execute
        put("BEGIN IMMEDIATE")
        put(
            "INSERT INTO session (id, project_id, slug, directory, title, version, time_created, time_updated)"
            " VALUES (?, 'global', 's', '/w', 't', '1.18.33', ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET time_updated = excluded.time_updated",
            (session, now, now),
        )
        key = f"msg_{number:06d}_{message:012d}"
        put("INSERT INTO message VALUES (?, ?, ?, ?, ?)", (key, session, now, now, json.dumps(data)))
        part = json.dumps({"type": "text", "text": "x"})
        put("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", (f"prt_{key}", key, session, now, now, part))
        put("COMMIT")


def agent(source: str, home: str) -> Append:
    """Return how one agent appends a message to a session."""
    if source == "opencode":
        return Database(home).append
    paths: dict[str, Callable[[int], str]] = {
        "claude": lambda number: f"{home}/projects/-w/{name_of('claude', number)}.jsonl",
        "codex": lambda number: (
            f"{home}/sessions/2026/01/02/rollout-2026-01-02T03-04-05-{name_of('codex', number)}.jsonl"
        ),
        "gemini": lambda number: f"{home}/tmp/w/chats/session-2026-01-02T03-04-{name_of('gemini', number)[:8]}.jsonl",
        "pi": lambda number: f"{home}/agent/sessions/--w--/2026-01-02T03-04-05-000Z_{name_of('pi', number)}.jsonl",
    }
    rows = {"claude": _claude, "codex": _codex, "gemini": _gemini, "pi": _pi}
    return Lines(paths[source], rows[source]).append


def main() -> None:
    """Begin each session, wait for a line on stdin, then append."""
    source, home = sys.argv[1:3]
    appends, pause, sessions = int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
    append = agent(source, home)
    for number in range(sessions):
        append(number, 1)
    sys.stdin.readline()
    for turn in range(appends):
        number, message = turn % sessions, turn // sessions + 2
        at = time.monotonic()
        append(number, message)
        sys.stdout.write(f"{name_of(source, number)} {message} {at:.6f}\n")
        time.sleep(pause)


if __name__ == "__main__":
    main()
