"""Board: a supervisor in folders of its own, what its processes use, and waiting for them."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psutil

from bellboard.protocol import Subscriber

from .figures import clean

COMMAND = [sys.executable, "-m", "bellboard.supervisor"]


class Board:
    """A running `bellboard run`; only the sources in `homes` are on."""

    def __init__(self, folder: Path, homes: dict[str, str], **work: Any) -> None:
        self.folder = folder
        self.runtime = str(folder / "run")
        lines = ["[board]", 'since = "all"', "[work]", *(f"{key} = {_toml(value)}" for key, value in work.items())]
        for name in ("claude", "codex", "gemini", "opencode", "pi"):
            lines += [f"[sources.{name}]", f"enabled = {_toml(name in homes)}"]
            lines += [f'home = "{homes[name]}"'] if name in homes else []
        config = folder / "config.toml"
        config.write_text("\n".join(lines) + "\n")
        self.environment = {
            "HOME": str(folder), "BELLBOARD_CONFIG": str(config), "BELLBOARD_RUNTIME_DIR": self.runtime,
            "BELLBOARD_STATE_DIR": str(folder / "state"),
        }  # fmt: skip
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        """Start it and wait until it is ready."""
        process = subprocess.Popen([*COMMAND, "run"], stderr=subprocess.PIPE, text=True, env=clean(self.environment))
        assert process.stderr is not None
        for line in process.stderr:
            if "ready" in line:
                return process
        raise RuntimeError("the supervisor did not start")

    def processes(self) -> dict[str, psutil.Process]:
        """Return the supervisor and its workers by name."""
        main = psutil.Process(self.process.pid)
        found = {"supervisor": main}
        for source, pid in self.workers().items():
            with contextlib.suppress(psutil.Error):
                found[source] = psutil.Process(pid)
        return found

    def workers(self) -> dict[str, int]:
        """Return the pids of the workers, by source."""
        return {state["source"]: state["pid"] for state in self.command("health")["health"] if state["pid"]}

    def command(self, word: str) -> dict[str, Any]:
        """Return what `bellboard WORD --json` says."""
        done = subprocess.run([*COMMAND, word, "--json"], capture_output=True, check=False, env=clean(self.environment))
        return json.loads(done.stdout)

    def cpu(self) -> float:
        """Return the CPU seconds that all processes have used."""
        # Without asking the board, which would have to work for the answer.
        pids = [self.process.pid, *children(self.process.pid)]
        used = [psutil.Process(pid).cpu_times() for pid in pids]
        return sum(each.user + each.system for each in used)

    def settle(self, sessions: int, seconds: float = 300.0) -> None:
        """Wait until so many sessions are known and nothing is left to do."""
        deadline = time.monotonic() + seconds
        with Subscriber(self.runtime, patience=seconds) as subscriber:
            subscriber.join()
            while len(subscriber.sessions) < sessions:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"only {len(subscriber.sessions)} of {sessions} sessions after {seconds} s")
                subscriber.receive(0.5)
        before = -1.0
        while (now := self.cpu()) - before > 0.03:
            before = now
            time.sleep(1.0)

    def close(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextlib.contextmanager
def board(homes: dict[str, str], **work: Any) -> Generator[Board]:
    """Run a board until the end of the block."""
    with folder() as place:
        running = Board(place, homes, **work)
        try:
            yield running
        finally:
            running.close()


@contextlib.contextmanager
def folder() -> Generator[Path]:
    """Make a temporary folder with a short name, because the path of a socket is limited."""
    place = tempfile.mkdtemp(prefix="bb-", dir="/tmp")
    try:
        yield Path(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def memory(pid: int) -> dict[str, float]:
    """Return VmRSS and VmHWM of a process in MB, {} if it has gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
    except OSError:
        return {}
    return {name: int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM") if name in fields}


def children(pid: int) -> list[int]:
    """Return the pids of a process's children."""
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))
