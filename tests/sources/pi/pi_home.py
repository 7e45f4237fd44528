"""What the tests of the Pi source share: a home to write in, lines as the client writes them, a board that adds up."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bellboard.protocol.update import SourceUpdate
from bellboard.sources.contract import CURSOR_LIMIT, SessionHandle
from bellboard.sources.pi import PiSource

DATA = Path(__file__).parents[2] / "data/pi"
CORPUS = Path(__file__).parents[3] / "../shared/corpus"

SESSION = "01a20000-0000-7000-8000-000000000001"
OTHER = "01a20000-0000-7000-8000-000000000002"
PROJECT = "--home-me-app--"
COUNTS = ("message_count", "tool_call_count", "compaction_count", "unknown_records")


def at(second: float) -> str:
    """A time as the client writes it."""
    return f"2026-01-02T03:{4 + int(second) // 60:02d}:{second % 60:06.3f}Z"


def header(session: str = SESSION, second: float = 0, **more: Any) -> dict[str, Any]:
    return {"type": "session", "version": 3, "id": session, "timestamp": at(second), "cwd": "/home/me/app", **more}


def entry(kind: str, key: str, parent: str | None, second: float, /, **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": key, "parentId": parent, "timestamp": at(second), **more}


def message(name: str, parent: str | None, second: float, role: str, /, **more: Any) -> dict[str, Any]:
    return entry("message", name, parent, second, message={"role": role, "timestamp": 1, **more})


def user(name: str, parent: str | None, second: float, text: str = "Do it") -> dict[str, Any]:
    return message(name, parent, second, "user", content=[{"type": "text", "text": text}])


def usage(fresh: int = 100, output: int = 10, cached: int = 0, written: int = 0) -> dict[str, Any]:
    total = fresh + output + cached + written
    return {"input": fresh, "output": output, "cacheRead": cached, "cacheWrite": written, "totalTokens": total}


def assistant(
    name: str, parent: str | None, second: float, *calls: tuple[str, str], stop: str | None = None, **more: Any
) -> dict[str, Any]:
    """An answer; each call is its id and the tool's name."""
    content = [{"type": "toolCall", "id": call, "name": tool, "arguments": {"path": "a"}} for call, tool in calls]
    said = {"content": [{"type": "text", "text": "Well."}, *content], "provider": "p", "model": "m1", "usage": usage()}
    return message(
        name, parent, second, "assistant", **said | {"stopReason": stop or ("toolUse" if calls else "stop")} | more
    )


def result(name: str, parent: str | None, second: float, call: str) -> dict[str, Any]:
    content = [{"type": "text", "text": "done"}]
    return message(name, parent, second, "toolResult", toolCallId=call, toolName="t", content=content, isError=False)


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def name_of(session: str = SESSION) -> str:
    return f"2026-01-02T03-04-00-000Z_{session}.jsonl"


def copied(case: str, home: Path) -> Path:
    """Copy one of the genuine homes."""
    return Path(shutil.copytree(DATA / case, home, dirs_exist_ok=True))


class Home:
    """A `.pi` folder, and a board that is told what comes out of it.

    Every reading begins with a new source: nothing is kept between two readings but the cursors.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cursors: dict[str, str] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.updates: list[SourceUpdate] = []
        root.mkdir(parents=True, exist_ok=True)

    def source(self) -> PiSource:
        """A source that never saw this home before."""
        return PiSource(home=str(self.root))

    def path(self, session: str = SESSION) -> Path:
        path = self.root / "agent/sessions" / PROJECT / name_of(session)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, *rows: Any, session: str = SESSION) -> Path:
        """Append lines to a session's file."""
        path = self.path(session)
        with path.open("ab") as file:
            file.write(b"".join(row if isinstance(row, bytes) else lines(row) for row in rows))
        return path

    def hand(self, path: Path, session: str = SESSION) -> SessionHandle:
        """A handle made by hand: nobody looked at the disk for it."""
        return SessionHandle(id=session, path=str(path), source="pi")

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
