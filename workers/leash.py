"""Leash: a worker never outlives its supervisor, and never takes more than it may, whatever it is doing.

Linux has PR_SET_PDEATHSIG, which works even while the interpreter lock is held. Everywhere a thread waits for the end of
a pipe that only the supervisor holds open. Where there is no PDEATHSIG, faulthandler's timer (a C thread) is the backstop
that also works under a held lock. The counterpart is `supervisor/crew/process.py`.
"""

import ctypes
import faulthandler
import os
import resource
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
EXIT_ORPHANED = 75
BACKSTOP_SECONDS = 60.0


class Leash:
    """Ties this process to its parent. Make it first of all, on the main thread; `bind` it when the order is there."""

    def __init__(self, pipe: int) -> None:
        faulthandler.enable()
        _leave_no_core()
        self._backstop = not _die_with_parent()
        threading.Thread(target=_wait_for_end, args=(pipe,), name="leash", daemon=True).start()

    def bind(self, parent_pid: int, memory: int | None = None) -> None:
        """Begin to work for this parent, with so much memory (bytes)."""
        # The parent may have ended before the signal of its death was asked for: then nobody will ever send it.
        if os.getppid() != parent_pid:
            os._exit(EXIT_ORPHANED)
        _bound(memory)
        self.renew()

    def renew(self) -> None:
        """Say that the worker still gets round its loop."""
        if self._backstop:
            faulthandler.dump_traceback_later(BACKSTOP_SECONDS, exit=True)


def _leave_no_core() -> None:
    """A core would hold what people said to their agents."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def _bound(memory: int | None) -> None:
    """Bound what this process may allocate (bytes)."""
    if memory is not None and sys.platform.startswith("linux"):
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (memory if most < 0 else min(memory, most), most))


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
