"""Sizes beyond measure, by hand: `python tests/fuzz/sizes.py [--agent NAME]... [--short]`.

A line of 100 MB, a session of a million prompts and a home of 20,000 sessions for each agent, read by a process of its own
whose peak of memory is what is told. Not a test: the short version of it is tests/sources/test_sizes.py.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from hostile_home import AGENTS, Agent, OpenCodeStore, OpenCodeTree, source

from bellboard.sources.conformance import read

AROUND = 10
"""Prompts before and after a monstrous one."""


class Size(NamedTuple):
    """How large it gets: bytes of one prompt, prompts of one session, sessions of one home.

    OpenCode keeps no lines: those of a tree and of a database are its messages.
    """

    line: int
    lines: int
    files: int
    lines_of_a_tree: int
    lines_of_a_database: int


LONG = Size(100_000_000, 1_000_000, 20_000, 5_000, 100_000)
SHORT = Size(20_000_000, 20_000, 400, 300, 2000)


class Figures(NamedTuple):
    """What a reader of its own says: sessions and messages, seconds to find, to read and to look again, peak MiB."""

    sessions: int
    messages: int
    discover: float
    read: float
    idle: float
    peak: int


class Repeated:
    """The same prompt many times, without a list of them."""

    def __init__(self, text: str, times: int) -> None:
        self.text = text
        self.times = times

    def __iter__(self) -> Iterator[str]:
        return (self.text for _ in range(self.times))


def monstrous(size: int) -> list[str]:
    """Ordinary prompts around one of `size` bytes."""
    return [*["before"] * AROUND, "x" * size, *["after"] * AROUND]


def make_line(agent: Agent | OpenCodeStore | OpenCodeTree, home: Path, size: Size) -> tuple[int, int]:
    """Make one session with one monstrous prompt. Returns the least and the most messages it may be said to have."""
    agent.put(home, monstrous(size.line))
    return 2 * AROUND, 2 * AROUND + 1


def make_lines(agent: Agent | OpenCodeStore | OpenCodeTree, home: Path, size: Size) -> tuple[int, int]:
    """Make one session of very many prompts."""
    count = size.lines
    if isinstance(agent, OpenCodeStore):
        count = size.lines_of_a_database
    elif isinstance(agent, OpenCodeTree):
        count = size.lines_of_a_tree
    agent.put(home, Repeated("again", count))
    return count, count


def make_files(agent: Agent | OpenCodeStore | OpenCodeTree, home: Path, size: Size) -> tuple[int, int]:
    """Make very many sessions."""
    if isinstance(agent, OpenCodeStore):
        agent.put_all(home, ((number, ["one", "two"]) for number in range(1, size.files + 1)))
    else:
        for number in range(1, size.files + 1):
            agent.put(home, ["one", "two"], number)
    return 2 * size.files, 2 * size.files


KINDS: dict[str, Callable[[Agent | OpenCodeStore | OpenCodeTree, Path, Size], tuple[int, int]]] = {
    "line": make_line,
    "lines": make_lines,
    "files": make_files,
}
HOMES: dict[str, Agent | OpenCodeStore | OpenCodeTree] = {
    **{agent.name: agent for agent in AGENTS},
    "opencode": OpenCodeStore(),
    "opencode-tree": OpenCodeTree(),
}


def measure(name: str, home: Path) -> Figures:
    """Read a home to its end, and look at it once more, in this process."""
    began = time.monotonic()
    asked = source(name, home)
    handles = list(asked.discover())
    found = time.monotonic()
    cursors: dict[str, str] = {}
    messages = 0
    for handle in handles:
        seen = read(asked, handle)
        cursors[handle.id] = seen.cursor
        messages += seen.messages
    done = time.monotonic()
    for handle in asked.discover():
        update, cursor = asked.parse(handle, cursors[handle.id])
        assert (update, cursor) == (None, cursors[handle.id]), "something was new where nothing had happened"
    idle = time.monotonic()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    return Figures(len(handles), messages, found - began, done - found, idle - done, peak)


def run(home_name: str, kind: str, size: Size) -> tuple[Figures, tuple[int, int]]:
    """Make a home and have it read by a process of its own; returns its figures and the messages that are right."""
    agent = HOMES[home_name]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        right = KINDS[kind](agent, home, size)
        command = [sys.executable, __file__, "--measure", agent.name, str(home)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if told.returncode:
            raise RuntimeError(told.stderr)
        return Figures(*json.loads(told.stdout)), right


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", choices=[*HOMES], action="append")
    parser.add_argument("--kind", choices=[*KINDS], action="append")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        print(json.dumps(measure(options.measure[0], Path(options.measure[1]))))
        return 0
    for name in options.agent or HOMES:
        for kind in options.kind or KINDS:
            figures, right = run(name, kind, SHORT if options.short else LONG)
            verdict = "exact" if right[0] <= figures.messages <= right[1] else f"WRONG, {right}"
            print(
                f"{name} {kind}: {figures.sessions:,} sessions, {figures.messages:,} messages ({verdict}), found in"
                f" {figures.discover:.2f} s, read in {figures.read:.2f} s, looked again in {figures.idle:.2f} s,"
                f" peak {figures.peak} MiB",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
