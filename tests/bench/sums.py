"""Sums: what the board counts over whole made trees, held against what their maker says it wrote, to the last unit.

    python tests/bench/sums.py TREE...

Claude's forks repeat lines that nothing marks as repeated. What they repeat is found here from the lines alone (an id that
stands in two files), and the board's sums have to differ by exactly that. Exit code 1 if anything else differs.
"""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, cast

KINDS = ("messages", "tool_calls", "input", "output", "cache_read", "cache_creation")
FIELDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
TOKENS = {"input": "input_tokens", "output": "output_tokens", "cache_read": "cache_read_input_tokens",
          "cache_creation": "cache_creation_input_tokens"}  # fmt: skip


WRITTEN: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "claude": (("user_prompts", "assistant_messages"), {kind: kind for kind in KINDS[2:]}),
    "codex": (
        ("user_messages", "agent_messages"),
        {"input": "input_tokens", "output": "output_tokens", "cache_read": "cached_input_tokens"},
    ),
    "gemini": (("user_messages", "gemini_messages"), {"input": "input", "output": "output", "cache_read": "cached"}),
}
"""What the maker calls the same things: its messages, its tokens."""


def counted(tree: Path) -> dict[str, Counter[str]]:
    """Return the board's sums by agent, from one reading of the tree; a helper's are part of them."""
    folders = [
        word
        for agent in WRITTEN
        if (tree / f".{agent}").is_dir()
        for word in ("--source", f"{agent}={tree / f'.{agent}'}")
    ]
    line = [sys.executable, "-m", "bellboard.supervisor", "sessions", "--once", "--json", "--since", "all", *folders]
    done = subprocess.run(line, capture_output=True, check=True, text=True)
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for session in json.loads(done.stdout)["sessions"]:
        for each in (session, *session["subagents"]):
            sums[session["source"]] += Counter(
                messages=each["message_count"],
                tool_calls=each["tool_call_count"],
                **{kind: each[name] or 0 for kind, name in zip(KINDS[2:], FIELDS, strict=True)},
            )
    return sums


def written(tree: Path) -> dict[str, Counter[str]]:
    """Return the maker's own sums by agent, of those that the tree has, under the same names."""
    truth = json.loads((tree / "truth.json").read_text())
    sums: dict[str, Counter[str]] = {}
    for agent, (said, tokens) in WRITTEN.items():
        if made := truth.get(agent):
            sums[agent] = Counter(messages=sum(made[name] for name in said), tool_calls=made["tool_calls"])
            sums[agent] += Counter({kind: made["tokens"][name] for kind, name in tokens.items()})
    return sums


def repeated(tree: Path) -> Counter[str]:
    """Return what Claude's forks say again: of an id in several files, all but the longest.

    A copy may end in the middle of an answer; then the highest of its numbers counts, as always.
    """
    answers: dict[str, dict[Path, list[dict[str, int]]]] = defaultdict(lambda: defaultdict(list))
    calls: dict[str, set[Path]] = defaultdict(set)
    prompts: dict[str, set[Path]] = defaultdict(set)
    for path in (tree / ".claude").rglob("*.jsonl"):
        for row in map(json.loads, path.read_text().splitlines()):
            if row["type"] == "assistant":
                answers[row["message"]["id"]][path].append(row["message"]["usage"])
                for block in row["message"]["content"]:
                    if block["type"] == "tool_use":
                        calls[block["id"]].add(path)
            elif row["type"] == "user" and not _is_result(row):
                prompts[row["uuid"]].add(path)
    again: Counter[str] = Counter(
        messages=sum(len(files) - 1 for files in (*answers.values(), *prompts.values())),
        tool_calls=sum(len(files) - 1 for files in calls.values()),
    )
    for files in answers.values():
        for usages in sorted(files.values(), key=len)[:-1]:
            again += Counter({kind: max(usage[name] for usage in usages) for kind, name in TOKENS.items()})
    return again


def _is_result(row: dict[str, Any]) -> bool:
    content = row["message"]["content"]
    blocks = cast("list[dict[str, Any]]", content) if isinstance(content, list) else []
    return any(block.get("type") == "tool_result" for block in blocks)


def main(trees: list[str]) -> int:
    """Compare each tree; returns the exit code."""
    wrong = 0
    for name in trees:
        tree = Path(name).resolve()
        got, want, again = counted(tree), written(tree), repeated(tree)
        for agent in want:
            extra = again if agent == "claude" else Counter[str]()
            off = {kind: got[agent][kind] - want[agent][kind] for kind in KINDS}
            exact = off == {kind: extra[kind] for kind in KINDS}
            wrong += not exact
            note = f", and what forks repeat: {dict(extra)}" if extra.total() and exact else ""
            values = ", ".join(f"{got[agent][kind]} {kind}" for kind in KINDS)
            verdict = "exact" if exact else f"OFF BY {off}, repeated {dict(extra)}"
            sys.stdout.write(f"{tree.name} {agent}: {verdict}: {values}{note}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
