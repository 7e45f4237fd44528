"""Draw: what the live board costs while a thousand sessions move: how often it draws, and how much processor that takes."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import structs

from bellboard.protocol.session import Evidence, HealthState, SessionState
from bellboard.supervisor.live.app import Board
from bellboard.supervisor.live.wire import Wire
from bellboard.supervisor.views.board.picture import Choice, Picture, View
from bellboard.supervisor.views.board.screen import row_line, screen

from .figures import Figure
from .trees import Trees

SESSIONS = 1000
SECONDS = 10.0
EVENTS = 500
"""Events in a second: each moves another session."""

PAUSE = 0.01
SIZE = (160, 50)
ROUNDS = 50


def draw(_: Trees) -> Iterator[Figure]:
    """Draw a board of 1,000 sessions of which 500 a second move, on a screen of 160 by 50."""
    sessions = _sessions()
    view = View(datetime.now(UTC), SIZE[0])
    began = time.process_time()
    for _round in range(ROUNDS):
        shown = screen(Picture(sessions, (), 0.1), Choice())
        for row in shown.rows[: SIZE[1]]:
            row_line(shown, row, view)
    each = (time.process_time() - began) / ROUNDS
    yield Figure(
        what="the picture of 1,000 sessions, 50 rows seen", value=1000 * each, unit="ms of CPU", bar="<= 20",
        detail=f"mean of {ROUNDS}",
    )  # fmt: skip
    draws, used, wall = asyncio.run(_live(sessions))
    moved = f"{EVENTS} sessions a second move"
    yield Figure(what=f"pictures drawn while {moved}", value=draws / wall, unit="a second", bar="<= 11", detail="")
    yield Figure(
        what=f"Textual, 1,000 sessions, {moved}", value=100 * used / wall, unit="% of a core", bar="<= 60",
        detail=f"{1000 * used / max(1, draws):.0f} ms of CPU for each picture",
    )  # fmt: skip


class Moving(Wire):
    """A wire that nobody is at the other end of: its picture is set from here."""

    def __init__(self, sessions: tuple[SessionState, ...]) -> None:
        super().__init__("/nowhere")
        self.sessions = list(sessions)

    def picture(self) -> Picture:
        """See `Wire.picture`."""
        health = (HealthState(source="claude", pid=1, settled=True), HealthState(source="codex", pid=2, settled=True))
        return Picture(tuple(self.sessions), health, 0.1, pulses={})


async def _live(sessions: tuple[SessionState, ...]) -> tuple[int, float, float]:
    wire = Moving(sessions)
    board = Board(wire, found_seconds=0)
    draws = 0
    genuine = board.draw

    def counted() -> None:
        nonlocal draws
        draws += 1
        genuine()

    board.draw = counted  # type: ignore[method-assign]
    async with board.run_test(size=SIZE) as pilot:
        await pilot.pause(1)
        draws, number = 0, 0
        began, used = time.monotonic(), time.process_time()
        while (now := time.monotonic()) - began < SECONDS:
            due = int((now - began) * EVENTS)
            for number in range(number, due):  # noqa: B020 - it goes on where it stopped
                at = number * 37 % SESSIONS
                moved = wire.sessions[at]
                wire.sessions[at] = structs.replace(
                    moved, last_activity_at=datetime.now(UTC), message_count=moved.message_count + 1
                )
            wire.wake()
            await asyncio.sleep(PAUSE)
        return draws, time.process_time() - used, time.monotonic() - began


def _sessions() -> tuple[SessionState, ...]:
    now = datetime.now(UTC)
    return tuple(
        SessionState(
            id=f"{number:08x}-3775-4e7f-becd-64c5fa2605e1",
            source=("claude", "codex")[number % 2],
            title=f"Piece of work number {number}",
            activity=("working", "waiting", "idle")[number % 3],  # type: ignore[arg-type]
            waiting_for="permission" if number % 30 == 1 else None,
            evidence=Evidence(kind="record", since=now - timedelta(seconds=number)),
            working_dir=f"/home/you/project-{number % 40}",
            branch="main",
            model="claude-opus-5-5",
            context_tokens=1000 * (number % 190),
            max_context_tokens=200_000,
            max_context_from="reported",
            current_tool="Bash" if number % 3 == 0 else None,
            current_tool_started_at=now,
            started_at=now - timedelta(seconds=2 * number),
            last_activity_at=now,
        )
        for number in range(SESSIONS)
    )
