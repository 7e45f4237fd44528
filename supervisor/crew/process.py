"""Process: one worker process, from its start to its reaping.

Started with `subprocess` from the main thread (PDEATHSIG ends a child when the *thread* that made it ends), in a session
of its own. It inherits the line over which its order comes, the reading end of a pipe whose end tells it that we are gone,
the writing end of its log, and the page in which it notes what it does. With the order comes the lock that keeps a twin
away; until then the process is a *spare*. The counterparts in the worker are `workers/spare.py`, `workers/leash.py` and
`workers/recorder.py`.
"""

import contextlib
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque

import psutil

from ...protocol.codec import ORDER
from ...protocol.order import Order
from ...protocol.recorder import PAGE_BYTES, Note, Recorder
from ..folders import sign_worker_lock
from .vigil import Probe

LOG_LINES = 200
LINE_BYTES = 2000


NICE = 5
"""A polite guest: the agents' own work goes first."""

RUNNABLE = frozenset((psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP, psutil.STATUS_WAKING))
STOPPED = frozenset((psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP))


class Process:
    """A worker's process, to be given its order. `pidfd` turns readable when it ends (None: the system has none)."""

    def __init__(self) -> None:
        self.source = self.token = ""
        self.inc = 0
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.log_ended = False
        self.ended_at: float | None = None
        self._torn = b""
        self._aborted = self._ready = False
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            page_fd, self._map = _page(theirs)
            ours.callback(self._map.close)
            self._line, their_line = socket.socketpair()
            theirs.callback(their_line.close)
            ours.callback(self._line.close)
            life_read, self._life = _pipe(theirs, ours)
            log_write, self.log_fd = _pipe(theirs, ours, ours_reads=True)
            os.set_blocking(self.log_fd, False)
            inherited = (their_line.fileno(), life_read, page_fd)
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "bellboard.workers", *map(str, inherited)],
                stdin=subprocess.DEVNULL,
                stdout=log_write,
                stderr=log_write,
                pass_fds=inherited,
                start_new_session=True,
                cwd="/",
            )
            ours.pop_all()  # it runs: our ends are closed by `close`
        self.pid = self._popen.pid
        self.pidfd = _pidfd(self.pid)
        self._stats = _polite(self.pid)
        self._recorder = Recorder(memoryview(self._map))

    def give(self, order: Order, lock_fd: int) -> None:
        """Give it its order, and the lock with it; `lock_fd` stays open here."""
        self.source, self.inc, self.token = order.source, order.inc, order.token
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, only nobody is named in it
            sign_worker_lock(lock_fd, self.pid)
        words = ORDER.encode(order)
        # A worker that is dead already is found by `exit`, and one whose order does not arrive ends.
        with contextlib.suppress(OSError):
            sent = socket.send_fds(self._line, [words], [lock_fd])
            self._line.sendall(words[sent:])
            self._line.shutdown(socket.SHUT_WR)

    def is_ready(self) -> bool:
        """Whether a spare has imported what it needs, and waits: it lives, and nobody has stopped it."""
        if not self._ready:
            with contextlib.suppress(OSError):  # not yet, or it has ended
                self._ready = bool(self._line.recv(1, socket.MSG_DONTWAIT))
        probe = self.probe()
        return self._ready and self.exit() is None and (probe is None or probe.state != "stopped")

    def exit(self) -> int | None:
        """Return the exit code if the worker has ended (negative: the signal that ended it), else None."""
        code = self._popen.poll()
        if code is not None and self._aborted:
            # What it started outlives an abort. The group keeps the number as long as one of them lives.
            self._aborted = False
            self._kill_group()
        return code

    def wait(self, seconds: float) -> bool:
        """Wait for the end of a worker that was killed; returns whether it came."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def send(self, how: signal.Signals) -> None:
        """Send a signal to the worker; SIGKILL goes to its whole process group, and follows there when it was aborted."""
        if self.exit() is not None:
            return
        if how == signal.SIGKILL:
            self._kill_group()
            return
        self._aborted = self._aborted or how == signal.SIGABRT
        with contextlib.suppress(ProcessLookupError):
            self._popen.send_signal(how)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

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
        if self._stats is None:
            return None, None
        try:
            return self._stats.memory_info().rss, self._stats.cpu_percent()
        except psutil.Error:
            return None, None

    def probe(self) -> Probe | None:
        """Return what the system says of the process, None if it says nothing."""
        if self._stats is None:
            return None
        try:
            state, times = self._stats.status(), self._stats.cpu_times()
        except psutil.Error:
            return None
        kind = "stopped" if state in STOPPED else "runnable" if state in RUNNABLE else "waiting"
        return Probe(kind, times.user + times.system)

    def note(self) -> Note | None:
        """Return what the worker was doing last, None if it was doing nothing."""
        return self._recorder.read()

    def close(self) -> None:
        """Give back what an ended worker held."""
        self._recorder.close()
        self._map.close()
        self._line.close()
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


def _page(theirs: contextlib.ExitStack) -> tuple[int, mmap.mmap]:
    """Make the page in which the worker notes what it does; returns the worker's descriptor, to be closed, and our map."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("bellboard-recorder")
        theirs.callback(os.close, fd)
    else:
        fd = theirs.enter_context(tempfile.TemporaryFile(buffering=0)).fileno()  # noqa: SIM115 - the stack closes it
    os.ftruncate(fd, PAGE_BYTES)
    return fd, mmap.mmap(fd, PAGE_BYTES)


def _polite(pid: int) -> psutil.Process | None:
    """Give a worker's processor and disk less weight than the user's own work; returns its statistics if there are any."""
    try:
        stats = psutil.Process(pid)
    except psutil.Error:
        return None  # it has ended already, which is noticed elsewhere
    # Politeness may be refused (containers); it is no reason to do without statistics.
    with contextlib.suppress(psutil.Error, OSError):
        stats.nice(max(stats.nice(), NICE))
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        stats.ionice(psutil.IOPRIO_CLASS_BE, 7)
    return stats


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
