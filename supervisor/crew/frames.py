"""Frames: where a worker stood when it was aborted, from what faulthandler wrote into its log.

Only file names, line numbers and function names are taken: no path, no text of a conversation. Pure.
"""

import re
from collections.abc import Iterable

MOST_FRAMES = 8

_THREAD = re.compile(r"^(Current thread|Thread) 0x[0-9a-f]+")
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (\S+)')


def last_stand(lines: Iterable[str]) -> str | None:
    """Return the main thread's innermost frames of the last dump in a log, innermost first; None if there is none.

    faulthandler lists the thread that was running first and the main thread last; only the main thread works here.
    """
    frames: list[str] = []
    for line in lines:
        if _THREAD.match(line):
            frames = []
        elif (found := _FRAME.match(line)) is not None:
            # Not by pathlib: it keeps every name it has ever seen in a table that only grows.
            frames.append(f"{found[1].rpartition('/')[2]}:{found[2]} in {found[3]}")
    if not frames:
        return None
    more = len(frames) - MOST_FRAMES
    return " < ".join(frames[:MOST_FRAMES]) + (f" < {more} more" if more > 0 else "")
