"""Reread: which bytes below a cursor a worker that begins anew reads again. `python -m tests.bench.reread HOME CURSORS`.

Reads the sessions of a home of Claude Code on from the cursors in a file, and writes them there. Run under strace, the
second time shows what is read of a file whose beginning is known.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from bellboard.sources.catalog import load
from bellboard.workers.round import Parsed, Round

from .figures import Figure, Skipped, clean, python
from .writer import agent, name_of

CHANGED = 7
MOST_BYTES = 1024 + 256
"""The first kilobyte and the last bytes before the cursor are compared with their checksums before anything is believed."""

_READ = re.compile(r"^\d+ +(read|pread64|readv|preadv)\(\d+<(.+?)>.*?(?:, (\d+))?\) = (\d+)$")


def reread(home: Path, sessions: int) -> Figure:
    """Return how much of what stands below a cursor is read again when one of many sessions has changed."""
    if shutil.which("strace") is None:
        raise Skipped("what is read is seen with strace, which is not here")
    append, cursors, trace = agent("claude", str(home)), home / "cursors.json", home / "trace.txt"
    for message in range(100, 110):
        append(CHANGED, message)  # larger than what is compared
    command = python("-m", "tests.bench.reread", str(home), str(cursors))
    subprocess.run(command, check=True, env=clean(), stdout=subprocess.DEVNULL)
    sizes = {str(path): path.stat().st_size for path in home.glob("projects/*/*.jsonl")}
    append(CHANGED, 110)
    words = ["strace", "-f", "-y", "-s", "0", "-e", "trace=read,pread64,readv,preadv", "-o", str(trace)]
    told = subprocess.run([*words, *command], check=True, env=clean(), capture_output=True, text=True).stdout.split()
    again, calls = _below(trace.read_text().splitlines(), sizes)
    changed = next(path for path in sizes if name_of("claude", CHANGED) in path)
    return Figure(
        what="bytes below a cursor read again, worst session", value=max(again.values(), default=0), unit="B",
        bar=f"<= {MOST_BYTES}", detail=f"{sum(again.values()):,} B in all, {sum(again.values()) - again[changed]:,} of "
        f"them in the {sessions - 1:,} sessions that did not change; {calls} reads, {told[0]} new message(s)",
    )  # fmt: skip


def _below(lines: list[str], sizes: dict[str, int]) -> tuple[Counter[str], int]:
    """Return how many bytes below each file's earlier size were read, and in how many calls any of them."""
    again: Counter[str] = Counter()
    calls = 0
    for line in lines:
        found = _READ.match(line)
        if found is None or found[2] not in sizes:
            continue
        calls += 1
        # Where a call does not say from where it reads, all of it counts.
        start, count = int(found[3]) if found[1] == "pread64" else 0, int(found[4])
        again[found[2]] += max(0, min(start + count, sizes[found[2]]) - start)
    return again, calls


def main() -> None:
    """Read on, print how many messages were new, write the cursors."""
    home, path = sys.argv[1], Path(sys.argv[2])
    cursors: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    work = Round(load("claude", None, {"home": home}))
    work.grant(cursors, {})
    work.discover(time.time())
    new = 0
    while work.backlog:
        result = work.step()
        if isinstance(result, Parsed):
            cursors[result.handle.id] = result.after
            new += result.facts.message_count_delta if result.facts is not None else 0
    path.write_text(json.dumps(cursors))
    sys.stdout.write(f"{new}\n")


if __name__ == "__main__":
    main()
