"""Trees: synthetic homes of agents, made once and kept in a folder from run to run."""

import os
import subprocess
import sys
from pathlib import Path

from .figures import Skipped

MAKER = Path(__file__).parents[2] / "../shared/bench/make_corpus.py"

SHAPES = {
    "S": ("--sessions", "100", "--seed", "1"),
    "M": ("--sessions", "1000", "--seed", "2"),
    "idle10k": (
        "--sources", "claude,codex", "--sessions", "5000", "--lines", "8", "--spread", "0.3", "--subagents", "0",
        "--forks", "0", "--seed", "3",
    ),
}  # fmt: skip
"""S: 311 files, 110 MB. M: 3,113 files, 1.19 GB. idle10k: 10,000 small files."""


class Trees:
    """The folder in which trees are kept."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.abspath(folder)

    def get(self, name: str) -> str:
        """Return the path of a tree, making it if need be. Raises Skipped where the maker is absent."""
        path = os.path.join(self.folder, name)
        if not os.path.exists(os.path.join(path, "truth.json")):
            if not MAKER.exists():
                raise Skipped(f"no tree {name} in {self.folder}, and no ../shared/bench/make_corpus.py to make it")
            os.makedirs(self.folder, exist_ok=True)
            subprocess.run([sys.executable, str(MAKER), path, *SHAPES[name]], check=True, stdout=subprocess.DEVNULL)
        return path


def homes(tree: str, *names: str) -> dict[str, str]:
    """Return the folders of the agents in a tree, by source."""
    return {name: os.path.join(tree, f".{name}") for name in names or ("claude", "codex", "gemini")}


def files_of(tree: str) -> list[str]:
    """Return all session files of a tree."""
    found: list[str] = []
    for folder, _, names in os.walk(tree):
        found += [os.path.join(folder, name) for name in names if name.endswith((".jsonl", ".json"))]
    return [path for path in sorted(found) if not path.endswith("/truth.json")]
