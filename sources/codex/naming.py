"""Naming: what the name of a rollout file says.

`rollout-<local time>-<thread id>.jsonl`, for the file after a rewind with `_<rollout id>` behind the thread's, for a
compressed one with `.zst` behind it all. The thread id is the session id. The counterpart is `shelf.py`, which finds
the files.
"""

import re
from datetime import UTC, datetime

from msgspec import Struct

_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAME = re.compile(rf"rollout-(.+?)-({_ID})(?:_({_ID}))?\.jsonl(\.zst)?")
_LOCK = re.compile(rf"({_ID})\.lock")
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)")


class Rollout(Struct, frozen=True):
    """One physical file. `key` orders the files of a thread: "" is the first, the id of a later one begins with its time."""

    path: str
    thread: str
    key: str = ""
    cold: bool = False
    archived: bool = False
    stamp: str = ""

    @property
    def born(self) -> datetime | None:
        """When the thread was made, as far as its name tells."""
        return born_of(self.thread, self.stamp)


def rollout_of(folder: str, name: str, *, archived: bool = False) -> Rollout | None:
    """Read a file's name; None if it is not a rollout's."""
    if not name.startswith("rollout-"):
        return None
    seen = _NAME.fullmatch(name)
    if seen is None:
        return None
    stamp, thread, key, cold = seen.groups()
    return Rollout(f"{folder}/{name}", thread, key or "", bool(cold), archived, stamp)


def locked_thread(name: str) -> str | None:
    """Return the thread to which a lock file belongs; None if the file is another one (`.coordination.lock`)."""
    seen = _LOCK.fullmatch(name)
    return seen[1] if seen else None


def born_of(thread: str, stamp: str = "") -> datetime | None:
    """Return when a thread was made.

    An id of version 7 begins with milliseconds since 1970. Before, the stamp in the name is the machine's local time
    (clients until 2025-06: seconds since 1970).
    """
    try:
        if thread[14:15] == "7":
            return datetime.fromtimestamp(int(thread[:8] + thread[9:13], 16) / 1000, UTC)
        if stamp.isdecimal():
            return datetime.fromtimestamp(int(stamp), UTC)
        seen = _STAMP.match(stamp)
        return datetime.fromisoformat(f"{seen[1]}T{seen[2]}:{seen[3]}:{seen[4]}").astimezone(UTC) if seen else None
    except (ValueError, OverflowError, OSError):
        return None
