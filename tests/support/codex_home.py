"""What the tests of the Codex source share: a home to write in, a table of locks, and a board that adds up."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bellboard.protocol.update import SourceUpdate
from bellboard.sources.codex import CodexSource
from bellboard.sources.codex.cold import Cold
from bellboard.sources.contract import CURSOR_LIMIT, SessionHandle

DATA = Path(__file__).parents[1] / "data/codex"
CORPUS = Path(__file__).parents[2] / "../shared/corpus"

THREAD = "01a20000-0000-7000-8000-000000000001"
OTHER = "01a20000-0000-7000-8000-000000000002"
LATER = "01a20000-ffff-7000-8000-000000000003"
DAY = "sessions/2026/11/22"
COUNTS = ("message_count", "tool_call_count", "compaction_count", "unknown_records")


class Locked:
    """A stand-in for the processes of a machine: who holds which lock file. `None` says that it cannot be told."""

    def __init__(self, *paths: Path) -> None:
        self.paths: list[Path] | None = list(paths)
        self.asked = 0

    def start_of(self, pid: int) -> str | None:  # noqa: ARG002 - Codex names no processes
        return None

    def domain(self) -> str | None:
        return None

    def holders(self) -> dict[tuple[int, int], int] | None:
        self.asked += 1
        if self.paths is None:
            return None
        found = [path.stat() for path in self.paths if path.exists()]
        return {(status.st_dev, status.st_ino): 4242 for status in found}


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

    def __getitem__(self, thread: str) -> dict[str, Any]:
        return self.sessions[thread]


class Desk:
    """One `CODEX_HOME`, its board, and the cursors that a worker would have stored."""

    def __init__(self, root: Path, locked: Locked | None = None, *, cold: Cold | None = None) -> None:
        self.root = root
        self.locked = locked or Locked()
        self.cold = cold
        self.board = Board()
        self.cursors: dict[str, str] = {}
        root.mkdir(parents=True, exist_ok=True)

    def source(self) -> CodexSource:
        """A source that never saw this home before."""
        return CodexSource(home=str(self.root), processes=self.locked, cold=self.cold)

    def path(self, thread: str = THREAD, key: str = "", folder: str = DAY) -> Path:
        suffix = f"_{key}" if key else ""
        return self.root / folder / f"rollout-2026-11-22T10-00-00-{thread}{suffix}.jsonl"

    def write(self, *lines: bytes, thread: str = THREAD, key: str = "") -> Path:
        """Append to a rollout."""
        path = self.path(thread, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.writelines(lines)
        return path

    def lock(self, thread: str = THREAD) -> Path:
        """Leave a lock file."""
        path = self.root / "thread-writer-locks" / f"{thread}.lock"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        return path

    def hand(self, path: Path, thread: str = THREAD) -> SessionHandle:
        """A handle made by hand: nobody looked at the disk for it."""
        return SessionHandle(id=thread, path=str(path), source="codex")

    def read(self, source: CodexSource | None = None, handles: Sequence[SessionHandle] | None = None) -> Board:
        """Parse until still, each step from the stored cursor and, unless one is given, by a fresh source."""
        for handle in self.source().discover() if handles is None else handles:
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


def line(kind: str, /, payload: dict[str, Any] | None = None, at: int = 0, ordinal: int | None = None) -> bytes:
    """One line as clients since 0.44 write it; `at` is its second."""
    row: dict[str, Any] = {"timestamp": f"2026-11-22T10:00:{at:02}.000Z"}
    if ordinal is not None:
        row["ordinal"] = ordinal
    return json.dumps({**row, "type": kind, "payload": payload or {}}, ensure_ascii=False).encode() + b"\n"


def event(kind: str, /, at: int = 0, ordinal: int | None = None, **payload: Any) -> bytes:
    """One `event_msg`."""
    return line("event_msg", {"type": kind, **payload}, at, ordinal)


def item(kind: str, /, at: int = 0, ordinal: int | None = None, **payload: Any) -> bytes:
    """One `response_item`."""
    return line("response_item", {"type": kind, **payload}, at, ordinal)


def meta(thread: str = THREAD, at: int = 0, ordinal: int | None = None, **payload: Any) -> bytes:
    """A header; without more it is that of a client that keeps no locks."""
    header = {"id": thread, "session_id": thread, "timestamp": "2026-11-22T10:00:00.000Z", "cli_version": "0.142.5"}
    return line("session_meta", {**header, "cwd": "/w/app", **payload}, at, ordinal)


def usage(total: int, output: int, cached: int = 0) -> dict[str, int]:
    """Tokens of which `output` came out and the rest went in."""
    return {
        "input_tokens": total - output,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "total_tokens": total,
    }


def copied(case: str, root: Path) -> Path:
    """Copy one genuine home."""
    shutil.copytree(DATA / case, root)
    return root


def rollouts(root: Path) -> list[Path]:
    """The rollouts of a home, those of one thread in their order."""
    return sorted(path for path in root.rglob("rollout-*") if path.is_file())


def still(path: Path) -> None:
    """Give a file a time of change of its own, so that runs can be compared."""
    os.utime(path, (1_795_343_640, 1_795_343_640))
