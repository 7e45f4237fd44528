"""A process is known by its pid together with its start; who holds a lock is read without taking one."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from bellboard.sources import process
from bellboard.sources.process import SystemProcesses

LINUX = os.path.isdir("/proc/self")
HERE = SystemProcesses()

linux = pytest.mark.skipif(not LINUX, reason="this system has no /proc")


@pytest.fixture
def gone() -> int:
    """A pid whose process has ended and was buried."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def nowhere(_path: str) -> bool:
    """Say of every folder that it is not there."""
    return False


def instead(monkeypatch: pytest.MonkeyPatch, fake: Path) -> None:
    """Let a file of ours be read in place of the kernel's."""

    def opened(_path: str, mode: str = "r", encoding: str | None = None) -> IO[Any]:
        return fake.open(mode, encoding=encoding)

    monkeypatch.setattr(process, "open", opened, raising=False)


def test_a_living_process_has_one_start_that_does_not_change() -> None:
    start = HERE.start_of(os.getpid())
    assert start is not None
    assert start.isdigit()
    assert HERE.start_of(os.getpid()) == start


def test_a_process_that_has_ended_has_none(gone: int) -> None:
    assert HERE.start_of(gone) is None


@pytest.mark.parametrize("pid", [-1, 1 << 40])
def test_a_pid_that_cannot_be_has_none(pid: int) -> None:
    assert HERE.start_of(pid) is None


@linux
def test_on_linux_the_start_is_the_kernels_own_number() -> None:
    stat = Path("/proc/self/stat").read_text(encoding="utf-8")
    assert HERE.start_of(os.getpid()) == stat.rpartition(")")[2].split()[19]


@linux
def test_a_zombie_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        psutil.Process(child.pid)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert HERE.start_of(child.pid) is None


@linux
def test_a_name_with_brackets_and_spaces_does_not_confuse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "stat"
    fields = " ".join(str(number) for number in range(4, 53))
    fake.write_text(f"7 (a) b (c) S {fields}\n", encoding="utf-8")
    instead(monkeypatch, fake)
    assert HERE.start_of(7) == "22"


def test_elsewhere_the_start_is_in_seconds_since_1970(monkeypatch: pytest.MonkeyPatch, gone: int) -> None:
    def missing(path: str, *_: object, **__: object) -> None:
        raise FileNotFoundError(2, "no /proc", path)

    monkeypatch.setattr(process, "open", missing, raising=False)
    monkeypatch.setattr(os.path, "isdir", nowhere)
    assert HERE.start_of(os.getpid()) == str(int(psutil.Process().create_time()))
    assert HERE.start_of(gone) is None
    assert HERE.holders() is None


@linux
def test_the_holder_of_a_lock_is_told_by_the_files_identity(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        status = os.fstat(file.fileno())
        holders = HERE.holders()
        assert holders is not None
        if (status.st_dev, status.st_ino) not in holders:
            pytest.skip("this file system shows another device in /proc/locks")
        assert holders[status.st_dev, status.st_ino] == os.getpid()
    holders = HERE.holders()
    assert holders is not None
    assert (status.st_dev, status.st_ino) not in holders


def test_only_locks_on_files_are_read_from_the_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "locks"
    fake.write_text(
        "1: FLOCK  ADVISORY  WRITE 4242 fe:01:1234 0 EOF\n"
        "2: POSIX  ADVISORY  WRITE 1 fe:01:5 0 EOF\n"
        "2: -> FLOCK  ADVISORY  WRITE 7 fe:01:1234 0 EOF\n"
        "3: FLOCK  ADVISORY  READ  8 <none>:0 0 EOF\n"
        "4: FLOCK\n\n",
        encoding="ascii",
    )
    instead(monkeypatch, fake)
    assert HERE.holders() == {(os.makedev(0xFE, 1), 1234): 4242}


@linux
def test_the_pid_namespace_is_named_as_the_kernel_does() -> None:
    assert HERE.domain() == os.readlink("/proc/self/ns/pid")


def test_where_there_is_no_namespace_there_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: str) -> None:
        raise FileNotFoundError(2, "no /proc", path)

    monkeypatch.setattr(os, "readlink", missing)
    assert HERE.domain() is None
