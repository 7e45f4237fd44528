"""System: what is right and what is not with the machine: inotify's limits, and the versions that are installed."""

import os
import platform
import sys
import time

from ..version import VERSION
from ..views.document import Finding
from .looking import Look
from .sources import MORE_WATCHES, note, ok, problem

SYSTEM = "system"
INOTIFY = "/proc/sys/fs/inotify"
NEARLY = 0.9
"""The part of a limit from which on it is nearly reached."""

YEAR = 2026
"""This was written in it: a clock that says less is wrong."""


def findings(looks: dict[str, Look]) -> list[Finding]:
    """Judge the machine."""
    return [_versions(looks), _clock(time.gmtime().tm_year), *_inotify()]


def _versions(looks: dict[str, Look]) -> Finding:
    text = f"bellboard {VERSION}, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    others = {look.version for look in looks.values() if not isinstance(look, str) and look.version} - {VERSION}
    if others:
        mend = "install it once more: pip install --force-reinstall bellboard"
        return problem(SYSTEM, "versions", f"{text}; workers are of version {', '.join(sorted(others))}", mend)
    return ok(SYSTEM, "versions", f"{text}; workers are of the same version")


def _clock(year: int) -> Finding:
    if year < YEAR:
        return problem(SYSTEM, "clock", f"it says {year}", "sudo timedatectl set-ntp true")
    return ok(SYSTEM, "clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


def _inotify() -> list[Finding]:
    if not sys.platform.startswith("linux"):
        return [note(SYSTEM, "inotify", "there is none on this system: folders are looked at regularly instead")]
    instances, watches = used()
    found: list[Finding] = []
    for what, taken in (("max_user_instances", instances), ("max_user_watches", watches)):
        limit = _limit(what)
        if limit is None:
            found.append(note(SYSTEM, "inotify", f"{INOTIFY}/{what} cannot be read"))
        elif taken >= limit * NEARLY:
            found.append(problem(SYSTEM, "inotify", f"{what}: {taken} of {limit} in use", MORE_WATCHES))
        else:
            found.append(ok(SYSTEM, "inotify", f"{what}: {taken} of {limit} in use"))
    return found


def _limit(name: str) -> int | None:
    try:
        with open(f"{INOTIFY}/{name}", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def used(proc: str = "/proc") -> tuple[int, int]:
    """Count the inotify instances and watches of this user's processes, as far as they may be looked at."""
    instances = watches = 0
    for pid in filter(str.isdigit, _names(proc)):
        folder = f"{proc}/{pid}"
        for fd in _names(f"{folder}/fd"):
            try:
                if os.stat(folder).st_uid != os.getuid() or os.readlink(f"{folder}/fd/{fd}") != "anon_inode:inotify":
                    continue
                with open(f"{folder}/fdinfo/{fd}", encoding="ascii") as file:
                    watches += sum(line.startswith("inotify ") for line in file)
            except OSError:
                continue  # it has ended, or it is not ours to look at
            instances += 1
    return instances, watches


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
