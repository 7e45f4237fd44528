"""Mutation fuzz of the parsers, by hand: `python tests/fuzz/mutate.py [--source NAME] [--inputs N] [--seed K]`.

A plain byte and token mutator over the lines of tests/data. Each input is a file of mutated lines, parsed to its end by a
fresh source; no exception may leave a parser but OSError and SourceError, and memory stays bounded. Not a test: the short
version of it is tests/sources/test_mutants.py.
"""

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bellboard.sources.catalog import load
from bellboard.sources.contract import Source
from bellboard.sources.errors import SourceError

DATA = Path(__file__).parents[1] / "data"
TOKENS = (
    b"null",
    b"{}",
    b"[]",
    b'""',
    b"0",
    b"-1",
    b"1e309",
    b"99999999999999999999",
    b"true",
    b'"\\ud83d"',
    b"\0",
    b"\xff",
)
UUID = "00000000-0000-4000-8000-000000000001"
PLACES = {
    "claude": f"projects/-w/{UUID}.jsonl",
    "codex": f"sessions/2026/01/02/rollout-2026-01-02T03-04-05-{UUID}.jsonl",
    "gemini": f"tmp/app/chats/session-2026-01-02T03-04-{UUID[:8]}.jsonl",
    "pi": f"agent/sessions/--w--/2026-01-02T03-04-05-000Z_{UUID}.jsonl",
}


def lines_of(source: str) -> list[bytes]:
    """Return the lines of the genuine files that we have of one agent."""
    files = sorted((DATA / source).rglob("*.jsonl"))
    return [line for path in files for line in path.read_bytes().split(b"\n") if line]


def mutants(lines: list[bytes], chance: random.Random) -> Iterator[bytes]:
    """Yield mutated lines for ever: bytes flipped, cut, doubled, values replaced by tokens, lines joined."""
    while True:
        line = bytearray(chance.choice(lines)[:20_000])
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(line) + 1)
            match chance.randrange(6):
                case 0 if line:
                    line[at % len(line)] = chance.randrange(256)
                case 1:
                    del line[at : at + chance.randrange(1, 50)]
                case 2:
                    line[at:at] = line[at : at + chance.randrange(1, 200)]
                case 3:
                    colon = line.find(b":", at)
                    end = min((e for e in (line.find(b",", colon), line.find(b"}", colon)) if e > 0), default=-1)
                    if 0 < colon < end:
                        line[colon + 1 : end] = chance.choice(TOKENS)
                case 4:
                    line[at:at] = chance.choice(TOKENS)
                case _:
                    line[at:at] = chance.choice(lines)[: chance.randrange(1, 2000)]
        yield bytes(line)


def exhaust(source: Source) -> int:
    """Parse every session to its end; returns how many steps that took. Raises what leaves a parser and must not."""
    steps = 0
    for handle in source.discover():
        cursor = ""
        while True:
            try:
                update, after = source.parse(handle, cursor)
            except (OSError, SourceError):
                break
            if update is not None:
                assert min(update.message_count_delta, update.tool_call_count_delta) >= 0
            if after == cursor:
                break
            cursor, steps = after, steps + 1
    return steps


def run(name: str, inputs: int, seed: int, batch: int = 200) -> int:
    """Feed `inputs` mutated lines to one parser, `batch` lines a file; returns how many steps the parser made."""
    steps = 0
    chance, began = random.Random(seed), time.monotonic()
    source_lines = mutants(lines_of(name), chance)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, PLACES[name])
        path.parent.mkdir(parents=True)
        for _ in range(0, inputs, batch):
            path.write_bytes(b"\n".join(next(source_lines) for _ in range(batch)) + b"\n")
            steps += exhaust(load(name, None, {"home": folder}))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    took = time.monotonic() - began
    print(f"{name}: {inputs:,} inputs, {steps:,} steps, 0 exceptions, peak {peak} MiB, {took:.0f} s, seed {seed}")
    return steps


def main() -> int:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=[*PLACES], action="append")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.source or PLACES:
        run(name, options.inputs, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
