"""What the tests of the Gemini source share: a home to write in, lines as the client writes them, a board that adds up."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bellboard.protocol.update import SourceUpdate
from bellboard.sources.contract import CURSOR_LIMIT, SessionHandle
from bellboard.sources.gemini import GeminiSource

DATA = Path(__file__).parents[1] / "data/gemini"
SHARED = Path(__file__).parents[2] / "../shared"

SESSION = "1f0c24aa-0000-4000-8000-000000000001"
FILE = "session-2026-01-02T03-04-1f0c24aa.jsonl"
COUNTS = ("message_count", "tool_call_count", "compaction_count", "unknown_records")


def at(second: float) -> str:
    """A time as the client writes it."""
    return f"2026-01-02T03:{4 + int(second) // 60:02d}:{second % 60:06.3f}Z"


def header(second: float = 0, session: str = SESSION, **more: Any) -> dict[str, Any]:
    return {"sessionId": session, "projectHash": "0" * 64, "startTime": at(second), "lastUpdated": at(second), **more}


def user(name: str, second: float, text: str = "do it", **more: Any) -> dict[str, Any]:
    return {"id": name, "timestamp": at(second), "type": "user", "content": [{"text": text}], **more}


def gemini(
    name: str, second: float, text: str = "", calls: Sequence[dict[str, Any]] = (), **more: Any
) -> dict[str, Any]:
    tokens = {"input": 1000, "output": 10, "cached": 100, "thoughts": 5, "tool": 0, "total": 1015}
    said: dict[str, Any] = {"id": name, "timestamp": at(second), "type": "gemini", "content": text, "thoughts": []}
    said |= {"tokens": tokens, "model": "gemini-2.5-pro"}
    return said | ({"toolCalls": list(calls)} if calls else {}) | more


def call(name: str, status: str = "success", tool: str = "read_file") -> dict[str, Any]:
    return {"id": name, "name": tool, "args": {"path": "a"}, "status": status, "timestamp": at(0), "result": []}


def result(name: str, second: float, **response: Any) -> dict[str, Any]:
    """The results of a tool call, as they go back to the model."""
    answer = {"functionResponse": {"id": "t", "name": "read_file", "response": response or {"output": "x"}}}
    return {"id": name, "timestamp": at(second), "type": "user", "content": [answer]}


def info(name: str, second: float, text: str = "Request cancelled.") -> dict[str, Any]:
    return {"id": name, "timestamp": at(second), "type": "info", "content": text}


def set_(**settings: Any) -> dict[str, Any]:
    return {"$set": settings}


def context(name: str, second: float, folder: str = "/home/me/app") -> dict[str, Any]:
    text = f"<session_context>\nThis is it.\n- **Workspace Directories:**\n  - {folder}\n- **Directory Structure:**\n"
    return user(name, second, text + "</session_context>")


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)


def copied(case: str, home: Path) -> Path:
    """Copy one of the genuine homes."""
    return Path(shutil.copytree(DATA / case, home, dirs_exist_ok=True))


class Home:
    """A `.gemini` folder, and a board that is told what comes out of it.

    Every reading begins with a new source: nothing is kept between two readings but the cursors.
    """

    def __init__(self, root: Path, **options: Any) -> None:
        self.root = root
        self.options: dict[str, Any] = {"home": str(root)} | options
        self.cursors: dict[str, str] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.updates: list[SourceUpdate] = []

    def path(self, name: str = FILE, project: str = "app") -> Path:
        path = self.root / "tmp" / project / "chats" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, *rows: Any, name: str = FILE, project: str = "app") -> None:
        """Append lines to a file."""
        with self.path(name, project).open("ab") as file:
            file.write(lines(*rows))

    def save(self, *messages: Any, name: str = FILE.removesuffix("l"), project: str = "app", **more: Any) -> None:
        """Save a whole document anew, as older clients do."""
        text = json.dumps({**header(kind="main"), "messages": list(messages), **more}, indent=2)
        self.path(name, project).write_text(text, encoding="utf-8")

    def handles(self) -> list[SessionHandle]:
        return list(GeminiSource(**self.options).discover())

    def step(self, handle: SessionHandle) -> SourceUpdate | None:
        """One parse of one session, by a new source."""
        before = self.cursors.get(handle.id, "")
        update, after = GeminiSource(**self.options).parse(handle, before)
        assert len(after.encode()) < CURSOR_LIMIT
        assert update is None or after != before
        self.cursors[handle.id] = after
        if update is not None:
            self.updates.append(update)
            self._take(update)
        return update

    def read(self) -> dict[str, dict[str, Any]]:
        """Parse every session until nothing is new; returns the board."""
        for handle in self.handles():
            before = None
            while before != self.cursors.get(handle.id, ""):
                before = self.cursors.get(handle.id, "")
                self.step(handle)
            # What discover says of the files is what parse says of them: the next look costs no system call.
            assert not before or before.startswith(f"{handle.stamp}|")
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
