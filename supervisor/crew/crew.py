"""Crew: the hands of the roster. It starts, pushes and reaps worker processes; what to do is decided in `roster.py`."""

import logging
import random
import secrets
import signal
from collections.abc import Callable

from msgspec import Struct

from ...protocol.channel import Poll
from ...protocol.order import Drain, Order
from .process import Process, ending
from .roster import DRAIN_SECONDS, Push, Roster

log = logging.getLogger("bellboard")

START_TROUBLE_SECONDS = 5.0
LAST_WORDS_SECONDS = 0.5


class Ended(Struct, frozen=True):
    """A worker that is no more. `error` is None if its end was asked for."""

    source: str
    inc: int
    error: str | None
    progressed: bool


class Crew:
    """The living workers, by source."""

    def __init__(
        self, roster: Roster, poll: Poll, tell: Callable[[str, Drain], bool], parted: Callable[[str, int], bool]
    ) -> None:
        self.roster = roster
        self._poll = poll
        self._tell = tell
        self._parted = parted
        self._processes: dict[str, Process] = {}

    def start(self, order: Order, clock: float) -> int | None:
        """Start a worker; returns its pid, or None if the system could not (it is tried again later)."""
        try:
            process = Process(order)
        except OSError as error:
            log.warning("%s: cannot start a worker: %s", order.source, error.strerror)
            self.roster.postpone(order.source, clock, START_TROUBLE_SECONDS)
            return None
        self._processes[order.source] = process
        for fd in (process.log_fd, process.pidfd):
            if fd is not None:
                self._poll.add(fd)
        self.roster.started(order.source, process.pid, order.inc, clock)
        return process.pid

    def push(self, pushes: list[Push]) -> None:
        """End workers as firmly as the roster says; one that cannot be asked to drain is terminated instead."""
        for push in pushes:
            process = self._processes.get(push.source)
            if process is None:
                continue
            if push.how == "drain" and self._tell(push.source, Drain(deadline=DRAIN_SECONDS)):
                continue
            process.send(signal.SIGKILL if push.how == "kill" else signal.SIGTERM)

    def reap(self, clock: float) -> list[Ended]:
        """Take leave of the workers that have ended."""
        found: list[Ended] = []
        for source, process in list(self._processes.items()):
            code = process.exit()
            if code is None or self._last_words_pending(process, code, clock):
                continue
            self._read_log(process)
            member = self.roster.members[source]
            progressed = member.progressed
            died = self.roster.ended(source, clock, random.random())  # noqa: S311 - jitter, not a secret
            if not process.log_ended:
                self._poll.drop(process.log_fd)
            if process.pidfd is not None and process.ended_at is None:
                self._poll.drop(process.pidfd)
            process.close()
            del self._processes[source]
            error = ending(code) if died else None
            if error is not None:
                log.warning("%s: the worker ended: %s", source, error)
            found.append(Ended(source, process.inc, error, progressed))
        return found

    def read_logs(self) -> None:
        """Pass on what workers wrote to their standard streams."""
        for process in self._processes.values():
            self._read_log(process)

    def usage(self) -> list[tuple[str, int | None, float | None]]:
        """Return (source, memory in bytes, load in percent) of all workers."""
        return [(source, *process.usage()) for source, process in self._processes.items()]

    def kill_all(self) -> None:
        """Kill every worker at once."""
        for process in self._processes.values():
            process.send(signal.SIGKILL)

    def close(self) -> None:
        """Kill what is left and wait until it is gone."""
        self.kill_all()
        for process in self._processes.values():
            process.wait()
            process.close()
        self._processes.clear()

    def _last_words_pending(self, process: Process, code: int, clock: float) -> bool:
        """Whether a worker that ended by itself has said why, but the words are still on their way through the socket."""
        if code < 0 or self._parted(process.source, process.inc):
            return False
        if process.ended_at is None:
            process.ended_at = clock
            if process.pidfd is not None:
                self._poll.drop(process.pidfd)  # it stays readable: waiting with it would be spinning
        return clock - process.ended_at < LAST_WORDS_SECONDS

    def _read_log(self, process: Process) -> None:
        if process.log_ended:
            return
        for line in process.read_log():
            log.info("%s: %s", process.source, line)
        if process.log_ended:
            self._poll.drop(process.log_fd)  # else a source that closes its standard streams keeps us awake


def new_token() -> str:
    """Return a secret by which a worker proves that we started it."""
    return secrets.token_hex(16)
