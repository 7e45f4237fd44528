"""Folders: the two places a supervisor owns, made safely, and the locks that keep a second one out.

The lock comes before any socket: binding an ipc path takes it away from a living process without a word. Lock files are
never removed, because removing them would let two processes hold "the" lock.
"""

import contextlib
import errno
import fcntl
import os
import stat

from .errors import AlreadyRunning, FolderError
from .version import VERSION

LOCK = "lock"


def private_folder(path: str, purpose: str) -> str:
    """Make `path` a folder of mode 0700 that belongs to this user. Raises FolderError otherwise."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        status = os.lstat(path)
    except OSError as error:
        raise FolderError(f"cannot make the {purpose} folder {path}: {error.strerror}") from error
    if not stat.S_ISDIR(status.st_mode):
        raise FolderError(f"the {purpose} folder {path} is not a folder (a link is not accepted): choose another")
    if status.st_uid != os.getuid():
        raise FolderError(f"the {purpose} folder {path} belongs to another user: choose another")
    if status.st_mode & 0o077:
        if os.listdir(path) and not os.path.exists(os.path.join(path, LOCK)):
            raise FolderError(
                f"the {purpose} folder {path} is open to others and holds files that are not ours: "
                "choose another, or an empty one"
            )
        try:
            os.chmod(path, 0o700)
        except OSError as error:
            raise FolderError(f"cannot make the {purpose} folder {path} private: {error.strerror}") from error
    return path


def lock(folder: str) -> int:
    """Take the lock of a folder for as long as this process lives; returns the descriptor that holds it.

    Who has it, and of which version, is written into it for `doctor`. Raises AlreadyRunning if another process has it,
    FolderError if the file cannot be made.
    """
    fd = _take(os.path.join(folder, LOCK))
    if fd is None:
        holder = _pid_in(os.path.join(folder, LOCK))
        who = "another bellboard supervisor" + (f" (process {holder})" if holder else "")
        raise AlreadyRunning(
            f"{who} holds the lock {os.path.join(folder, LOCK)}: `bellboard` shows its board, `bellboard ctl drain` ends it"
        )
    with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, only nobody is named in it
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()} {VERSION}\n".encode(), 0)
    return fd


def worker_lock(folder: str, source: str) -> int | None:
    """Take the lock of a source's worker; None while a process of an earlier worker still holds it.

    The descriptor goes to the worker with its order and is closed here, so that the lock lasts as long as the worker, or
    whatever it started, lives: two living workers of one source cannot exist. Raises FolderError.
    """
    return _take(_worker_lock_path(folder, source))


def sign_worker_lock(fd: int, pid: int) -> None:
    """Write into the lock who has it. Raises OSError."""
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{pid}\n".encode(), 0)


def exporter_lock(folder: str) -> int | None:
    """Take the lock of the exporter that uses this state folder; None if another process has it. Raises FolderError."""
    return _take(os.path.join(folder, f"export.{LOCK}"))


def lock_holder(folder: str, source: str) -> int | None:
    """Return the process id that was written into a worker's lock, None if there is none."""
    return _pid_in(_worker_lock_path(folder, source))


def _pid_in(path: str) -> int | None:
    """Return the number with which a lock file begins, None if there is none that is a process."""
    try:
        with open(path, "rb") as file:
            pid = int(file.read(32).partition(b" ")[0])
    except (OSError, ValueError):
        return None
    return pid if pid > 0 else None  # to the system, other numbers mean groups, or everybody


def _worker_lock_path(folder: str, source: str) -> str:
    return os.path.join(folder, f"worker-{source}.{LOCK}")


def _take(path: str) -> int | None:
    """Open a lock file and take its lock; None if another process has it. Raises FolderError."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise FolderError(f"cannot make the lock {path}: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return None
        raise FolderError(f"cannot lock {path}: {error.strerror}") from error
    return fd


def holds(folder: str, fd: int) -> bool:
    """Whether the lock that `fd` holds is (still) the lock of this folder."""
    try:
        found = os.stat(os.path.join(folder, LOCK), follow_symlinks=False)
    except OSError:
        return False
    held = os.fstat(fd)
    return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)
