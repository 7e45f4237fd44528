"""Lodger: a private board for one terminal, as a child process that ends with it. Its counterpart is `private.serve`.

Its state is in memory and its folder is its own, so it disturbs no other board and leaves nothing behind. It reads its end
from a pipe: whichever way this process ends, the pipe is closed, and then the child ends, too.
"""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO

from ..errors import SupervisorError

START_SECONDS = 10.0
END_SECONDS = 5.0
PAUSE_SECONDS = 2.0
"""Between two starts of a board that ended by itself."""


class Lodger:
    """A child `bellboard run --private` with the given options; `folder` is where its sockets are, once it has started."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(words)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = float("-inf")
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as we live
        self.folder = ""
        self.starts = 0

    def start(self) -> str:
        """Start it; returns the folder of its sockets when it is ready. Raises SupervisorError that says why not."""
        self.stop()
        self._started_at = time.monotonic()
        self.starts += 1
        self._complaints.truncate(0)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bellboard.supervisor", "run", "--private", *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,  # a Ctrl-C is for the board on the screen, which then ends this one in good order
        )
        self.folder = self._named(self._process)
        if not self.folder:
            self.stop()
            self._complaints.seek(0)
            said = self._complaints.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise SupervisorError(said.removeprefix("bellboard: ") or "the private board did not start")
        return self.folder

    @property
    def due(self) -> bool:
        """Whether it has ended by itself, and may be started again now."""
        ended = self._process is None or self._process.poll() is not None
        return ended and time.monotonic() - self._started_at >= PAUSE_SECONDS

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return None if self._process is None else self._process.pid

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        for end in (process.stdin, process.stdout):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End it for good."""
        self.stop()
        self._complaints.close()

    @staticmethod
    def _named(process: subprocess.Popen[bytes]) -> str:
        """Return the folder that it names when it is ready, "" if it ends before, or says nothing in time."""
        out = process.stdout
        if out is None:
            return ""
        said = b""
        deadline = time.monotonic() + START_SECONDS
        while not said.endswith(b"\n") and (left := deadline - time.monotonic()) > 0:
            if select.select([out], [], [], left)[0]:
                piece = os.read(out.fileno(), 4096)
                if not piece:
                    return ""
                said += piece
        return os.fsdecode(said.strip())
