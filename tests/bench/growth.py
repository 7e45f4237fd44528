"""Growth: how each cost grows, as a table and as pictures. `python -m tests.bench.growth [--out FOLDER] [--small]`.

Files: 1,000 to 100,000 small Claude Code sessions, looked at once more and changed once. Subscribers: 1 to 100 on the
board's own socket. Updates: 10 to 10,000 in a second, to a board with a store and one subscriber. Pictures need the extra
`bench` (matplotlib).
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import msgspec
from msgspec import Struct

from bellboard.sources.catalog import load
from bellboard.sources.contract import Watching
from bellboard.workers.round import Parsed, Round

from .board import folder, memory
from .throughput import board, published
from .writer import agent


class Curve(Struct):
    """One cost over one size."""

    name: str
    size: str
    unit: str
    sizes: list[int]
    values: list[float]


def files(sizes: Iterable[int]) -> list[Curve]:
    """A look at everything and the reading of one change, and what the worker holds."""
    found: list[tuple[int, float, float, float]] = []
    for size in sizes:
        with folder() as home:
            os.environ["BELLBOARD_SPOOL"] = str(home / "spool")
            write = agent("claude", str(home))
            for number in range(size):
                write(number, 1)
            found.append((size, *_in_a_child(str(home), size)))
        sys.stderr.write(f"  {found[-1]}\n")
    at = [size for size, *_ in found]
    return [
        Curve("look at everything (a sweep)", "files", "ms of CPU", at, [each[1] for each in found]),
        Curve("read one change, told by inotify", "files", "ms of CPU", at, [each[2] for each in found]),
        Curve("memory of the worker", "files", "MB", at, [each[3] for each in found]),
    ]


def _in_a_child(home: str, size: int) -> tuple[float, float, float]:
    """Measure in a process of its own, so that memory is that of one size."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(write, json.dumps(_looked(home, size)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        told: list[float] = json.loads(file.read())
    os.waitpid(pid, 0)
    return told[0], told[1], told[2]


def _looked(home: str, size: int) -> tuple[float, float, float]:
    source = load("claude", None, {"home": home})
    assert isinstance(source, Watching)
    work = Round(source)
    _all(work)
    sweeps = [_timed(lambda: _all(work)) for _ in range(3)]
    write = agent("claude", home)
    changes: list[float] = []
    for number in range(0, size, max(1, size // 50)):
        write(number, 2)
        changes.append(_timed(lambda number=number: _change(work, source, home, number)))
    return min(sweeps) * 1000, sorted(changes)[len(changes) // 2] * 1000, memory(os.getpid())["VmRSS"]


def _change(work: Round, source: Watching, home: str, number: int) -> None:
    path = f"{home}/projects/-w/{number:08d}-0000-4000-8000-000000000000.jsonl"
    work.ask(lambda: source.touched([path]), time.time())
    found = 0
    while work.backlog:
        step = work.step()
        if isinstance(step, Parsed) and step.facts is not None:
            found += step.facts.message_count_delta
    assert found == 1


def _all(work: Round) -> None:
    work.discover(time.time())
    while work.backlog:
        work.step()


def _timed(act: Callable[[], None]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def subscribers(sizes: Iterable[int]) -> list[Curve]:
    """An event published, over the number of subscribers."""
    at = list(sizes)
    values = [1e6 / published(size)[0] for size in at]
    return [Curve("publish one event", "subscribers", "us of CPU", at, values)]


def rates(sizes: Iterable[int]) -> list[Curve]:
    """The board's load, over updates in a second; and one update, over the number of sessions."""
    at = list(sizes)
    loads = [100 * rate / board(stored=True, ears=1, count=min(20_000, rate * 5), rate=rate)[0] for rate in at]
    many = [100, 1_000, 10_000]
    each = [1e6 / board(stored=True, ears=1, count=20_000, sessions=size)[0] for size in many]
    return [
        Curve("load of the board", "updates/s", "% of a core", at, loads),
        Curve("take in one update", "sessions", "us of CPU", many, each),
    ]


def main() -> None:
    """Measure all curves, print them, draw them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--out", default="docs/pictures", help="folder of the pictures (docs/pictures)")
    parser.add_argument("--small", action="store_true", help="leave out 100,000 files")
    options = parser.parse_args()
    curves = [
        *files([1_000, 10_000] if options.small else [1_000, 10_000, 100_000]),
        *subscribers([1, 10, 100]),
        *rates([10, 100, 1_000, 10_000]),
    ]
    for curve in curves:
        pairs = ", ".join(f"{size:,}: {value:.2f}" for size, value in zip(curve.sizes, curve.values, strict=True))
        sys.stdout.write(f"{curve.name} ({curve.unit} over {curve.size}): {pairs}\n")
    os.makedirs(options.out, exist_ok=True)
    with open(os.path.join(options.out, "growth.json"), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(curves)) + b"\n")
    _draw(curves, os.path.join(options.out, "growth.svg"))


def _draw(curves: list[Curve], path: str) -> None:
    plt: Any = import_module("matplotlib.pyplot")  # the extra `bench`

    plt.rcParams["svg.fonttype"] = "none"  # text stays text, and the picture small
    plt.rcParams["svg.hashsalt"] = "bellboard"
    figure, axes = plt.subplots(2, 3, figsize=(10, 5.2))
    for axis, curve in zip(axes.flat, curves, strict=False):
        axis.plot(curve.sizes, curve.values, marker="o", color="#1f6f8b")
        axis.set_xscale("log")
        axis.set_yscale("log" if max(curve.values) > 20 * min(curve.values) else "linear")
        if axis.get_yscale() == "linear":
            axis.set_ylim(0, max(curve.values) * 1.3)
        axis.set_title(curve.name, fontsize=9)
        axis.set_xlabel(curve.size, fontsize=8)
        axis.set_ylabel(curve.unit, fontsize=8)
        axis.tick_params(labelsize=7)
        axis.grid(visible=True, alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
