"""Figures: what a benchmark found, as a ratio to a floor that was measured in the same run."""

import operator
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

_RULES: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}


class Figure(Struct, kw_only=True):
    """One number. `bar` is a rule for it such as "<= 2.0"; `detail` says what it is made of."""

    what: str
    value: float
    unit: str
    bar: str = ""
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None if there is none."""
        rule, _, limit = self.bar.partition(" ")
        return _RULES[rule](self.value, float(limit.replace(",", ""))) if self.bar else None


class Skipped(Exception):
    """Raised by a benchmark that cannot run here; it says why."""


class Cost(Struct):
    """What a command and all its children used, in seconds."""

    cpu: float
    wall: float
    output: bytes = b""


def run(words: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """Run a command to its end; its CPU and that of its children is all there is to wait for. Raises if it fails."""
    before, began = _children(), time.perf_counter()
    done = subprocess.run(words, capture_output=True, check=False, env=clean(environment))
    wall = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[:6])} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return Cost(_children() - before, wall, done.stdout)


def clean(more: dict[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which Python keeps its compiled modules, as an installed program does."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | (more or {})


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def python(*words: str) -> list[str]:
    """Return the command that runs a module of this folder, or code, with this Python."""
    return [sys.executable, *words]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def middle(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)
