"""Append: one line more in a large file, the source's `parse` alone."""

import json
import os
import time
from collections.abc import Iterator

import msgspec

from bellboard.sources.catalog import load
from bellboard.sources.contract import Source

from .board import folder
from .figures import Figure, middle
from .floor import Claude
from .trees import Trees
from .writer import _claude, agent

TIMES = 300


def append(_trees: Trees) -> Iterator[Figure]:
    """`parse` of one appended line, against open + seek + read + decode of the same line."""
    with folder() as place:
        os.environ["BELLBOARD_SPOOL"] = str(place / "spool")
        files = {megabytes: _File(str(place / str(megabytes)), megabytes) for megabytes in (6, 60)}
        for number in range(2, TIMES + 2):
            for each in files.values():  # in turns: the machine is faster in one second than in the next
                each.step(number)
    for megabytes, each in files.items():
        yield Figure(
            what=f"one line appended to {megabytes} MB, parse / bare seek + read + decode",
            value=middle([ours / floor for ours, floor in each.times]), unit="x",
            bar="<= 3" if megabytes == 60 else "",
            detail=" / ".join(f"{middle(list(each)) * 1e6:.0f} us" for each in zip(*each.times, strict=True)),
        )  # fmt: skip
    pairs = zip(files[60].times, files[6].times, strict=True)
    yield Figure(
        what="one line appended, parse in 60 MB / parse in 6 MB",
        value=middle([large / small for (large, _), (small, _) in pairs]), unit="x", bar="<= 1.25",
    )  # fmt: skip


class _File:
    """One large transcript; `times` are seconds of CPU of each step, ours and the floor's."""

    def __init__(self, home: str, megabytes: int) -> None:
        os.makedirs(home)
        self.times: list[tuple[float, float]] = []
        self._write = agent("claude", home)
        self._write(0, 1)
        self._source = load("claude", None, {"home": home})
        (handle,) = self._source.discover()
        row = json.dumps({**_claude(0, 2)[0], "type": "progress", "data": "x" * 2000}).encode() + b"\n"
        with open(handle.path, "ab") as file:
            file.write(row * (megabytes * 1_000_000 // len(row)))
        # A transcript of this size was not begun a moment ago: a folder just changed is listed anew each time.
        an_hour_ago = time.time() - 3600
        os.utime(os.path.dirname(handle.path), (an_hour_ago, an_hour_ago))
        self._path = handle.path
        self._cursor = _to_the_end(self._source, "")
        self._decoder = msgspec.json.Decoder(Claude)

    def step(self, number: int) -> None:
        """Append a line, and read it both ways."""
        size = os.path.getsize(self._path)
        self._write(0, number)
        began = time.process_time_ns()
        with open(self._path, "rb", 0) as file:
            file.seek(size)
            self._decoder.decode_lines(file.read())
        floor = (time.process_time_ns() - began) / 1e9
        (handle,) = self._source.discover()
        began = time.process_time_ns()
        update, self._cursor = self._source.parse(handle, self._cursor)
        self.times.append(((time.process_time_ns() - began) / 1e9, floor))
        assert update is not None
        assert update.message_count_delta == 1


def _to_the_end(source: Source, cursor: str) -> str:
    while True:
        (handle,) = source.discover()
        _, after = source.parse(handle, cursor)
        if after == cursor:
            return cursor
        cursor = after
