"""Text: what may leave this source as words, made harmless; and times as ISO strings made datetimes."""

import re
from datetime import UTC, datetime

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

TITLE_LENGTH = 80
NAME_LENGTH = 200
PATH_LENGTH = 4096


def plain(text: str, limit: int = NAME_LENGTH) -> str:
    """Return `text` without control, invisible and surrogate characters, at most `limit` characters of it."""
    return text[:limit] if text.isascii() and text.isprintable() else _UNPRINTABLE.sub("", text[: 2 * limit])[:limit]


def first_line(text: str) -> str:
    """Return the first line of `text` that shows anything, cut to the length of a title."""
    for line in text[:8192].splitlines():
        shown = plain(line.replace("\t", " "), 4 * TITLE_LENGTH).strip()
        if shown:
            return shown[:TITLE_LENGTH].rstrip()
    return ""


def moment(iso: str | None) -> datetime | None:
    """Return the time an ISO string names, in UTC; None for what is no time."""
    if not iso:
        return None
    try:
        time = datetime.fromisoformat(iso)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment_of_millis(millis: float | None) -> datetime | None:
    """Return the time that a number of milliseconds since 1970 names, in UTC; None for what is no time."""
    if millis is None:
        return None
    try:
        return datetime.fromtimestamp(millis / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
