"""Tether: a helper process of the supervisor never outlives it. The counterpart is `aides.py`, which holds the other end.

Everywhere a thread waits for the end of a pipe that only the supervisor holds open; on Linux the system ends the process as
well, which also works while it is stopped.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading

ENVIRONMENT = "BELLBOARD_TETHER"
PR_SET_PDEATHSIG = 1
EXIT_ORPHANED = 75


def tie() -> None:
    """Tie this process to the supervisor that started it; nothing if nobody did. On the main thread, first of all."""
    given = os.environ.pop(ENVIRONMENT, "")
    if not given.isdecimal():
        return
    pipe = int(given)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The supervisor may have ended before the line above: then the pipe has ended, too.
    threading.Thread(target=_wait_for_end, args=(pipe,), name="tether", daemon=True).start()


def _wait_for_end(pipe: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(pipe, 64):
            pass
    os._exit(EXIT_ORPHANED)
