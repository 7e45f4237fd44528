import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellboard.protocol.channel import Poll
from bellboard.workers.watches import Changes, Watches

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")


@pytest.fixture
def watches() -> Iterator[Watches]:
    watches = Watches()
    yield watches
    watches.close()


def write(path: Path, text: str = "line\n") -> str:
    with path.open("a") as file:
        file.write(text)
    return str(path)


def queue_limit() -> int:
    try:
        return int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    except OSError:
        return 0


@linux
def test_a_change_is_heard_where_it_happened(watches: Watches, tmp_path: Path) -> None:
    assert watches.sync([str(tmp_path)])
    assert (watches.complete, watches.read()) == (True, Changes())
    path = write(tmp_path / "a.jsonl")
    assert watches.read() == Changes((path,))
    assert watches.read() == Changes()
    write(tmp_path / "a.jsonl")
    assert watches.read() == Changes((path,))


@linux
def test_a_file_is_named_once_however_often_it_changed(watches: Watches, tmp_path: Path) -> None:
    watches.sync([str(tmp_path)])
    for _ in range(3):
        write(tmp_path / "a")
        write(tmp_path / "b")
    assert watches.read() == Changes((f"{tmp_path}/a", f"{tmp_path}/b"))


@linux
def test_what_comes_and_goes_by_renaming_is_heard(watches: Watches, tmp_path: Path) -> None:
    watches.sync([str(tmp_path)])
    write(tmp_path / "new")
    watches.read()
    (tmp_path / "new").rename(tmp_path / "whole")
    assert watches.read() == Changes((f"{tmp_path}/new", f"{tmp_path}/whole"))
    (tmp_path / "whole").unlink()
    assert watches.read() == Changes((f"{tmp_path}/whole",))


@linux
def test_all_folders_are_watched_from_the_first_call_on(watches: Watches, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    assert watches.sync(str(folder) for folder in folders)
    paths = tuple(write(folder / "x") for folder in folders)
    assert watches.read() == Changes(paths)


@linux
def test_only_a_new_watch_is_news(watches: Watches, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert watches.sync([str(tmp_path)])
    assert not watches.sync([str(tmp_path)])
    assert watches.sync([str(tmp_path), str(tmp_path / "a")])


@linux
def test_a_folder_that_is_not_there_yet_is_passed_over(watches: Watches, tmp_path: Path) -> None:
    later = tmp_path / "later"
    write(tmp_path / "file")
    assert not watches.sync([str(later), str(tmp_path / "file")])
    assert watches.complete
    later.mkdir()
    assert watches.sync([str(later)])
    path = write(later / "x")
    assert watches.read() == Changes((path,))


@linux
def test_a_folder_that_nobody_wants_any_more_is_silent(watches: Watches, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    watches.sync([str(tmp_path / "a"), str(tmp_path / "b")])
    assert not watches.sync([str(tmp_path / "b")])
    write(tmp_path / "a" / "x")
    path = write(tmp_path / "b" / "x")
    assert watches.read() == Changes((path,))


@linux
def test_a_new_folder_in_a_folder_means_a_look_at_everything(watches: Watches, tmp_path: Path) -> None:
    watches.sync([str(tmp_path)])
    (tmp_path / "project").mkdir()
    assert watches.read() == Changes(everything=True)


@linux
def test_a_folder_that_was_removed_may_come_back(watches: Watches, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    watches.sync([str(project)])
    project.rmdir()
    assert watches.read() == Changes(everything=True)
    project.mkdir()
    assert watches.sync([str(project)])
    path = write(project / "x")
    assert watches.read() == Changes((path,))


@linux
def test_a_folder_that_took_the_place_of_a_moved_one_is_watched(watches: Watches, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    watches.sync([str(project)])
    project.rename(tmp_path / "elsewhere")
    assert watches.read() == Changes(everything=True)
    project.mkdir()
    assert watches.sync([str(project)])
    write(tmp_path / "elsewhere" / "x")
    path = write(project / "x")
    assert watches.read() == Changes((path,))


@linux
def test_folders_may_vanish_while_they_are_let_go(watches: Watches, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    watches.sync([str(project)])
    project.rmdir()
    assert not watches.sync([])
    assert watches.read() == Changes()


@linux
@pytest.mark.skipif(not 0 < queue_limit() <= 100_000, reason="the queue is too long to be filled")
def test_too_many_changes_mean_a_look_at_everything(watches: Watches, tmp_path: Path) -> None:
    watches.sync([str(tmp_path)])
    with (tmp_path / "a").open("a", buffering=1) as one, (tmp_path / "b").open("a", buffering=1) as other:
        for _ in range(queue_limit() // 2 + 1):
            one.write("\n")
            other.write("\n")
    assert watches.read().everything
    path = write(tmp_path / "c")
    assert watches.read() == Changes((path,)), "and then it goes on"


@linux
def test_the_descriptor_wakes_a_poll(watches: Watches, tmp_path: Path) -> None:
    watches.sync([str(tmp_path)])
    assert watches.fd is not None
    poll = Poll()
    poll.add(watches.fd)
    assert poll.wait(0) == set()
    write(tmp_path / "a")
    assert poll.wait(5.0) == {watches.fd}
    watches.read()
    assert poll.wait(0) == set()


@linux
def test_where_the_limit_of_watches_is_reached_it_says_so(watches: Watches, tmp_path: Path) -> None:
    class Full:
        fd = -1

        def add_watch(self, path: str, mask: int) -> int:
            del path, mask
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def close(self) -> None:
            pass

    watches.close()
    vars(watches)["_inotify"] = Full()
    assert not watches.sync([str(tmp_path)])
    assert (watches.complete, watches.problem) == (False, "inotify: No space left on device")


@pytest.mark.parametrize(("platform", "enabled"), [("linux", False), ("darwin", True)])
def test_where_nothing_can_be_watched_it_says_so_and_nothing_is_heard(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, enabled: bool
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    watches = Watches(enabled=enabled)
    assert (watches.fd, watches.complete) == (None, False)
    assert watches.problem == ("no inotify on this system" if enabled else "switched off")
    assert (watches.sync([str(tmp_path)]), watches.read()) == (False, Changes())
    watches.close()


@linux
def test_closing_gives_the_descriptor_back(tmp_path: Path) -> None:
    watches = Watches()
    watches.sync([str(tmp_path)])
    fd = watches.fd
    assert fd is not None
    watches.close()
    watches.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    assert (watches.fd, watches.complete, watches.read()) == (None, False, Changes())
