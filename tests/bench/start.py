"""Start: how long commands take to begin, and what processes hold while idle."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .board import COMMAND, board, folder, memory
from .figures import Cost, Figure, middle, run
from .trees import Trees
from .writer import agent

TIMES = 15
SESSIONS = 50


def start(_trees: Trees) -> Iterator[Figure]:
    """CPU of commands against a bare Python; CPU and time of a supervisor until it is ready; memory of each process."""
    bare = [sys.executable, "-c", "pass"]
    script = Path(sys.executable).parent / "bellboard"
    version = [str(script), "--version"] if script.exists() else [*COMMAND, "--version"]
    pairs = _pairs(bare, version)
    yield Figure(
        what="`bellboard --version`, CPU / bare python -c pass", value=middle([a.cpu / b.cpu for b, a in pairs]),
        unit="x", bar="<= 2", detail=f"{_least([a for _, a in pairs])} / {_least([b for b, _ in pairs])}",
    )  # fmt: skip
    with folder() as home:
        for source in ("claude", "codex"):
            append = agent(source, str(home / source))
            for number in range(SESSIONS):
                append(number, 1)
        began = time.monotonic()
        with board({source: str(home / source) for source in ("claude", "codex")}) as running:
            yield Figure(what="`bellboard run` until READY", value=1000 * (time.monotonic() - began), unit="ms")
            running.settle(2 * SESSIONS)
            words = [*COMMAND, "sessions", "--json"]
            pairs = _pairs(bare, words, running.environment)
            yield Figure(
                what="`bellboard sessions --json`, CPU", value=1000 * middle([a.cpu for _, a in pairs]), unit="ms",
                bar="<= 250", detail=f"bare python {_least([b for b, _ in pairs])}; {2 * SESSIONS} sessions",
            )  # fmt: skip
            for name, process in running.processes().items():
                full = process.memory_full_info()
                yield Figure(
                    what=f"memory while idle, {name}", value=memory(process.pid)["VmRSS"], unit="MB",
                    detail=f"{full.pss / 1048576:.0f} MB of it not shared (PSS)",
                )  # fmt: skip


def _pairs(floor: list[str], words: list[str], environment: dict[str, str] | None = None) -> list[tuple[Cost, Cost]]:
    run(words, environment)
    return [(run(floor), run(words, environment)) for _ in range(TIMES)]


def _least(costs: list[Cost]) -> str:
    return f"{1000 * min(cost.cpu for cost in costs):.0f} ms"
