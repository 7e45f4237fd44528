"""Leash: a worker never outlives its supervisor, whatever it is doing.

Linux has PR_SET_PDEATHSIG, which works even while the interpreter lock is held. Everywhere a thread waits for the end of
a pipe that only the supervisor holds open. Where there is no PDEATHSIG, faulthandler's timer (a C thread) is the backstop
that also works under a held lock. The counterpart is `supervisor/crew/process.py`.
"""

import ctypes
import faulthandler
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
EXIT_ORPHANED = 75
BACKSTOP_SECONDS = 60.0


class Leash:
    """Ties this process to its parent. Make it first of all, on the main thread."""

    def __init__(self, parent_pid: int, pipe: int) -> None:
        faulthandler.enable()
        self._backstop = not _die_with_parent()
        # The parent may have ended before the line above: then nobody will ever send the signal.
        if os.getppid() != parent_pid:
            os._exit(EXIT_ORPHANED)
        threading.Thread(target=_wait_for_end, args=(pipe,), name="leash", daemon=True).start()
        self.renew()

    def renew(self) -> None:
        """Say that the worker still gets round its loop."""
        if self._backstop:
            faulthandler.dump_traceback_later(BACKSTOP_SECONDS, exit=True)


def _die_with_parent() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0


def _wait_for_end(pipe: int) -> None:
    try:
        while os.read(pipe, 64):
            pass
    finally:
        os._exit(EXIT_ORPHANED)
