"""Process: whether the process that a client's own records name is still the same, living one.

A pid alone proves nothing, because pids are used again; a pid together with its start time does. `Processes` is the
port through which sources look, so that tests can put a table of their own in its place.
"""

import os
from typing import Protocol


class Processes(Protocol):
    """What a source may ask about the processes of this machine."""

    def start_of(self, pid: int) -> str | None:
        """Return when the process began, in the system's own words, or None if there is no such living process.

        On Linux field 22 of `/proc/<pid>/stat` (ticks since boot), which Claude Code writes as `procStart`; elsewhere
        seconds since 1970.
        """
        ...

    def holders(self) -> dict[tuple[int, int], int] | None:
        """Return (device, inode) of each file under `flock` -> pid of its holder; None where the system cannot say."""
        ...

    def domain(self) -> str | None:
        """Return the pid namespace as Claude Code's `pidDomain` ends (`pid:[4026531836]`); None where there is none."""
        ...


class SystemProcesses:
    """The processes of this machine, read anew at each question and without taking any lock."""

    def start_of(self, pid: int) -> str | None:
        """See `Processes.start_of`. A zombie has ended: only its parent has not noticed."""
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except FileNotFoundError:
            return None if os.path.isdir("/proc/self") else _portable_start(pid)
        except (OSError, ValueError):
            return None
        return None if fields[0] in {b"Z", b"X"} else fields[19].decode("ascii")

    def holders(self) -> dict[tuple[int, int], int] | None:
        """See `Processes.holders`. `/proc/locks`: `1: FLOCK  ADVISORY  WRITE 4242 fe:00:1234 0 EOF`."""
        try:
            with open("/proc/locks", encoding="ascii") as file:
                lines = file.read().splitlines()
        except OSError:
            return None
        return dict(filter(None, map(_flock, lines)))

    def domain(self) -> str | None:
        """See `Processes.domain`."""
        try:
            return os.readlink("/proc/self/ns/pid")
        except OSError:
            return None


def _flock(line: str) -> tuple[tuple[int, int], int] | None:
    """Read one line of `/proc/locks`; None for other kinds of lock and for those on no file (`<none>:0`)."""
    fields = line.split()
    if len(fields) < 6 or fields[1] != "FLOCK":
        return None
    try:
        major, minor, inode = fields[5].split(":")
        return (os.makedev(int(major, 16), int(minor, 16)), int(inode)), int(fields[4])
    except ValueError:
        return None


def _portable_start(pid: int) -> str | None:
    import psutil  # noqa: PLC0415 - only where there is no /proc

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(int(process.create_time()))
    except psutil.Error:
        return None
