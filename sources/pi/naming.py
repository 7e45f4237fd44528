"""Naming: whose file this is.

The client names a file `<time>_<session id>.jsonl`, with `:` and `.` of the time written as `-`. The id is a UUID unless
somebody chose another one, and somebody may also have chosen the file's name: then only the first line tells.
"""

import os
import re
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from ..text import LABEL_LIMIT, tidy

SUFFIX = ".jsonl"

HEADER_LIMIT = 64 * 1024
"""Bytes in which the first line of a file has to end."""

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d\d\d)Z_")
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class _Header(Struct):
    type: str | None = None
    id: str | None = None


_decoder = msgspec.json.Decoder(_Header)


def id_in(name: str) -> str | None:
    """Return the session id in a file's name; None if only the file itself tells."""
    stem = name.removesuffix(SUFFIX)
    last = stem.rpartition("_")[2]
    return last if _STAMP.match(stem) and _ID.fullmatch(last) else None


def born_of(name: str) -> datetime | None:
    """Return when a session began, as far as its file's name tells."""
    seen = _STAMP.match(name)
    if seen is None:
        return None
    try:
        return datetime.fromisoformat(f"{seen[1]}T{seen[2]}:{seen[3]}:{seen[4]}.{seen[5]}").replace(tzinfo=UTC)
    except ValueError:
        return None


def id_at(path: str) -> str | None:
    """Return the id in a file's first line; None if this is no session's file. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        head = os.pread(fd, HEADER_LIMIT, 0)
    finally:
        os.close(fd)
    line, newline, _ = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\0\r\n\t ").partition(b"\n")
    if not newline:
        return None
    try:
        header = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return tidy(header.id, LABEL_LIMIT) if header.type == "session" else None
