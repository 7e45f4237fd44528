"""Text: what may be shown of what a client wrote, and what its times mean.

Everything that leaves a source as text passes through `tidy`: one line, no control characters, a bounded length.
"""

from datetime import UTC, datetime

TITLE_LIMIT = 80
"""Characters of a prompt that a title may show."""

LABEL_LIMIT = 200
"""Characters of a name (tool, model, branch) that are kept."""

PATH_LIMIT = 4096
"""Characters of a folder's name that are kept."""

# C0, DEL and C1 would steer a terminal, bidirectional overrides would make a text read as another one.
_DROPPED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def tidy(text: object, limit: int = LABEL_LIMIT) -> str | None:
    """Make one clean line of at most `limit` characters; None if nothing is left or it was no text."""
    if not isinstance(text, str):
        return None
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text.strip() or None
    # Far more than can be kept, so that cleaning a prompt of megabytes costs nothing.
    for raw in text.lstrip()[: limit * 8].splitlines():
        line = raw.encode("utf-8", "replace").decode("utf-8").translate(_DROPPED).strip()
        if line:
            return line[:limit].rstrip()
    return None


def when(text: object) -> datetime | None:
    """Read an RFC 3339 time as UTC; None if it is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:  # what nearly all clients write
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
