"""Mutation fuzz of the parsers, by hand: `python tests/fuzz/mutate.py [--source NAME] [--inputs N] [--seed K]`.

A plain byte and token mutator over the lines of tests/data. Mutated lines are put into a file, parsed to its end by a fresh
source; for OpenCode they become rows of its database, or files of its older store, under names and times that may be odd,
too. No exception may leave a parser but OSError and SourceError, and memory stays bounded. Not a test: the short version
of it is tests/sources/test_mutants.py.
"""

import argparse
import json
import random
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

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
    """Return the lines of the genuine files that we have of one agent; OpenCode's rows and files are lines here."""
    if source.startswith("opencode"):
        return [*_rows_of(DATA / "opencode/tools.json"), *_files_of(DATA / "opencode/tree")]
    files = sorted((DATA / source).rglob("*.jsonl"))
    return [line for path in files for line in path.read_bytes().split(b"\n") if line]


def _rows_of(path: Path) -> list[bytes]:
    tables = json.loads(path.read_text(encoding="utf-8"))
    return [row["data"].encode() for table in ("message", "part") for row in tables[table]]


def _files_of(folder: Path) -> list[bytes]:
    # Without the spaces in which the client writes them: a value then stands beside its name, as the mutator expects.
    return [
        json.dumps(json.loads(path.read_bytes()), separators=(",", ":")).encode() for path in folder.rglob("*.json")
    ]


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


def exhaust(source: Source) -> tuple[int, int]:
    """Parse every session to its end; returns how many steps that took, and how many sessions were refused.

    Raises what leaves a parser and must not.
    """
    steps = refused = 0
    for handle in source.discover():
        cursor = ""
        while True:
            try:
                update, after = source.parse(handle, cursor)
            except (OSError, SourceError):
                refused += 1
                break
            if update is not None:
                assert min(update.message_count_delta, update.tool_call_count_delta) >= 0
            if after == cursor:
                break
            cursor, steps = after, steps + 1
    return steps, refused


def write_lines(place: str) -> Callable[[Path, list[bytes], random.Random], None]:
    """Return a writer that puts lines into one file."""

    def write(folder: Path, lines: list[bytes], _chance: random.Random) -> None:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\n".join(lines) + b"\n")

    return write


ODD: tuple[Any, ...] = (
    None,
    "",
    "x",
    "\ud83d".encode("utf-8", "surrogatepass"),
    b"\0\xff",
    -1,
    0,
    1.5,
    1e300,
    1 << 62,
    "9" * 99,
)
"""What may stand in a column instead of what its client writes."""

TABLES = """
    CREATE TABLE session (id, parent_id, slug, directory, title, version, revert, time_created, time_updated,
        time_compacting, time_archived);
    CREATE TABLE message (id, session_id, time_created, time_updated, data);
    CREATE TABLE part (id, message_id, session_id, time_created, time_updated, data);
    CREATE INDEX message_session_time_created_id_idx ON message (session_id, time_created, id);
    CREATE INDEX part_message_id_id_idx ON part (message_id, id);
"""
BEGAN = 1_767_323_045_000


def write_rows(folder: Path, lines: list[bytes], chance: random.Random) -> None:
    """Put lines into the rows of a database: of two sessions, their messages and parts."""

    lines.sort(key=_is_part)

    def sound(value: Any) -> Any:
        return chance.choice(ODD) if chance.random() < 0.03 else value

    with closing(sqlite3.connect(folder / "opencode.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            connection.executescript(TABLES)
        connection.execute("BEGIN")
        for table in ("session", "message", "part"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        for name in ("ses_a", "ses_b"):
            row = [name, *(sound(value) for value in (None, "s", "/w", "T", "1.2", None, BEGAN, BEGAN, None, None))]
            connection.execute(f"INSERT INTO session VALUES ({','.join('?' * len(row))})", row)  # noqa: S608 - marks only
        messages = [f"msg_{number:04d}" for number in range(len(lines) // 4 + 1)]
        for number, line in enumerate(lines):
            session, at = f"ses_{'ab'[number % 2]}", BEGAN + number
            # Text that is no UTF-8 can get into a column as well: through a cast.
            data = "CAST(? AS TEXT)" if chance.random() < 0.9 else "?"
            if number < len(messages):
                row = [sound(messages[number]), session, sound(at), sound(at), line]
                connection.execute(f"INSERT INTO message VALUES (?, ?, ?, ?, {data})", row)  # noqa: S608 - marks only
            else:
                row = [sound(f"prt_{number:04d}"), chance.choice(messages), session, sound(at), sound(at), line]
                connection.execute(f"INSERT INTO part VALUES (?, ?, ?, ?, ?, {data})", row)  # noqa: S608 - marks only
        connection.execute("COMMIT")


def _is_part(line: bytes) -> bool:
    return b'"role"' not in line[:100]


def write_files(folder: Path, lines: list[bytes], chance: random.Random) -> None:
    """Put lines into the files of the older store: of one session, its messages and parts."""
    shutil.rmtree(folder / "storage", ignore_errors=True)
    lines.sort(key=_is_part)
    messages = [f"msg_{(BEGAN + number) * 4096 % (1 << 48):012x}AAAA" for number in range(len(lines) // 4 + 1)]
    for number, line in enumerate(lines):
        if number == 0:
            place = "session/global/ses_a"
        elif number <= len(messages):
            place = f"message/ses_a/{messages[number - 1]}"
        else:
            place = f"part/{chance.choice(messages)}/prt_{number:04d}"
        path = folder / "storage" / f"{place}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        # Every session must be there at times, or nothing of it is ever read.
        path.write_bytes(
            line if number or chance.random() < 0.1 else b'{"id":"ses_a","time":{"created":1767323045000}}'
        )


WRITERS = {
    **{name: write_lines(place) for name, place in PLACES.items()},
    "opencode": write_rows,
    "opencode-tree": write_files,
}


def run(name: str, inputs: int, seed: int, batch: int = 200) -> int:
    """Feed `inputs` mutated lines to one parser, `batch` lines at once; returns how many steps the parser made."""
    steps = refused = 0
    chance, began = random.Random(seed), time.monotonic()
    source_lines = mutants(lines_of(name), chance)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(0, inputs, batch):
            WRITERS[name](Path(folder), [next(source_lines) for _ in range(batch)], chance)
            told = exhaust(load(name.partition("-")[0], None, {"home": folder}))
            steps, refused = steps + told[0], refused + told[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    took = time.monotonic() - began
    print(
        f"{name}: {inputs:,} inputs, {steps:,} steps, {refused:,} sessions refused, 0 exceptions, peak {peak} MiB,"
        f" {took:.0f} s, seed {seed}",
        flush=True,
    )
    return steps


def main() -> int:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=[*WRITERS], action="append")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.source or WRITERS:
        run(name, options.inputs, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
