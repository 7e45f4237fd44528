"""Stage: plays the acts into a temporary home while a private board watches it, and shows the board."""

import heapq
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from ...protocol.event import Snapshot
from ..app import Supervisor
from ..config import Config, SourceConfig
from ..views.text import health_table, table
from .acts import Act
from .cast import cast

HOMES = {"claude": ".claude", "codex": ".codex", "gemini": ".gemini"}
DRAW_SECONDS = 1.0


class Stage:
    """Performs acts when they are due."""

    def __init__(self, home: str, actors: list[Iterator[Act]], now: float) -> None:
        self._home = home
        self._actors = actors
        self._due: list[tuple[float, int, Act]] = []
        self._born = _born()
        for number in range(len(self._actors)):
            self._next(number, now)

    def play(self, now: float) -> None:
        """Perform what is due (`now`: monotonic seconds)."""
        while self._due and self._due[0][0] <= now:
            _, number, act = heapq.heappop(self._due)
            self._perform(act)
            self._next(number, now)

    def _next(self, number: int, now: float) -> None:
        act = next(self._actors[number], None)
        if act is not None:
            heapq.heappush(self._due, (now + act.pause, number, act))

    def _perform(self, act: Act) -> None:
        path = os.path.join(self._home, act.path.replace("{pid}", str(os.getpid())))
        if act.how == "remove":
            os.unlink(path)
        elif act.text:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            text = act.text.replace("{now}", stamp).replace("{pid}", str(os.getpid())).replace("{born}", self._born)
            with open(path, "a" if act.how == "append" else "w", encoding="utf-8") as file:
                file.write(text)


def play(seconds: float | None) -> int:
    """Run the demo until interrupted, or for some seconds; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="bellboard-demo-", dir="/tmp") as folder:
        home = os.path.join(folder, "home")
        for name in HOMES.values():
            os.makedirs(os.path.join(home, name))
        sources = {name: SourceConfig(options={"home": os.path.join(home, path)}) for name, path in HOMES.items()}
        config = Config(state_dir=None, runtime_dir=os.path.join(folder, "run"), sources=sources)
        with Supervisor(config) as supervisor:
            sys.stderr.write(f"bellboard: simulated agents in {home}; end with Ctrl-C\n")
            stage = Stage(home, cast(), time.monotonic())
            end = None if seconds is None else time.monotonic() + seconds
            screen = _Screen()

            def over() -> bool:
                now = time.monotonic()
                stage.play(now)
                screen.draw(supervisor.snapshot(), now, last=end is not None and now >= end)
                return end is not None and now >= end

            supervisor.run(until=over)
    return 0


class _Screen:
    """Draws the board anew each second on a terminal; elsewhere only the last picture."""

    def __init__(self) -> None:
        self._drawn_at = 0.0
        self._live = sys.stdout.isatty()

    def draw(self, picture: Snapshot, now: float, *, last: bool) -> None:
        if not last and (not self._live or now - self._drawn_at < DRAW_SECONDS):
            return
        self._drawn_at = now
        wall = datetime.now(UTC)
        width = shutil.get_terminal_size((160, 24)).columns
        clear = "\x1b[H\x1b[2J" if self._live else ""
        sessions = table(list(picture.sessions), wall, width)
        sys.stdout.write(f"{clear}{sessions}\n\n{health_table(picture.health, wall)}\n")
        sys.stdout.flush()


def _born() -> str:
    """Return this process's start time as Claude Code writes it, so that the simulated registry names a living process."""
    try:
        with open("/proc/self/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        return ""
