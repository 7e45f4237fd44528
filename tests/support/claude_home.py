"""What the tests of the Claude Code source share: a home to write in, a table of processes, and a board that adds up."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bellboard.protocol.update import SourceUpdate
from bellboard.sources.claude import ClaudeSource
from bellboard.sources.claude.fold import fold
from bellboard.sources.claude.rows import READER
from bellboard.sources.claude.state import State, fresh
from bellboard.sources.contract import CURSOR_LIMIT, SessionHandle

DATA = Path(__file__).parents[1] / "data/claude"
CORPUS = Path(__file__).parents[2] / "../shared/corpus"

SESSION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
NAMESPACE = "pid:[4026531836]"
MACHINE = "0123456789abcdef0123456789abcdef"
NOON = 1_795_348_800.0
"""2026-11-22T12:00:00Z: `at=0` in a row is this second."""
COUNTS = ("message_count", "tool_call_count", "compaction_count", "unknown_records")


class Table:
    """A stand-in for the processes of a machine: pid -> when it began."""

    def __init__(self, **living: str) -> None:
        self.living = {int(pid.removeprefix("pid")): start for pid, start in living.items()}
        self.asked = 0

    def start_of(self, pid: int) -> str | None:
        self.asked += 1
        return self.living.get(pid)

    def domain(self) -> str | None:
        return NAMESPACE

    def holders(self) -> dict[tuple[int, int], int] | None:
        return None


class Board:
    """Adds up what updates say, as the real one does; facts that nobody told are None."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.updates: list[SourceUpdate] = []

    def take(self, update: SourceUpdate) -> None:
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

    def __getitem__(self, session: str) -> dict[str, Any]:
        return self.sessions[session]


class Desk:
    """One config folder, its board, and the cursors that a worker would have stored. Time stands still at `now`."""

    def __init__(self, root: Path, table: Table | None = None) -> None:
        self.root = root
        self.table = table or Table()
        self.now = NOON + 30
        self.board = Board()
        self.cursors: dict[str, str] = {}
        (root / "projects").mkdir(parents=True, exist_ok=True)

    def source(self) -> ClaudeSource:
        """A source that never saw this home before."""
        return ClaudeSource(home=str(self.root), processes=self.table, clock=lambda: self.now, machine=MACHINE)

    def path(self, session: str = SESSION, project: str = "-w-app") -> Path:
        return self.root / "projects" / project / f"{session}.jsonl"

    def agent(self, name: str, session: str = SESSION) -> Path:
        return self.path(session).with_suffix("") / "subagents" / f"agent-{name}.jsonl"

    def write(self, *lines: bytes, path: Path | None = None) -> Path:
        """Append to a transcript."""
        path = path or self.path()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.writelines(lines)
        return path

    def record(self, session: str = SESSION, pid: int = 4242, **fields: Any) -> Path:
        """Write a record of the register, by default of a living client of 2.1.330."""
        row = {
            "pid": pid,
            "sessionId": session,
            "cwd": "/w/app",
            "startedAt": (NOON - 60) * 1000,
            "procStart": "777",
            "version": "2.1.330",
            "pidDomain": f"linux:{MACHINE}:{NAMESPACE}",
            "name": "app-f5",
            "nameSource": "derived",
            "status": "idle",
            "statusUpdatedAt": NOON * 1000,
            **fields,
        }
        path = self.root / "sessions" / f"{pid}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({name: value for name, value in row.items() if value is not None}))
        return path

    def hand(self, session: str = SESSION) -> SessionHandle:
        """A handle made by hand: nobody looked at the disk for it."""
        return SessionHandle(id=session, path=str(self.path(session)), source="claude")

    def read(self, source: ClaudeSource | None = None, handles: Sequence[SessionHandle] | None = None) -> Board:
        """Parse until still, each step from the stored cursor and, unless one is given, by a fresh source."""
        for handle in (source or self.source()).discover() if handles is None else handles:
            while True:
                before = self.cursors.get(handle.id, "")
                update, after = (source or self.source()).parse(handle, before)
                assert len(after.encode()) <= CURSOR_LIMIT
                if update is not None:
                    assert after != before
                    self.board.take(update)
                self.cursors[handle.id] = after
                if after == before:
                    break
        return self.board


def line(kind: str, at: float = 0, **fields: Any) -> bytes:
    """One row as clients since 2.0 write it; `at` is its second after noon. A field of None is left out."""
    minute, second = divmod(at, 60)
    row = {
        "type": kind,
        "timestamp": f"2026-11-22T12:{int(minute):02}:{second:06.3f}Z",
        "isSidechain": False,
        "cwd": "/w/app",
        "gitBranch": "main",
        "version": "2.1.50",
        **fields,
    }
    row = {name: value for name, value in row.items() if value is not None}
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def note(kind: str, **fields: Any) -> bytes:
    """One note about the session."""
    return json.dumps({"type": kind, **fields}).encode() + b"\n"


def prompt(content: Any = "Fix the test", at: float = 0, **fields: Any) -> bytes:
    """What a person typed, or only looks like it."""
    return line("user", at, message={"role": "user", "content": content}, **fields)


def usage(fresh: int = 3, created: int = 1000, cached: int = 15000, output: int = 90) -> dict[str, int]:
    """The tokens of one answer."""
    return {
        "input_tokens": fresh,
        "cache_creation_input_tokens": created,
        "cache_read_input_tokens": cached,
        "output_tokens": output,
    }


def answer(
    key: str = "msg_1", *blocks: dict[str, Any], at: float = 1, stop: str | None = "end_turn", **fields: Any
) -> bytes:
    """One row of an answer; without blocks it is text."""
    message = {
        "id": key,
        "role": "assistant",
        "model": fields.pop("model", "claude-sonnet-4-6"),
        "content": list(blocks) or [{"type": "text", "text": "Done."}],
        "stop_reason": stop,
        "usage": fields.pop("tokens", usage()),
    }
    return line("assistant", at, message=message, **fields)


def call(key: str = "toolu_1", name: str = "Bash", **arguments: Any) -> dict[str, Any]:
    """The block of a tool call."""
    return {"type": "tool_use", "id": key, "name": name, "input": arguments}


def result(key: str = "toolu_1", at: float = 2, **fields: Any) -> bytes:
    """The result of a tool call."""
    return prompt([{"type": "tool_result", "tool_use_id": key, "content": "ok"}], at, **fields)


def told(*lines: bytes, state: State | None = None) -> State:
    """Fold rows of the session's own transcript into a state."""
    state = state or fresh()
    rows, bad = READER.read(b"".join(lines))
    assert bad == 0
    fold(state, rows)
    return state


def copied(case: str, root: Path) -> Path:
    """Copy one genuine home."""
    shutil.copytree(DATA / case, root)
    return root
