"""Process: one worker process, from its start to its reaping.

Started with `subprocess` from the main thread (PDEATHSIG ends a child when the *thread* that made it ends), in a session
of its own. It inherits four descriptors: its order, the reading end of a pipe whose end tells it that we are gone, and
both ends of its log. The counterpart in the worker is `workers/leash.py`.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections import deque

import psutil

from ...protocol.codec import ORDER
from ...protocol.order import Order

LOG_LINES = 200
LINE_BYTES = 2000


class Process:
    """A running worker. `pidfd` turns readable when it ends (None where the system has no such thing)."""

    def __init__(self, order: Order) -> None:
        self.source = order.source
        self.inc = order.inc
        self.token = order.token
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.log_ended = False
        self._torn = b""
        words = ORDER.encode(order)
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            order_read, order_write = _pipe(theirs, ours)
            life_read, self._life = _pipe(theirs, ours)
            log_write, self.log_fd = _pipe(theirs, ours, ours_reads=True)
            os.set_blocking(self.log_fd, False)
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "bellboard.workers", str(order_read), str(life_read)],
                stdin=subprocess.DEVNULL,
                stdout=log_write,
                stderr=log_write,
                pass_fds=(order_read, life_read),
                start_new_session=True,
                cwd="/",
            )
            ours.pop_all()  # it runs: our ends are closed by `close`, or below
        self.pid = self._popen.pid
        self.pidfd = _pidfd(self.pid)
        # A worker that is dead already is found by `exit`; what was buffered is written, and fails, only at the end.
        with contextlib.suppress(BrokenPipeError), os.fdopen(order_write, "wb") as file:
            file.write(words)
        self.ended_at: float | None = None
        self._stats: psutil.Process | None = None

    def exit(self) -> int | None:
        """Return the exit code if the worker has ended (negative: the signal that ended it), else None."""
        return self._popen.poll()

    def wait(self) -> None:
        """Wait for the end of a worker that was killed."""
        self._popen.wait()

    def send(self, how: signal.Signals) -> None:
        """Send a signal to the worker; SIGKILL goes to its whole process group."""
        if self._popen.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if how == signal.SIGKILL:
                os.killpg(self.pid, how)
            else:
                self._popen.send_signal(how)

    def read_log(self) -> list[str]:
        """Return the whole lines that the worker wrote since the last call; the last ones are kept in `log`.

        Once nobody can write any more `log_ended` is true, and `log_fd` stays readable for ever.
        """
        try:
            data = os.read(self.log_fd, 65536)
        except BlockingIOError:
            return []
        self.log_ended = not data
        *lines, self._torn = (self._torn + data).split(b"\n")
        if self.log_ended or len(self._torn) > LINE_BYTES:
            lines, self._torn = [*lines, self._torn], b""
        texts = [line[:LINE_BYTES].decode("utf-8", "replace") for line in lines if line.strip()]
        self.log.extend(texts)
        return texts

    def usage(self) -> tuple[int | None, float | None]:
        """Return memory (bytes) and load (percent of one core since the last call), None where that is not known."""
        try:
            if self._stats is None:
                self._stats = psutil.Process(self.pid)
            return self._stats.memory_info().rss, self._stats.cpu_percent()
        except psutil.Error:
            return None, None

    def close(self) -> None:
        """Give back what an ended worker held."""
        for fd in (self.log_fd, self._life, self.pidfd):
            if fd is not None:
                os.close(fd)


def _pipe(theirs: contextlib.ExitStack, ours: contextlib.ExitStack, *, ours_reads: bool = False) -> tuple[int, int]:
    """Make a pipe; returns the worker's end and ours, each to be closed by its stack."""
    read, write = os.pipe()
    their_end, our_end = (write, read) if ours_reads else (read, write)
    theirs.callback(os.close, their_end)
    ours.callback(os.close, our_end)
    return their_end, our_end


def _pidfd(pid: int) -> int | None:
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def ending(code: int) -> str:
    """Say how a process ended, in words."""
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"exit code {code}"
