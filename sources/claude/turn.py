"""Turn: whose turn it is, as one row after the other says it, and small tools of the fold.

Pure. The counterpart is `verdict.py`, which turns the last word into what the session is doing.
"""

from typing import TypeVar

import msgspec

from ..text import when
from .state import Phase, Transcript

LATE_SECONDS = 10.0
"""A row with a time that lies further back than this was not written late: the clock was set back."""

ID_LENGTH = 64
"""Characters of an id that are kept: its end, which tells ids apart."""

TOKENS_LIMIT = 1 << 40
"""More tokens than that in one place are damage."""

Entry = TypeVar("Entry")


def turn(transcript: Transcript, phase: Phase, stamp: str, *, begins: bool = False) -> None:
    """Note what a row says of the turn; `begins` says that no call of before is open any more.

    Rows can stand in the file after rows of a later time (2.1.197: a prompt after the whole answer): those say nothing.
    """
    if stamp < transcript.since and _late(stamp, transcript.since):
        return
    transcript.phase = phase
    transcript.since = stamp
    if begins:
        transcript.open.clear()


def _late(stamp: str, since: str) -> bool:
    """Whether a row was only written late; by more than a moment it is the clock that was set back."""
    one, other = when(stamp), when(since)
    return one is not None and other is not None and (other - one).total_seconds() < LATE_SECONDS


def keep(window: dict[str, Entry], key: str, entry: Entry, limit: int) -> None:
    """Put an entry into a window of recent ones; the oldest leaves it."""
    window[key] = entry
    if len(window) > limit:
        del window[next(iter(window))]


def decoded(decoder: msgspec.json.Decoder[Entry], raw: msgspec.Raw) -> Entry | None:
    """Decode a field of free form; None if it is missing or of another form (a result may be a plain string)."""
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
