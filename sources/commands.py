"""Commands: the processes that an agent runs for one of its sessions, known by a mark in their environment.

What a person answered to a permission prompt is nowhere on disk until the tool has ended, but a tool that runs is a
process. Codex marks each command with its thread (`CODEX_THREAD_ID`, seen in 0.142.5 and 0.169.0). Only what is asked
for is read and never told: this one variable of processes that this user may look into. The counterpart is `hearing.py`.
"""

import os
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import psutil

YOUNG_SECONDS = 1.0
"""A process younger than this is looked at again: between fork and exec it still has its parent's environment."""


@runtime_checkable
class Acting(Protocol):
    """A source that can find the commands its agent runs."""

    def acting(self, session: str, since: float) -> float | None:
        """Return when a command of the session began after `since` (epoch seconds) that runs now; None if there is none."""
        ...


class Marked(NamedTuple):
    """One process: when it began (epoch seconds), and whose it is."""

    began: float
    parent: int
    mark: str | None


class Commands:
    """The processes of this machine that bear one variable. Each process is looked at once, when it is new."""

    def __init__(self, variable: str) -> None:
        self._variable = variable
        self._known: dict[int, Marked] = {}

    def acting(self, session: str, since: float) -> float | None:
        """See `Acting.acting`.

        A command's own children bear its mark, too, and say nothing: they may be those of an earlier command.
        """
        mine = self.marked(session)
        begun = (each.began for each in mine.values() if each.began >= since and each.parent not in mine)
        return min(begun, default=None)

    def marked(self, session: str) -> dict[int, Marked]:
        """Return the living processes that bear a session's mark, by pid."""
        self._look()
        return {pid: each for pid, each in self._known.items() if each.mark == session}

    def _look(self) -> None:
        import psutil  # noqa: PLC0415 - a fifth of what a worker imports, and only who was asked for a permission needs it

        now, before, self._known = time.time(), self._known, {}
        for pid in psutil.pids():
            known = before.get(pid)
            if known is None or now - known.began < YOUNG_SECONDS:
                try:
                    known = self._read(pid)
                except psutil.Error:  # gone, or another user's, or the kernel's own
                    known = Marked(0.0, 0, None)
            self._known[pid] = known

    def _read(self, pid: int) -> Marked:
        import psutil  # noqa: PLC0415 - see above

        process = psutil.Process(pid)
        began = _began(pid, process)
        return Marked(began, process.ppid(), process.environ().get(self._variable))


def _began(pid: int, process: "psutil.Process") -> float:
    """When a process began, to a hundredth of a second where the kernel says so."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return process.create_time()
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
