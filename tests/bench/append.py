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
    ratios: dict[int, tuple[float, float, float]] = {}
    for megabytes in (6, 60):
        with folder() as home:
            os.environ["BELLBOARD_SPOOL"] = str(home / "spool")
            ratios[megabytes] = _measured(str(home), megabytes)
    for megabytes, (ratio, ours, floor) in ratios.items():
        yield Figure(
            what=f"one line appended to {megabytes} MB, parse / bare seek + read + decode", value=ratio, unit="x",
            bar="<= 3" if megabytes == 60 else "", detail=f"{ours * 1e6:.0f} us / {floor * 1e6:.0f} us",
        )  # fmt: skip
    yield Figure(
        what="one line appended, parse in 60 MB / parse in 6 MB", value=ratios[60][1] / ratios[6][1], unit="x",
        bar="<= 1.25",
    )  # fmt: skip


def _measured(home: str, megabytes: int) -> tuple[float, float, float]:
    write = agent("claude", home)
    write(0, 1)
    source = load("claude", None, {"home": home})
    (handle,) = source.discover()
    row = json.dumps({**_claude(0, 2)[0], "type": "progress", "data": "x" * 2000}).encode() + b"\n"
    with open(handle.path, "ab") as file:
        file.write(row * (megabytes * 1_000_000 // len(row)))
    # A transcript of this size was not begun a moment ago: a folder just changed is listed anew each time.
    an_hour_ago = time.time() - 3600
    os.utime(os.path.dirname(handle.path), (an_hour_ago, an_hour_ago))
    cursor = _to_the_end(source, "")
    decoder = msgspec.json.Decoder(Claude)
    ours: list[float] = []
    floor: list[float] = []
    for number in range(2, TIMES + 2):
        size = os.path.getsize(handle.path)
        write(0, number)
        began = time.process_time_ns()
        with open(handle.path, "rb", 0) as file:
            file.seek(size)
            decoder.decode_lines(file.read())
        floor.append((time.process_time_ns() - began) / 1e9)
        (handle,) = source.discover()
        began = time.process_time_ns()
        update, cursor = source.parse(handle, cursor)
        ours.append((time.process_time_ns() - began) / 1e9)
        assert update is not None
        assert update.message_count_delta == 1
    return middle([one / other for one, other in zip(ours, floor, strict=True)]), middle(ours), middle(floor)


def _to_the_end(source: Source, cursor: str) -> str:
    while True:
        (handle,) = source.discover()
        _, after = source.parse(handle, cursor)
        if after == cursor:
            return cursor
        cursor = after
