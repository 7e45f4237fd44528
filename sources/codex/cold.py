"""Cold: read on in a rollout that its client has compressed (`.jsonl.zst`), by offsets in the decompressed text.

The client compresses a file that nobody touched for a week, and writes a plain one again when the thread is resumed.
The text is the same, so a `Mark` made on one serves on the other. There is no way into the middle of such a file: it is
decompressed from its start, but the open stream is kept for the next piece. The counterpart is `sources/tail.py`.
"""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO, Protocol, TypeAlias
from zlib import crc32

from ..contract import READ_LIMIT
from ..errors import ArtifactTooLarge, SourceError
from ..tail import HEAD_BYTES, LINE_LIMIT, TAIL_BYTES, Mark, Piece, stamp_of

COLD_LIMIT = 4 * 1024 * 1024 * 1024
"""Bytes of decompressed text; a file of more is refused, because each restart pays for all of it again."""


class Reader(Protocol):
    """What a decompressor offers."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` decompressed bytes, none at the end."""
        ...


Opener: TypeAlias = Callable[[BinaryIO], Reader]


def find_opener() -> tuple[Opener, tuple[type[Exception], ...]] | None:
    """Return how to decompress and what that raises: Python's own module (3.14), else the extra one, else None."""
    try:
        own: Any = import_module("compression.zstd")
    except ImportError:
        pass
    else:
        return own.ZstdFile, (own.ZstdError, EOFError)
    try:
        extra: Any = import_module("zstandard")
    except ImportError:
        return None
    return lambda file: extra.ZstdDecompressor().stream_reader(file, read_across_frames=True), (extra.ZstdError,)


class Stream:
    """Decompressed text of one file, read forward only; `offset` is where it stands."""

    def __init__(self, path: str, opener: Opener) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - kept open for the next piece
        self.status = os.fstat(self._file.fileno())
        self.offset = 0
        self._ended = False
        self.head = b""
        self.tail = b""
        self._ahead = bytearray()
        self._reader = opener(self._file)

    def ends_after(self, size: int) -> bool:
        """Whether the text is known to end within the next `size` bytes."""
        return self._ended and len(self._ahead) <= size

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes without moving on; fewer only at the end."""
        while len(self._ahead) < size and not self._ended:
            part = self._reader.read(min(READ_LIMIT, size - len(self._ahead)))
            self._ahead += part
            self._ended = not part
        return bytes(self._ahead[:size])

    def move(self, size: int) -> None:
        """Move on by `size` bytes that were peeked at."""
        passed = bytes(self._ahead[:size])
        if len(self.head) < HEAD_BYTES:
            self.head += passed[: HEAD_BYTES - len(self.head)]
        self.tail = (self.tail + passed)[-TAIL_BYTES:] if size < TAIL_BYTES else passed[-TAIL_BYTES:]
        del self._ahead[:size]
        self.offset += size

    def seek(self, offset: int) -> bool:
        """Move on to `offset`; False if the text ends before it."""
        while self.offset < offset:
            size = len(self.peek(min(READ_LIMIT, offset - self.offset)))
            if not size:
                return False
            self.move(size)
        return True

    def stands_at(self, mark: Mark) -> bool:
        """Whether this is the text, and the place in it, that the mark describes."""
        return self.offset == mark.offset and crc32(self.tail) == mark.tail and crc32(self.head) == mark.head

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def __del__(self) -> None:
        self.close()


class Cold:
    """Reads compressed rollouts, one at a time. Without a decompressor `available` is False and nothing can be read."""

    def __init__(self) -> None:
        found = find_opener()
        self.available = found is not None
        self._opener, self._errors = found or (None, ())
        self._kept: Stream | None = None

    def read_on(self, path: str, mark: Mark, budget: int = READ_LIMIT) -> Piece | None:
        """Read as `sources/tail.py` does. Raises OSError, and SourceError if the text cannot be decompressed."""
        status = os.stat(path)
        if mark.stamp and mark.stamp == stamp_of(status) and mark.dev == status.st_dev:
            return None
        try:
            stream, replaced = self._at(path, status, mark)
            piece = _piece(stream, Mark() if replaced else mark, budget, replaced=replaced)
        except self._errors as error:
            self.close()
            raise SourceError("a compressed rollout cannot be decompressed") from error
        if not piece.more:
            self.close()
        elif stream.offset > COLD_LIMIT:
            self.close()
            raise ArtifactTooLarge(f"a compressed rollout holds more than {COLD_LIMIT:,} bytes")
        return piece

    def close(self) -> None:
        """Let the file that was last read go."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _at(self, path: str, status: os.stat_result, mark: Mark) -> tuple[Stream, bool]:
        """Return a stream that stands at the mark, or at the beginning if the text is another one (True)."""
        kept = self._kept
        if kept is not None and os.path.samestat(kept.status, status) and kept.stands_at(mark):
            return kept, False
        stream = self._open(path)
        if stream.seek(mark.offset) and (mark.offset == 0 or stream.stands_at(mark)):
            return stream, False
        return self._open(path), True

    def _open(self, path: str) -> Stream:
        self.close()
        if self._opener is None:
            raise SourceError("no zstandard module to read a compressed rollout")
        self._kept = Stream(path, self._opener)
        return self._kept


def _piece(stream: Stream, mark: Mark, budget: int, *, replaced: bool) -> Piece:
    skipping = mark.skipping
    overlong: tuple[bytes, ...] = ()
    if skipping:
        rest = stream.peek(budget)
        end = rest.find(b"\n") + 1
        stream.move(end or len(rest))
        skipping = not end
    data = b"" if skipping else stream.peek(budget)
    cut = data.rfind(b"\n") + 1
    while data and not cut and len(data) < LINE_LIMIT and not stream.ends_after(len(data)):
        data = stream.peek(min(LINE_LIMIT, len(data) + READ_LIMIT))
        cut = data.find(b"\n") + 1
    if not cut and len(data) >= LINE_LIMIT:
        overlong, skipping = (data[:512],), True
        stream.move(len(data))
        data = b""
    stream.move(cut)
    # What is left behind the last newline of an ended text is a torn line: it waits for the file to change.
    complete = stream.ends_after(len(data) - cut) and data.find(b"\n", cut) < 0
    after = Mark(
        dev=stream.status.st_dev, ino=stream.status.st_ino, offset=stream.offset, skipping=skipping,
        head=crc32(stream.head), tail=crc32(stream.tail), stamp=stamp_of(stream.status) if complete else "",
    )  # fmt: skip
    return Piece(data[:cut], after, stream.status.st_mtime, replaced, overlong)
