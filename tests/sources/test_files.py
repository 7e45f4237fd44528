"""Folders are listed anew only when something came or went; what vanishes is ordinary."""

import os
import time
from pathlib import Path

import pytest

from bellboard.sources import files
from bellboard.sources.files import Folders, Listing, home_of, look

LONG_AGO = time.time() - 1000


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were really listed."""
    calls: list[str] = []
    scandir = os.scandir

    def noting(path: str) -> object:
        calls.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noting)
    return calls


def settle(path: Path, at: float = LONG_AGO) -> None:
    os.utime(path, (at, at))


def test_a_listing_names_folders_and_all_else_apart_and_sorted(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).touch()
        (tmp_path / f"folder-{name}").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder-a")
    os.mkfifo(tmp_path / "pipe")
    assert Folders().list(str(tmp_path)) == Listing(("a", "b", "link", "pipe"), ("folder-a", "folder-b"))


def test_a_settled_folder_is_listed_once_until_something_comes_or_goes(tmp_path: Path, listed: list[str]) -> None:
    folders = Folders()
    (tmp_path / "a").touch()
    settle(tmp_path)
    first = folders.list(str(tmp_path))
    assert folders.list(str(tmp_path)) is first
    assert len(listed) == 1

    (tmp_path / "b").touch()
    assert folders.list(str(tmp_path)).files == ("a", "b")
    (tmp_path / "a").unlink()
    settle(tmp_path, LONG_AGO + 1)
    assert folders.list(str(tmp_path)).files == ("b",)
    assert folders.list(str(tmp_path)).files == ("b",)
    assert len(listed) == 3


def test_a_folder_that_has_just_changed_is_listed_each_time(tmp_path: Path, listed: list[str]) -> None:
    folders = Folders()
    settle(tmp_path, time.time())
    folders.list(str(tmp_path))
    folders.list(str(tmp_path))
    assert len(listed) == 2


def test_a_change_within_one_tick_of_the_clock_is_not_missed(tmp_path: Path) -> None:
    folders = Folders()
    now = time.time()
    settle(tmp_path, now)
    assert folders.list(str(tmp_path)).files == ()
    (tmp_path / "a").touch()
    settle(tmp_path, now)
    assert folders.list(str(tmp_path)).files == ("a",)


def test_another_folder_in_its_place_is_listed(tmp_path: Path) -> None:
    folders = Folders()
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / folder.name).touch()
        settle(folder)
    assert folders.list(str(one)).files == ("one",)
    one.rename(tmp_path / "gone")
    other.rename(one)
    assert folders.list(str(one)).files == ("other",)


def test_a_missing_folder_and_a_file_are_empty(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folders = Folders()
    assert folders.list(str(tmp_path / "no")) == Listing()
    assert folders.list(str(tmp_path / "file")) == Listing()
    assert folders.list(str(tmp_path / "file/below")) == Listing()


def test_a_folder_that_goes_is_forgotten_and_one_that_returns_is_listed(tmp_path: Path) -> None:
    folders = Folders()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").touch()
    settle(folder)
    assert folders.list(str(folder)).files == ("a",)
    (folder / "a").unlink()
    folder.rmdir()
    assert folders.list(str(folder)) == Listing()
    folder.mkdir()
    settle(folder)
    assert folders.list(str(folder)) == Listing()


def test_a_folder_that_vanishes_while_it_is_listed_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: str) -> None:
        raise FileNotFoundError(2, "gone", path)

    monkeypatch.setattr(os, "scandir", gone)
    assert Folders().list(str(tmp_path)) == Listing()


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: str) -> None:
        raise PermissionError(13, "closed", path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(PermissionError):
        Folders().list(str(tmp_path))


def test_a_walk_goes_as_deep_as_it_is_told_and_follows_no_links(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/x").touch()
    (tmp_path / "round").symlink_to(tmp_path)
    top = str(tmp_path)
    assert [path for path, _ in Folders().walk(top, 0)] == [top]
    assert [path for path, _ in Folders().walk(top, 2)] == [top, f"{top}/a", f"{top}/a/b"]
    assert dict(Folders().walk(top, 9))[f"{top}/a"] == Listing(("x",), ("b",))
    assert list(Folders().walk(f"{top}/no", 9)) == [(f"{top}/no", Listing())]


def test_only_regular_files_are_looked_at_and_links_to_them(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "broken").symlink_to(tmp_path / "no")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "link"):
        status = look(str(tmp_path / name))
        assert status is not None
        assert status.st_size == 3
    assert [look(str(tmp_path / name)) for name in ("no", "broken", "pipe", ".", "file/below")] == [None] * 5
    assert look("\udcff" * 300) is None


def test_a_home_is_the_setting_else_the_variable_else_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("AGENT_HOME", "/var/agent/")
    assert home_of("~/mine", "AGENT_HOME", "~/.agent") == "/home/me/mine"
    assert home_of(None, "AGENT_HOME", "~/.agent") == "/var/agent"
    monkeypatch.setenv("AGENT_HOME", "")
    assert home_of(None, "AGENT_HOME", "~/.agent") == "/home/me/.agent"
    assert home_of("", None, "~/.agent") == "/home/me/.agent"
    monkeypatch.chdir("/")
    assert home_of("relative", None, "~/.agent") == "/relative"


def test_the_settling_time_covers_the_coarsest_common_clock() -> None:
    assert files.SETTLED_SECONDS >= 2.0
