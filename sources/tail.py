"""Tail: read on in an append-only file, whole lines only, a bounded piece at a time.

A `Mark` remembers where reading stopped and what the file looked like there. Inode and offset say where to go on;
checksums of the first bytes and of the last bytes before the offset only confirm that it is still the same text, they
are never an identity (resumed and forked sessions share their first lines). What cannot be seen: an in-place edit of
equal size in the middle that leaves both ends alone. The counterpart for documents that are saved anew is `whole.py`.
"""

import errno
import os
import stat
from zlib import crc32

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from .contract import READ_LIMIT

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes: a longer line is passed over, and only its head is reported."""

HEAD_BYTES = 1024
TAIL_BYTES = 256


class Mark(Struct, frozen=True, array_like=True):
    """Where reading of one file stopped.

    `head` and `tail` are CRC-32 of the first `min(1024, offset)` and the last `min(256, offset)` bytes before `offset`;
    `skipping` means that `offset` stands inside a line that is being passed over; `stamp` describes the file in the
    shape in which everything in it was consumed, "" while there may be more.
    """

    dev: int = 0
    ino: int = 0
    offset: int = 0
    head: int = 0
    tail: int = 0
    skipping: bool = False
    stamp: str = ""


class Piece(Struct, frozen=True):
    """What one read brought: whole lines (`data` ends in a newline or is empty) and the mark to go on from.

    `replaced`: what had been read before is no longer there, `data` starts at the beginning of the file.
    `overlong`: the first bytes of each line that was passed over.
    """

    data: bytes
    mark: Mark
    modified_at: float
    replaced: bool = False
    overlong: tuple[bytes, ...] = ()

    @property
    def more(self) -> bool:
        """Whether the file held more than this piece when it was read."""
        return not self.mark.stamp


def stamp_of(status: os.stat_result) -> str:
    """Describe a file's present shape: any change of content shows, at the resolution of the file system's clock."""
    return f"{status.st_mtime_ns:x}.{status.st_size:x}.{status.st_ino:x}"


def read_on(path: str, mark: Mark, budget: int = READ_LIMIT) -> Piece | None:
    """Read the next whole lines after `mark`, at most `budget` bytes (one longer line excepted).

    Returns None if nothing has changed since the mark was made. Raises OSError; FileNotFoundError is ordinary.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, f"not a regular file ({stat.filemode(status.st_mode)})")
        if mark.stamp and mark.stamp == stamp_of(status) and mark.dev == status.st_dev:
            return None
        replaced = not _continues(fd, status, mark)
        return _piece(fd, status, Mark() if replaced else mark, budget, replaced=replaced)
    finally:
        os.close(fd)


def _continues(fd: int, status: os.stat_result, mark: Mark) -> bool:
    if mark.offset == 0:
        return True
    if status.st_size < mark.offset or _checksum(fd, mark.offset, TAIL_BYTES) != mark.tail:
        return False
    return crc32(os.pread(fd, min(HEAD_BYTES, mark.offset), 0)) == mark.head


def _checksum(fd: int, offset: int, length: int) -> int:
    length = min(length, offset)
    return crc32(os.pread(fd, length, offset - length))


def _piece(fd: int, status: os.stat_result, mark: Mark, budget: int, *, replaced: bool) -> Piece:
    start, skipping = mark.offset, mark.skipping
    # No more than there is: a buffer of the whole budget costs more than reading a small file.
    data = os.pread(fd, min(budget, max(0, status.st_size - start)), start)
    overlong: list[bytes] = []
    if skipping:
        end = data.find(b"\n") + 1
        start += end or len(data)
        data, skipping = (data[end:], False) if end else (b"", True)
    cut = data.rfind(b"\n") + 1
    if not cut and not skipping and start + len(data) < status.st_size:
        data = _long_line(fd, start, data)
        cut = data.find(b"\n") + 1
        if not cut and len(data) >= LINE_LIMIT:
            overlong.append(data[:512])
            start, skipping, data = start + len(data), True, b""
    end = start + cut
    head = mark.head
    if mark.offset < HEAD_BYTES:
        head = crc32(data[: min(HEAD_BYTES, cut)] if not start else os.pread(fd, min(HEAD_BYTES, end), 0))
    # Complete: what is left behind `cut` is a torn last line, which waits for its end.
    complete = start + len(data) >= status.st_size and data.find(b"\n", cut) < 0
    after = Mark(
        dev=status.st_dev,
        ino=status.st_ino,
        offset=end,
        skipping=skipping,
        head=head,
        tail=crc32(data[cut - TAIL_BYTES : cut]) if cut >= TAIL_BYTES else _checksum(fd, end, TAIL_BYTES),
        stamp=stamp_of(status) if complete else "",
    )
    return Piece(data[:cut], after, status.st_mtime, replaced, tuple(overlong))


def _long_line(fd: int, start: int, data: bytes) -> bytes:
    """Read on until the line that begins at `start` ends, the file ends or `LINE_LIMIT` is reached."""
    parts, size = [data], len(data)
    while size < LINE_LIMIT:
        part = os.pread(fd, min(READ_LIMIT, LINE_LIMIT - size), start + size)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if b"\n" in part:
            break
    return b"".join(parts)


def unstamped(mark: Mark) -> Mark:
    """Forget that everything was consumed, so that the next read looks at the file again."""
    return replace(mark, stamp="")


def mark_from(cursor: str) -> Mark:
    """Return the mark in a cursor made by `cursor_from`; the empty cursor is the beginning. Raises ValueError."""
    return _MARK.decode(cursor) if cursor else Mark()


def cursor_from(mark: Mark) -> str:
    """Return a mark as a cursor, for a source that has nothing else to remember."""
    return msgspec.json.encode(mark).decode("ascii")


_MARK = msgspec.json.Decoder(Mark)
