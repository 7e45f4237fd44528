"""Board: what is right and what is not with the supervisor's own two folders, its sockets, and the supervisor itself."""

import contextlib
import glob
import os
import shutil
import sqlite3
import stat
import tempfile

import psutil
from msgspec import Struct

from ...protocol.addresses import CONTROL, EVENTS, INGEST, PATH_LIMIT, SNAPSHOT
from ..folders import LOCK
from ..store import FILE
from ..version import VERSION
from ..views.document import Finding
from .sources import note, ok, problem

SOCKETS = (EVENTS, SNAPSHOT, CONTROL, INGEST)
LEAST_FREE = 100 << 20
"""Bytes of free disk that the state folder should have: a database grows while sessions are counted."""

BOARD, STATE = "board", "state"


class Holder(Struct, frozen=True):
    """The process that holds the lock of a runtime folder, as it wrote itself down."""

    pid: int
    version: str


def holder(runtime_dir: str) -> Holder | None:
    """Return who runs a board in this folder, None if nobody does."""
    try:
        with open(os.path.join(runtime_dir, LOCK), encoding="ascii", errors="replace") as file:
            pid, _, version = file.read(64).strip().partition(" ")
        process = psutil.Process(int(pid))
        ours = any("bellboard" in word for word in process.cmdline())
    except (OSError, ValueError, psutil.Error):
        return None
    return Holder(int(pid), version) if ours else None


def runtime(folder: str, held: Holder | None, *, answered: bool) -> list[Finding]:
    """Judge the runtime folder, and who is in it."""
    found: list[Finding] = []
    longest = max(len(os.fsencode(os.path.join(folder, name))) for name in SOCKETS)
    if longest > PATH_LIMIT:
        text = f"{folder} is too long for the path of a socket ({longest} bytes, at most {PATH_LIMIT})"
        found.append(
            problem(BOARD, "runtime", text, "choose a shorter one with BELLBOARD_RUNTIME_DIR or `runtime_dir`")
        )
    found += _private(BOARD, "runtime", folder)
    found += _supervisor(folder, held, answered=answered)
    there = [name for name in SOCKETS if os.path.lexists(os.path.join(folder, name))]
    if answered:
        found += [each for name in SOCKETS for each in _socket(os.path.join(folder, name))]
        if len(there) == len(SOCKETS) and all(each.verdict == "ok" for each in found):
            found.append(ok(BOARD, "sockets", f"{', '.join(there)}: yours alone (0600)"))
    elif there and held is None:
        found.append(note(BOARD, "sockets", "some were left behind by a supervisor that was killed", "bellboard run"))
    return found


def _supervisor(folder: str, held: Holder | None, *, answered: bool) -> list[Finding]:
    if not answered:
        if held is None:
            text = f"none is running in {folder}: without one only `bellboard` and `sessions --once` work"
            return [note(BOARD, "supervisor", text, "bellboard run, or: bellboard service install")]
        text = f"process {held.pid} holds {folder} and does not answer"
        return [problem(BOARD, "supervisor", text, f"kill {held.pid}, then: bellboard run")]
    if held is None:
        return [ok(BOARD, "supervisor", "it answers")]
    if held.version != VERSION:
        text = f"process {held.pid} runs version {held.version or 'unknown'}, this command is {VERSION}"
        return [problem(BOARD, "supervisor", text, "bellboard ctl drain, then: bellboard run")]
    return [ok(BOARD, "supervisor", f"process {held.pid} answers, version {held.version} like this command")]


def _private(about: str, what: str, folder: str) -> list[Finding]:
    try:
        status = os.lstat(folder)
    except FileNotFoundError:
        return [ok(about, what, f"{folder} is made when it is needed")]
    except OSError as error:
        return [problem(about, what, f"{folder} cannot be looked at: {error.strerror}", f"ls -ld {folder}")]
    if not stat.S_ISDIR(status.st_mode):
        return [
            problem(
                about, what, f"{folder} is not a folder (a link is not accepted)", f"rm {folder}, or choose another"
            )
        ]
    if status.st_uid != os.getuid():
        return [problem(about, what, f"{folder} belongs to another user", f"choose another folder for `{what}_dir`")]
    if status.st_mode & 0o077:
        text = f"{folder} is open to others (mode {stat.S_IMODE(status.st_mode):04o})"
        return [problem(about, what, text, f"chmod 700 {folder}")]
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return [problem(about, what, f"{folder} may not be used by you", f"chmod 700 {folder}")]
    return [ok(about, what, f"{folder} is yours alone (0700)")]


def _socket(path: str) -> list[Finding]:
    try:
        status = os.lstat(path)
    except OSError as error:
        return [problem(BOARD, "sockets", f"{path}: {error.strerror}", "bellboard ctl drain, then: bellboard run")]
    if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.getuid():
        return [problem(BOARD, "sockets", f"{path} is no socket of yours", "bellboard ctl drain, then: bellboard run")]
    if status.st_mode & 0o177:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        return [problem(BOARD, "sockets", f"{path} is open to others (mode {mode})", f"chmod 600 {path}")]
    return []


def state(folder: str, *, running: bool) -> list[Finding]:
    """Judge the state folder, the database in it, and the room on its disk."""
    found = _private(STATE, "state", folder)
    above = folder
    while not os.path.isdir(above):
        above = os.path.dirname(above)
    found.append(_room(above))
    found.append(_database(os.path.join(folder, FILE), running=running))
    aside = sorted(
        path for path in glob.glob(f"{glob.escape(folder)}/{FILE}.corrupt-*") if path[-4:] not in {"-wal", "-shm"}
    )
    if aside:
        text = f"{len(aside)} damaged database(s) were moved aside and everything was counted again"
        found.append(note(STATE, "database", text, f"rm {folder}/{FILE}.corrupt-*"))
    return found


def _room(folder: str) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return problem(STATE, "disk", f"{folder}: {error.strerror}", f"df {folder}")
    text = f"{free / (1 << 30):.1f} GiB free"
    if free < LEAST_FREE:
        return problem(
            STATE, "disk", f"only {free >> 20} MiB free at {folder}", "make room, or choose another `state_dir`"
        )
    if not os.access(folder, os.W_OK):
        return problem(
            STATE, "disk", f"{folder} may not be written", f"chmod u+w {folder}, or choose another `state_dir`"
        )
    return ok(STATE, "disk", text)


def _database(path: str, *, running: bool) -> Finding:
    if not os.path.exists(path):
        return ok(STATE, "database", "none yet")
    if running:
        # A copy of a file that is being written may look damaged and not be.
        return ok(STATE, "database", f"{_size(path)}, in use: the supervisor checks each transaction itself")
    try:
        damage = _damage(path)
    except OSError as error:
        return problem(STATE, "database", f"{path} cannot be read: {error.strerror}", f"chmod u+rw {path}")
    if damage is not None:
        text = f"{path} is damaged ({damage}): the next start moves it aside and counts everything again"
        return problem(STATE, "database", text, "bellboard run")
    return ok(STATE, "database", f"{_size(path)}, sound")


def _size(path: str) -> str:
    return f"{os.path.getsize(path) / (1 << 20):.1f} MiB"


def _damage(path: str) -> str | None:
    """Return what is wrong with a database, by a copy: looking itself must change nothing. Raises OSError."""
    with tempfile.TemporaryDirectory(prefix="bellboard-doctor-") as folder:
        copy = os.path.join(folder, FILE)
        for suffix in ("", "-wal"):
            if os.path.exists(path + suffix):
                shutil.copyfile(path + suffix, copy + suffix)
        try:
            with contextlib.closing(sqlite3.connect(copy)) as database:
                found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            return str(error)
        return None if found == "ok" else str(found)
