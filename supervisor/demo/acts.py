"""Acts: what a simulated agent does to its files, one step at a time, and what each step adds to the counts.

Pure: actors yield acts, `stage.py` performs them, `tally.py` adds up what they said. Texts hold marks (`marks.py`) for what
is only known when an act is performed.
"""

import itertools
import json
import random
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, Protocol

from msgspec import Struct

Row = dict[str, Any]


class Said(Struct, frozen=True):
    """What an act adds to the counts of one conversation: a session's, or that of a subagent without a session row."""

    source: str
    id: str
    messages: int = 0
    calls: int = 0
    compactions: int = 0


class Put(Struct, frozen=True):
    """One row of a database, put in the place of the one with its id."""

    table: str
    row: Row


class Act(Struct, frozen=True, kw_only=True):
    """After `pause` seconds do something to the file at `path` (relative to the home). Without content: only wait.

    `append` and `write` take `text`, `lock` holds the file as a living client does, `rows` go into a database.
    """

    pause: float = 0.0
    path: str = ""
    text: str = ""
    how: Literal["append", "write", "lock", "rows"] = "append"
    rows: tuple[Put, ...] = ()
    said: tuple[Said, ...] = ()


class Actor(Protocol):
    """One simulated agent. `manner` is how it behaves, in a word or two."""

    source: str
    manner: str

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        ...


class Task(Struct, frozen=True):
    """What a simulated person wants: in words, where, and what the person says later."""

    title: str
    project: str
    branch: str
    later: tuple[str, ...] = ("And now the docs, please", "Run the tests again", "Looks good, go on")

    @property
    def folder(self) -> str:
        """The project's folder. Nobody looks into it: it need not exist."""
        return f"/home/you/{self.project}"

    def words(self, turn: int) -> str:
        """What the person says in this turn."""
        return self.title if turn == 0 else self.later[(turn - 1) % len(self.later)]


def wait(seconds: float) -> Act:
    """Return an act that lets time pass."""
    return Act(pause=seconds)


def dump(row: Row) -> str:
    """Return a row as the clients write JSON."""
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False)


def line(row: Row) -> str:
    """Return one JSONL line."""
    return dump(row) + "\n"


class Ids:
    """Identifiers and choices: random-looking, and the same in each run that begins at the same moment."""

    def __init__(self, seed: str, born: datetime) -> None:
        self.born = born
        self.random = random.Random(seed)  # noqa: S311 - a script, not a secret
        self._numbers = itertools.count(1)

    def uuid(self) -> str:
        """Return a random uuid (version 4)."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def uuid7(self) -> str:
        """Return a uuid that begins with a time (version 7), as Codex and Pi name their sessions."""
        moment = int(self.born.timestamp() * 1000) << 80
        value = moment | 0x7 << 76 | self.random.getrandbits(12) << 64 | 0b10 << 62 | self.random.getrandbits(62)
        return str(uuid.UUID(int=value))

    def hex(self, digits: int) -> str:
        """Return so many hexadecimal digits."""
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def next(self) -> int:
        """Return the next number."""
        return next(self._numbers)

    def between(self, least: float, most: float) -> float:
        """Return a number of seconds."""
        return self.random.uniform(least, most)

    def number(self, least: int, most: int) -> int:
        """Return a whole number."""
        return self.random.randint(least, most)

    def one_of(self, choices: tuple[str, ...]) -> str:
        """Return one of these words."""
        return self.random.choice(choices)
