import errno
import fcntl
import os
import stat
from pathlib import Path

import pytest

from bellboard.supervisor.errors import AlreadyRunning, FolderError
from bellboard.supervisor.folders import LOCK, lock, lock_holder, private_folder, sign_worker_lock, worker_lock


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_missing_folder_is_made_for_this_user_alone_with_its_parents(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    assert private_folder(str(path), "state") == str(path)
    assert mode(path) == 0o700


def test_a_folder_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        private_folder(str(tmp_path / "run"), "runtime")
    finally:
        os.umask(before)
    assert mode(tmp_path / "run") == 0o700


@pytest.mark.parametrize("foreign", [0o755, 0o701, 0o777, 0o710])
def test_a_folder_that_others_may_enter_is_mended(tmp_path: Path, foreign: int) -> None:
    path = tmp_path / "run"
    path.mkdir()
    path.chmod(foreign)
    (path / "lock").touch()
    private_folder(str(path), "runtime")
    assert (mode(path), [each.name for each in path.iterdir()]) == (0o700, ["lock"])


def test_an_open_folder_with_files_that_are_not_ours_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "project"
    path.mkdir()
    path.chmod(0o755)
    (path / "thesis.tex").touch()
    with pytest.raises(FolderError, match="holds files that are not ours"):
        private_folder(str(path), "state")
    assert mode(path) == 0o755


def test_a_private_folder_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir(mode=0o500)
    private_folder(str(path), "runtime")
    assert mode(path) == 0o500


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    path = tmp_path / "run"
    path.symlink_to(tmp_path / "real")
    with pytest.raises(FolderError, match=f"the runtime folder {path} is not a folder \\(a link is not accepted\\)"):
        private_folder(str(path), "runtime")


@pytest.mark.parametrize("kind", ["file", "dangling link", "below a file"])
def test_what_cannot_be_a_folder_is_refused_with_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "run"
    if kind == "file":
        path.touch()
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.touch()
        path /= "below"
    with pytest.raises(FolderError, match=f"cannot make the state folder {path}: "):
        private_folder(str(path), "state")


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    with pytest.raises(FolderError, match=f"the runtime folder {tmp_path} belongs to another user: choose another"):
        private_folder(str(tmp_path), "runtime")


def test_a_folder_that_cannot_be_made_private_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, mode: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path, mode)

    path = tmp_path / "run"
    path.mkdir(mode=0o755)
    monkeypatch.setattr(os, "chmod", refuse)
    with pytest.raises(FolderError, match=f"cannot make the runtime folder {path} private: Operation not permitted"):
        private_folder(str(path), "runtime")


def test_a_second_lock_is_refused_and_names_the_lock_and_who_holds_it(tmp_path: Path) -> None:
    first = lock(str(tmp_path))
    holds, instead = f"holds the lock {tmp_path / LOCK}: `bellboard` shows its board", "`bellboard ctl drain` ends it"
    with pytest.raises(AlreadyRunning) as caught:
        lock(str(tmp_path))
    assert str(caught.value) == f"another bellboard supervisor (process {os.getpid()}) {holds}, {instead}"
    os.ftruncate(first, 0)  # as on a full disk
    with pytest.raises(AlreadyRunning) as caught:
        lock(str(tmp_path))
    assert str(caught.value) == f"another bellboard supervisor {holds}, {instead}"
    os.close(first)
    os.close(lock(str(tmp_path)))


def test_the_file_of_a_lock_is_private_and_stays(tmp_path: Path) -> None:
    os.close(lock(str(tmp_path)))
    assert mode(tmp_path / LOCK) == 0o600
    kept = (tmp_path / LOCK).stat().st_ino
    os.close(lock(str(tmp_path)))
    assert (tmp_path / LOCK).stat().st_ino == kept


def test_a_lock_is_not_inherited_by_children(tmp_path: Path) -> None:
    fd = lock(str(tmp_path))
    assert not os.get_inheritable(fd)
    os.close(fd)


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderError, match=f"cannot make the lock {tmp_path / LOCK}: "):
        lock(str(tmp_path))
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"cannot make the lock .*: No such file or directory"):
        lock(str(tmp_path / "nowhere"))


def test_a_file_system_that_knows_no_locks_is_refused_and_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK), fd, operation)

    before = os.listdir("/dev/fd")
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(FolderError, match=f"cannot lock {tmp_path / LOCK}: No locks available"):
        lock(str(tmp_path))
    assert os.listdir("/dev/fd") == before


@pytest.mark.parametrize(
    ("words", "holder"), [(b"12\n", 12), (b"-1\n", None), (b"0\n", None), (b"", None), (b"me\n", None)]
)
def test_the_lock_of_a_worker_names_a_process_or_nobody(tmp_path: Path, words: bytes, holder: int | None) -> None:
    fd = worker_lock(str(tmp_path), "mock")
    assert fd is not None
    sign_worker_lock(fd, 4711)
    os.close(fd)
    assert lock_holder(str(tmp_path), "mock") == 4711
    (tmp_path / "worker-mock.lock").write_bytes(words)
    assert lock_holder(str(tmp_path), "mock") == holder
    assert lock_holder(str(tmp_path), "codex") is None
