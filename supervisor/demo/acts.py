"""Acts: what a simulated agent does to its files, one step at a time. Pure: scripts yield acts, `stage.py` performs them."""

import itertools
import json
import random
import uuid
from typing import Any, Literal

from msgspec import Struct

TASKS = (
    ("Make the retry test stop flaking", "webshop", "fix/retry"),
    ("Add an export button to the report page", "reports", "feature/export"),
    ("Why is the nightly job slow?", "etl", "main"),
    ("Write the release notes for 2.4", "docs", "release/2.4"),
)
"""Title, project and branch of what the simulated people want."""

LATER = ("And now the docs, please", "Run the tests again", "Looks good, go on")

Row = dict[str, Any]


class Act(Struct, frozen=True):
    """After `pause` seconds, append `text` to the file, write it anew, or remove it. `path` is relative to the home.

    `{now}` in the text becomes the time of the act (ISO, UTC), `{pid}` and `{born}` the process that plays. An act without
    text is a pause.
    """

    pause: float
    path: str
    text: str = ""
    how: Literal["append", "write", "remove"] = "append"


def line(row: Row) -> str:
    """Return one JSONL line."""
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n"


class Ids:
    """Reproducible identifiers and choices."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a script, not a secret
        self._numbers = itertools.count(1)

    def uuid(self) -> str:
        """Return a random-looking uuid."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def next(self, prefix: str) -> str:
        """Return the next identifier of a kind."""
        return f"{prefix}_demo{next(self._numbers):06d}"

    def between(self, least: float, most: float) -> float:
        """Return a number of seconds."""
        return self.random.uniform(least, most)
