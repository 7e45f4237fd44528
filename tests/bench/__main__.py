"""Benchmarks: `python -m tests.bench [NAME...] [--json FILE] [--tree DIR]`. One table on stdout, progress on stderr."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator

import msgspec

from .append import append
from .cold import cold
from .draw import draw
from .figures import Figure, Skipped
from .fleet import fleet
from .gateway import gateway
from .idle import idle, sweep
from .latency import latency
from .opening import opening
from .page import page
from .restart import restart
from .shelves import shelves
from .start import start
from .throughput import fanout, throughput
from .trees import Trees

BENCHES: dict[str, Callable[[Trees], Iterator[Figure]]] = {
    "cold": cold,
    "idle": idle,
    "sweep": sweep,
    "latency": latency,
    "append": append,
    "shelves": shelves,
    "throughput": throughput,
    "fanout": fanout,
    "gateway": gateway,
    "fleet": fleet,
    "page": page,
    "restart": restart,
    "start": start,
    "opening": opening,
    "draw": draw,
}


def main() -> int:
    """Run what was named, or everything. Returns 1 if a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"one of {', '.join(BENCHES)}; all of them by default")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--tree", metavar="DIR", default="build/trees", help="where trees are kept (build/trees)")
    options = parser.parse_args()
    if unknown := set(options.name) - set(BENCHES):
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    found: list[tuple[str, Figure]] = []
    for name in options.name or BENCHES:
        began = time.monotonic()
        sys.stderr.write(f"{name} ...\n")
        try:
            for figure in BENCHES[name](Trees(options.tree)):
                found.append((name, figure))
                sys.stderr.write(f"  {_line(figure)}\n")
        except Skipped as reason:
            sys.stderr.write(f"  skipped: {reason}\n")
        sys.stderr.write(f"  {time.monotonic() - began:.0f} s\n")
    sys.stdout.write(_table([figure for _, figure in found]))
    if options.json:
        with open(options.json, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(_document(found))))
    return int(any(figure.met is False for _, figure in found))


def _document(found: list[tuple[str, Figure]]) -> dict[str, object]:
    machine = {"python": platform.python_version(), "system": platform.platform(), "processors": os.cpu_count()}
    load = os.getloadavg()[0]
    return {
        "machine": machine, "load": load,
        "figures": [{"bench": name, **msgspec.to_builtins(figure), "met": figure.met} for name, figure in found],
    }  # fmt: skip


def _line(figure: Figure) -> str:
    verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
    return f"{figure.what}: {_number(figure.value)} {figure.unit}  {figure.bar}  {verdict}  {figure.detail}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.2f}"


def _table(figures: list[Figure]) -> str:
    lines = ["| what | figure | bar | | made of |", "| --- | --- | --- | --- | --- |"]
    for each in figures:
        verdict = {None: "", True: "met", False: "**missed**"}[each.met]
        lines.append(f"| {each.what} | {_number(each.value)} {each.unit} | {each.bar} | {verdict} | {each.detail} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
