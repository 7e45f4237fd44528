"""A source that counts the lines of the files in its home, and does what a line tells it to do.

Copied into a house by `settle`. The words are the ways in which code of a source can go wrong: `abort`, `segfault`,
`memory` (2 GB), `hoard` (100 MB for good), `exit`, `loop`, `regex` (holds the interpreter's lock), `stuck` (a C call
that does), `read` (a pipe that nobody writes to), `raise`.
"""

import ctypes
import os
import re
from collections.abc import Iterator
from typing import NoReturn

from bellboard.protocol import Evidence
from bellboard.sources import SessionHandle, SourceUpdate


class Faulty:
    def __init__(self, home: str, name: str = "faulty") -> None:
        self.home, self.name = home, name

    def discover(self) -> Iterator[SessionHandle]:
        for name in sorted(os.listdir(self.home)):
            path = os.path.join(self.home, name)
            yield SessionHandle(id=name, path=path, source=self.name, modified_at=os.stat(path).st_mtime)

    def watch(self) -> list[str]:
        return [self.home]

    def touched(self, paths: list[str]) -> Iterator[SessionHandle]:
        for path in paths:
            name = os.path.basename(path)
            yield SessionHandle(id=name, path=path, source=self.name, modified_at=os.stat(path).st_mtime)

    def pulse(self) -> list[SessionHandle]:
        return []

    def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
        with open(handle.path, "rb") as file:
            file.seek(int(cursor or 0))
            data = file.read(4096)
        whole = data.rfind(b"\n") + 1
        if not whole:
            return None, cursor
        for line in data[:whole].split():
            if line.decode() in DEEDS:
                DEEDS[line.decode()]()
        update = SourceUpdate(
            session_id=handle.id,
            activity="working",
            evidence=Evidence(kind="record"),
            message_count_delta=data.count(b"\n"),
        )
        return update, str(int(cursor or 0) + whole)


def dies() -> NoReturn:
    """A factory that ends its process."""
    os.abort()


def _loop() -> NoReturn:
    while True:
        pass


def _read() -> None:
    folder = os.environ.get("TMPDIR", "/tmp")
    path = os.path.join(folder, f"bb-pipe-{os.getpid()}")
    os.mkfifo(path)
    try:
        os.open(path, os.O_RDONLY)
    finally:
        os.unlink(path)


def _raise() -> NoReturn:
    raise ValueError("what was said")


def _memory() -> None:
    hoard = [bytearray(64 << 20) for _ in range(32)]
    hoard.clear()


HOARD: list[bytes] = []


DEEDS = {
    "hoard": lambda: HOARD.append(b"x" * (100 << 20)),
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(0),
    "memory": _memory,
    "exit": lambda: os._exit(3),
    "loop": _loop,
    "regex": lambda: re.match(r"(a+)+$", "a" * 64 + "b"),
    "stuck": lambda: ctypes.PyDLL(None).sleep(600),
    "read": _read,
    "raise": _raise,
}
