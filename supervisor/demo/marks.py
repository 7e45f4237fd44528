"""Marks: places in an act's text for what is known only when the act is performed. Pure.

The actors write marks, the stage fills them in: with the time of the act, and with the process that plays the client. A
mark with a name is filled with what it was at its first use, because records that are written again keep their times.
"""

import re
from datetime import UTC, datetime

from msgspec import Struct

NOW, MS, SECONDS = "{now}", "{ms}", "{s}"
"""The time of the act: ISO in UTC; as a number of milliseconds, and of seconds."""

PID, BORN, BEGUN = "{pid}", "{born}", "{begun}"
"""The process that plays the client: its number, its start as the kernel says it, and as milliseconds."""

_MARK = re.compile(r"\{(now|ms|s|pid|born|begun)(?:#([\w-]+))?\}")
_NUMBER = re.compile(r'"(\{(?:ms|s|pid|begun)(?:#[\w-]+)?\})"')
"""A number that was written as a text, because JSON has no other place for a mark."""


class Process(Struct, frozen=True):
    """The process that plays a client."""

    pid: int
    born: str
    begun: int


def kept(mark: str, name: str) -> str:
    """Return a mark that stays what it was at its first use under this name."""
    return f"{mark[:-1]}#{name}}}"


def iso(moment: datetime) -> str:
    """Write a time as the clients do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Marks:
    """Fills the marks of one client's acts."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._kept: dict[tuple[str, str], str] = {}

    def fill(self, text: str, moment: datetime) -> str:
        """Return a text without marks."""

        def value(match: re.Match[str]) -> str:
            mark, name = match[1], match[2]
            now = self._value(mark, moment)
            return now if name is None else self._kept.setdefault((mark, name), now)

        return _MARK.sub(value, _NUMBER.sub(r"\1", text))

    def _value(self, mark: str, moment: datetime) -> str:
        process = self._process
        return {
            "now": iso(moment),
            "ms": str(int(moment.timestamp() * 1000)),
            "s": str(int(moment.timestamp())),
            "pid": str(process.pid),
            "born": process.born,
            "begun": str(process.begun),
        }[mark]
