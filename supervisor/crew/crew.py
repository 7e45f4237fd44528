"""Crew: the hands of the roster. It starts, pushes and reaps worker processes; what to do is decided in `roster.py`."""

import logging
import os
import random
import signal
import time
from collections.abc import Callable

import psutil
from msgspec import Struct

from ...protocol.channel import Poll
from ...protocol.order import Drain, Order
from ..errors import CannotStart, FolderError
from ..folders import lock_holder, worker_lock
from .death import Death
from .frames import last_stand
from .logbook import Logbook
from .process import Process, ending
from .quarantine import Cause
from .reserve import Reserve
from .roster import DRAIN_SECONDS, Blame, How, Push, Roster
from .vigil import Probe

log = logging.getLogger("bellboard")

START_TROUBLE_SECONDS = 5.0
LINGER_SECONDS = 0.5
LAST_WORDS_SECONDS = 0.5
CLOSE_SECONDS = 5

BY_HAND = frozenset((signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
"""Signals that come from somebody's hand, not from a fault of the worker."""

SIGNALS: dict[How, signal.Signals] = {
    "drain": signal.SIGTERM,
    "term": signal.SIGTERM,
    "abort": signal.SIGABRT,
    "kill": signal.SIGKILL,
}


class Ended(Struct, frozen=True):
    """A worker that is no more. `death` is None if its end was asked for."""

    source: str
    inc: int
    death: Death | None
    progressed: bool


class Crew:
    """The living workers, by source. `folder` holds their locks."""

    def __init__(
        self,
        roster: Roster,
        poll: Poll,
        tell: Callable[[str, Drain], bool],
        parted: Callable[[str, int], bool],
        folder: str,
        logbook: Logbook,
    ) -> None:
        self.roster = roster
        self._folder = folder
        self._logbook = logbook
        self._poll = poll
        self._tell = tell
        self._parted = parted
        self._processes: dict[str, Process] = {}
        self._reserve = Reserve()
        self._spare: Process | None = None

    def start(self, order: Order, clock: float) -> int:
        """Start a worker; returns its pid. Raises CannotStart, and then it is tried again later."""
        source = order.source
        try:
            lock_fd = worker_lock(self._folder, source)
            if lock_fd is None:
                self.roster.postpone(source, clock, LINGER_SECONDS)
                raise CannotStart(self._lingering(source))
            try:
                process = self._take_spare() or Process()
                process.give(order, lock_fd)
            finally:
                os.close(lock_fd)
        except (OSError, FolderError) as error:
            self.roster.postpone(source, clock, START_TROUBLE_SECONDS)
            words = error.strerror if isinstance(error, OSError) else str(error)
            raise CannotStart(f"a worker cannot be started: {words}") from error
        self._processes[source] = process
        for fd in (process.log_fd, process.pidfd):
            if fd is not None:
                self._poll.add(fd)
        self.roster.started(source, process.pid, order.inc, clock)
        return process.pid

    def tend(self, clock: float) -> None:
        """Start a spare where one is wanted, and end the one that is not. One that died just is not there."""
        spare, settled = self._spare, self.roster.settled
        if spare is not None and spare.exit() is not None:
            spare.close()
            self._spare = None
            self._reserve.close()
        elif spare is not None and not self._reserve.wanted(clock):
            spare.send(signal.SIGKILL)
        elif spare is None and self._reserve.begins(clock, settled=settled):
            try:
                self._spare = Process()
            except OSError as error:
                self._reserve.close()
                log.debug("a spare worker cannot be started: %s", error.strerror)

    def _take_spare(self) -> Process | None:
        spare = self._spare
        if spare is None or not spare.is_ready():
            return None
        self._spare = None
        return spare

    def _lingering(self, source: str) -> str:
        """End an earlier worker that still holds the lock, if it is one; returns what to say meanwhile.

        That is a worker of a supervisor that was killed, on a system without PDEATHSIG, or something that a worker started.
        """
        pid = lock_holder(self._folder, source)
        try:
            if pid is not None and "bellboard.workers" in psutil.Process(pid).cmdline():
                os.killpg(pid, signal.SIGKILL)
                return f"an earlier worker of this source was still there (process {pid}) and is being ended"
        except (psutil.Error, OSError) as error:
            log.debug("%s: looking at the holder of the lock: %s", source, type(error).__name__)
        return f"something that an earlier worker started still holds worker-{source}.lock: end it, it is not ours"

    def push(self, pushes: list[Push]) -> None:
        """End workers as firmly as the roster says; one that cannot be asked to drain is terminated instead."""
        for push in pushes:
            process = self._processes.get(push.source)
            if process is None:
                continue
            if push.how == "drain" and self._tell(push.source, Drain(deadline=DRAIN_SECONDS)):
                continue
            process.send(SIGNALS[push.how])

    def reap(self, clock: float) -> list[Ended]:
        """Take leave of the workers that have ended."""
        found: list[Ended] = []
        for source, process in list(self._processes.items()):
            code = process.exit()
            if code is None or self._last_words_pending(process, code, clock):
                continue
            self._read_log(process, clock)
            member = self.roster.members[source]
            progressed, blame = member.progressed, member.blame
            jitter = random.random()  # noqa: S311 - jitter, not a secret
            died = self.roster.ended(source, clock, jitter, killed=-code in BY_HAND, note=process.note())
            if not process.log_ended:
                self._poll.drop(process.log_fd)
            if process.pidfd is not None and process.ended_at is None:
                self._poll.drop(process.pidfd)
            death = _death(code, blame, process) if died else None
            process.close()
            del self._processes[source]
            if death is not None:
                log.warning("%s: the worker ended: %s", source, death.words)
                self._reserve.died(clock)
            found.append(Ended(source, process.inc, death, progressed))
        return found

    def read_logs(self, clock: float) -> None:
        """Pass on what workers wrote to their standard streams."""
        for process in self._processes.values():
            self._read_log(process, clock)

    def look_for_agents(self, clock: float) -> None:
        """Look whether the places in which absent agents would be are there."""
        for source, places in self.roster.sought():
            self.roster.found(source, frozenset(path for path in places if os.path.exists(path)), clock)

    def probe(self, source: str) -> Probe | None:
        """Return what the system says of a worker's process."""
        process = self._processes.get(source)
        return None if process is None else process.probe()

    def usage(self) -> list[tuple[str, int | None, float | None]]:
        """Return (source, memory in bytes, load in percent) of all workers."""
        return [(source, *process.usage()) for source, process in self._processes.items()]

    def kill_all(self) -> None:
        """Kill every worker at once."""
        for process in self._everybody():
            process.send(signal.SIGKILL)

    def close(self) -> None:
        """Kill what is left, and wait until it is gone; not for ever, because one that waits for a dead disk cannot go."""
        self.kill_all()
        until = time.monotonic() + CLOSE_SECONDS
        for process in self._everybody():
            if not process.wait(max(0.0, until - time.monotonic())):
                who = process.source or "a spare worker"
                log.error(
                    "%s: process %d does not end even when it is killed; it is left to the system", who, process.pid
                )
            process.close()
        self._processes.clear()
        self._spare = None
        self._logbook.close()

    def _everybody(self) -> list[Process]:
        return [*self._processes.values(), *([] if self._spare is None else [self._spare])]

    def _last_words_pending(self, process: Process, code: int, clock: float) -> bool:
        """Whether a worker that ended by itself has said why, but the words are still on their way through the socket."""
        if code < 0 or self._parted(process.source, process.inc):
            return False
        if process.ended_at is None:
            process.ended_at = clock
            if process.pidfd is not None:
                self._poll.drop(process.pidfd)  # it stays readable: waiting with it would be spinning
        return clock - process.ended_at < LAST_WORDS_SECONDS

    def _read_log(self, process: Process, clock: float) -> None:
        if process.log_ended:
            return
        lines = process.read_log()
        if lines:
            self._logbook.write(process.source, lines, clock)
        if process.log_ended:
            self._poll.drop(process.log_fd)  # else a source that closes its standard streams keeps us awake


def _cause(code: int, blame: Blame | None) -> Cause:
    if blame in {"hung", "memory"}:
        return "hung" if blame == "hung" else "memory"
    return "killed" if blame is None and -code in BY_HAND else "crash"


def _death(code: int, blame: Blame | None, process: Process) -> Death:
    words = {
        "hung": "it did not say anything for too long (hung) and was ended",
        "memory": "it used more memory than it may and was ended",
        "garbage": "it said what nobody could read and was ended",
        None: ending(code),
    }[blame]
    return Death(words, _cause(code, blame), process.note(), last_stand(process.log))
