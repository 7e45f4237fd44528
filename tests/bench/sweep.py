"""Sweep: a worker's round, without the rest of the worker. `python -m tests.bench.sweep SOURCE HOME TIMES [alone]`.

Reads everything, then looks at everything again TIMES times, and prints the CPU seconds of one look and of a bare stat of
the same files, the least of those times.
"""

import os
import sys
import tempfile
import time

from bellboard.sources.catalog import load
from bellboard.workers.round import Round

from .trees import files_of


def swept(source: str, home: str, times: int, *, bare: bool = True) -> tuple[float, float]:
    """Return the CPU seconds of one look at everything, and of a bare stat of everything (0 unless it is wanted)."""
    files = files_of(home)
    with tempfile.TemporaryDirectory() as spool:
        os.environ["BELLBOARD_SPOOL"] = spool
        work = Round(load(source, None, {"home": home}))
        _look(work)
        ours = min(_look(work) for _ in range(times))
    return ours, min(_stat(files) for _ in range(times)) if bare else 0.0


def _look(work: Round) -> float:
    began = time.process_time()
    fault = work.discover(time.time())
    assert fault is None, fault
    while work.backlog:
        work.step()
    return time.process_time() - began


def _stat(files: list[str]) -> float:
    began = time.process_time()
    for path in files:
        os.stat(path)
    return time.process_time() - began


if __name__ == "__main__":
    ours, floor = swept(sys.argv[1], sys.argv[2], int(sys.argv[3]), bare="alone" not in sys.argv)
    sys.stdout.write(f"{ours} {floor}\n")
