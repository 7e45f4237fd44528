"""Whole: read a document that its client saves anew at each change.

A racing reader can see it half written. That is no error: `read_whole` returns what is there together with its stamp,
and the source keeps its last state until the document parses again. The counterpart for files that only grow is
`tail.py`.
"""

import errno
import os
import stat

from msgspec import Struct

from .errors import ArtifactTooLarge
from .tail import stamp_of

DOCUMENT_LIMIT = 256 * 1024 * 1024
"""Bytes: a larger document is not read, because a worker has to hold it whole."""


class Document(Struct, frozen=True):
    """One reading of a document; `stamp` describes the file as it was before the reading began."""

    data: bytes
    stamp: str
    modified_at: float


def read_whole(path: str, stamp: str, limit: int = DOCUMENT_LIMIT) -> Document | None:
    """Read the document unless its stamp is still `stamp`.

    Returns None if nothing has changed. Raises OSError, and `ArtifactTooLarge` beyond `limit` bytes.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, f"not a regular file ({stat.filemode(status.st_mode)})")
        now = stamp_of(status)
        if now == stamp:
            return None
        if status.st_size > limit:
            raise ArtifactTooLarge(f"a document of {status.st_size:,} bytes is above the limit of {limit:,}")
        return Document(_read(fd, status.st_size, limit), now, status.st_mtime)
    finally:
        os.close(fd)


def _read(fd: int, expected: int, limit: int) -> bytes:
    """Read to the end, in one piece if the document is as large as it said."""
    parts = [os.read(fd, min(expected + 1, limit))]
    size = len(parts[0])
    while size < limit and (part := os.read(fd, min(1 << 20, limit - size))):
        parts.append(part)
        size += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
