"""Logbook: what workers write to their standard streams, bounded in rate and in size.

It is passed on to our own log and kept in a file for each source that is rotated. Nothing here may hold a worker up: lines
beyond the rate are counted and dropped, and so is everything while the disk is full.
"""

import contextlib
import logging
import logging.handlers
import os
from collections.abc import Iterable

from msgspec import Struct

log = logging.getLogger("bellboard")

LINES_PER_SECOND = 200
FILE_BYTES = 1024 * 1024
FILES = 5


class Flow(Struct):
    """One source's lines in the present second, and how many of them were dropped."""

    second: int = -1
    lines: int = 0
    dropped: int = 0

    def admit(self, lines: Iterable[str], clock: float) -> list[str]:
        """Return the lines that may pass; what was dropped in an earlier second is said first."""
        passed: list[str] = []
        if int(clock) != self.second:
            if self.dropped:
                passed.append(f"... {self.dropped} more lines within a second were dropped")
            self.second, self.lines, self.dropped = int(clock), 0, 0
        for line in lines:
            if self.lines < LINES_PER_SECOND:
                self.lines += 1
                passed.append(line)
            else:
                self.dropped += 1
        return passed


class Pages(logging.handlers.RotatingFileHandler):
    """A rotated file that loses lines rather than raising when it cannot be written."""

    def __init__(self, path: str) -> None:
        super().__init__(
            path, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8", errors="replace", delay=True
        )
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self.lost = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Count a line that could not be written; the next one begins with opening the file."""
        del record
        self.lost += 1
        self._let_go()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, into a new file where the old one was taken away."""
        if self.stream is not None and not os.path.exists(self.baseFilename):
            self._let_go()
        super().emit(record)

    def close(self) -> None:
        """Close the file, whatever becomes of its last lines."""
        self._let_go()
        super().close()

    def _let_go(self) -> None:
        stream, self.stream = self.stream, None  # type: ignore[assignment] - the library does so itself
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


class Logbook:
    """The logs of all sources. `folder` None keeps nothing on disk."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._flows: dict[str, Flow] = {}
        self._pages: dict[str, Pages] = {}
        self._told = False

    def write(self, source: str, lines: list[str], clock: float) -> None:
        """Pass on what a worker wrote."""
        flow = self._flows.setdefault(source, Flow())
        pages = self._open(source)
        for line in flow.admit(lines, clock):
            log.info("%s: %s", source, line)
            if pages is not None:
                pages.handle(logging.LogRecord(source, logging.INFO, "", 0, "%s", (line,), None))

    def close(self) -> None:
        """Close the files."""
        for pages in self._pages.values():
            pages.close()
        self._pages.clear()

    def _open(self, source: str) -> Pages | None:
        if self._folder is None:
            return None
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
        except OSError as error:
            if not self._told:
                log.warning("cannot keep the workers' logs: %s", error.strerror)
            self._told = True
            return None
        self._told = False
        if source not in self._pages:
            self._pages[source] = Pages(os.path.join(self._folder, f"{source}.log"))
        return self._pages[source]
