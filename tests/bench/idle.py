"""Idle: what it costs while nothing happens, with inotify and without."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator

from .board import board
from .figures import Figure, Skipped, clean, python
from .trees import Trees, files_of, homes

SECONDS = 60.0


def idle(trees: Trees) -> Iterator[Figure]:
    """All processes together over a minute in which nothing changes, with 10,000 files."""
    tree = trees.get("idle10k")
    with board(homes(tree, "claude", "codex")) as running:
        running.settle(10_000)
        before, began = running.cpu(), time.monotonic()
        time.sleep(SECONDS)
        used, wall = running.cpu() - before, time.monotonic() - began
        yield Figure(
            what="nothing changes, 10,000 files, all processes", value=100 * used / wall, unit="% of a core",
            bar="<= 0.3", detail=f"{used:.2f} s of CPU in {wall:.0f} s",
        )  # fmt: skip


def sweep(trees: Trees) -> Iterator[Figure]:
    """One look at everything without inotify, when nothing has changed."""
    tree = trees.get("idle10k")
    for source, home in homes(tree, "claude", "codex").items():
        files = len(files_of(home))
        found = subprocess.run(
            python("-m", "tests.bench.sweep", source, home, "5"), capture_output=True, check=True, env=clean()
        ).stdout.split()
        ours, floor = float(found[0]), float(found[1])
        yield Figure(
            what=f"full sweep, {source}, CPU / a bare stat of the same files", value=ours / floor, unit="x",
            bar="<= 2.0", detail=f"{files:,} files; {ours * 1e3:.1f} ms / {floor * 1e3:.1f} ms",
        )  # fmt: skip
        yield _calls(source, home, files)


def _calls(source: str, home: str, files: int) -> Figure:
    if shutil.which("strace") is None:
        raise Skipped("system calls are counted with strace, which is not here")
    counted = [_strace(source, home, times) for times in (1, 3)]
    each = (counted[1] - counted[0]) / 2
    return Figure(
        what=f"full sweep, {source}, system calls for each file", value=each / files, unit="calls", bar="<= 1.2",
        detail=f"{each:,.0f} calls",
    )  # fmt: skip


def _strace(source: str, home: str, times: int) -> int:
    words = ["strace", "-f", "-c", "-e", "trace=file,desc,read,write", *python("-m", "tests.bench.sweep"), source, home]
    done = subprocess.run([*words, str(times), "alone"], capture_output=True, check=True, env=clean(), cwd=os.getcwd())
    total = re.search(rb"^\s*100\.00\s+\S+\s+(?:\d+\s+)?(\d+)", done.stderr, re.MULTILINE)
    assert total is not None, done.stderr[-500:]
    return int(total[1])
