import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from harness import wait_for
from worker_board import PATIENCE, Board, Worker, update, write

from bellboard.protocol.order import Ack, Grant, Release
from bellboard.protocol.update import Fault, Hello, SourceUpdate, Update
from bellboard.sources.contract import SessionHandle
from bellboard.workers import runner
from bellboard.workers.runner import NESTED, Runner

NEVER = 3600.0
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_a_watched_change_is_seen_without_a_sweep(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    write(sessions / "a", "one")
    work(factory="line_source:WatchedLines", watch=True)
    board.grant()
    assert board.hear(Update) == update(1, "a", 0, "one")
    board.say(Ack(seq=1))
    board.beat(1)
    write(sessions / "a", "two")
    assert board.hear(Update) == update(2, "a", 1, "two")
    write(sessions / "new", "one")
    assert board.hear(Update) == update(3, "new", 0, "one")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_where_all_is_watched_a_sweep_is_rare(board: Board, work: Callable[..., Worker]) -> None:
    work(factory="line_source:WatchedLines", watch=True, sweep=0.0)
    board.grant()
    board.beat(1)
    assert board.settle().passes == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_a_new_folder_is_a_reason_to_sweep(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    work(factory="line_source:WatchedLines", watch=True)
    board.grant()
    board.beat(1)
    (sessions / "!project").mkdir()
    assert board.beat(2).passes == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_what_comes_between_the_listing_and_the_watch_is_found(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "!late", "one")
    work(factory="line_source:WatchedLines", watch=True)
    board.grant()
    assert board.hear(Update) == update(1, "late", 0, "one")


def test_what_moves_without_a_change_is_found_by_the_pulse(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    work(factory="line_source:WatchedLines", pulse=0.01)
    board.grant()
    board.beat(1)
    write(sessions / "a", "one")
    board.settle()
    assert board.updates == []
    write(sessions / "!stirring")
    assert board.hear(Update) == update(1, "a", 0, "one")


@linux
def test_what_changed_last_is_told_before_folders_are_watched(
    board: Board, work: Callable[..., Worker], sessions: Path, deeds: list[str]
) -> None:
    write(sessions / "a", "one")
    work(factory="line_source:RestingLines", watch=True)
    board.grant()
    assert board.hear(Update).facts is not None
    board.settle()
    assert deeds.index("parse") < deeds.index("watch")


def test_news_do_not_wait_for_all_sessions_in_which_there_are_none(
    board: Board, work: Callable[..., Worker], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from line_source import Lines

    monkeypatch.setattr(runner, "BATCH_SECONDS", NEVER)
    monkeypatch.setattr(runner, "NEWS_SECONDS", 0.0)
    told = threading.Event()
    parse = Lines.parse

    def patient(self: Lines, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
        if handle.id == "a":
            assert told.wait(PATIENCE), "the update of c was not sent before a was read"
        return parse(self, handle, cursor)

    monkeypatch.setattr(Lines, "parse", patient)
    for name in "abc":
        write(sessions / name, "one")  # the last one listed is the first one read
    work()
    board.grant(cursors={"a": "1", "b": "1"})
    assert board.hear(Update) == update(1, "c", 0, "one")
    told.set()
    board.say(Ack(seq=1))
    board.beat(1)


def test_sessions_are_listed_while_the_grant_is_on_its_way(
    board: Board, work: Callable[..., Worker], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from line_source import Lines

    listed = threading.Event()
    discover = Lines.discover

    def noted(self: Lines) -> Iterable[SessionHandle]:
        found = discover(self)
        listed.set()
        return found

    monkeypatch.setattr(Lines, "discover", noted)
    write(sessions / "a", "one")
    work()
    board.hear(Hello)
    assert listed.wait(PATIENCE)
    board.say(Grant(inc=1, epoch="e", credit=8))
    assert board.hear(Update) == update(1, "a", 0, "one")


def test_a_release_that_comes_with_the_grant_is_obeyed(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "a", "one")
    work()
    board.hear(Hello)
    board.say(Grant(inc=1, epoch="e", credit=8, quarantined={"a": ""}), Release(handle="a"))
    assert board.hear(Update) == update(1, "a", 0, "one")


@linux
def test_a_source_that_rests_is_not_pulsed_before_something_stirs(
    board: Board, work: Callable[..., Worker], sessions: Path, deeds: list[str]
) -> None:
    work(factory="line_source:RestingLines", watch=True, pulse=0.01)
    board.grant()
    board.settle()
    time.sleep(0.1)  # ten pulses long
    board.settle()
    assert deeds.count("pulse") == 1
    write(sessions / "a", "one")
    board.hear(Update)
    wait_for(lambda: deeds.count("pulse") == 2, what="a pulse")


def test_one_that_cannot_say_how_long_it_rests_is_pulsed_as_ever(
    board: Board, work: Callable[..., Worker], sessions: Path, deeds: list[str]
) -> None:
    write(sessions / "!rest", "")
    work(factory="line_source:RestingLines", watch=sys.platform.startswith("linux"), pulse=0.01)
    board.grant()
    if sys.platform.startswith("linux"):
        assert board.hear(Fault).scope == "discover"
    wait_for(lambda: deeds.count("pulse") > 3, what="several pulses")


@pytest.mark.parametrize("where", ["watch", "pulse"])
def test_a_source_that_cannot_say_where_to_look_is_a_fault_and_its_sessions_go_on(
    board: Board, work: Callable[..., Worker], sessions: Path, where: str
) -> None:
    write(sessions / "a", "one")
    write(sessions / f"!{where}")
    work(factory="line_source:WatchedLines", watch=True, sweep=0.01, pulse=0.01)
    board.grant()
    denied = Fault(scope="discover", code="PermissionError", detail="PermissionError: Permission denied")
    assert [board.hear(Fault), board.hear(Fault)] == [denied, denied]
    assert board.hear(Update) == update(1, "a", 0, "one")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_a_source_that_stumbles_over_a_change_is_a_fault_and_goes_on(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    work(factory="line_source:WatchedLines", watch=True)
    board.grant()
    board.beat(1)
    write(sessions / "!touched")
    assert board.hear(Fault).scope == "discover"
    (sessions / "!touched").unlink()
    write(sessions / "a", "one")
    assert board.hear(Update) == update(1, "a", 0, "one")


class _Nested:
    """Watches under which a folder appears inside the one that was just watched, some times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.asked = 0

    def sync(self, _folders: Iterable[str]) -> bool:
        self.asked += 1
        self.left -= 1
        return self.left >= 0


class _Looks:
    """Counts how often everything was looked for."""

    def __init__(self) -> None:
        self.looks = 0

    def discover(self, _now: float) -> None:
        self.looks += 1

    def watch(self) -> list[str]:
        return []


@pytest.mark.parametrize(("deep", "looks"), [(0, 0), (1, 1), (3, 3), (1000, NESTED)])
def test_folders_that_appear_one_inside_the_other_are_all_watched_at_once(deep: int, looks: int) -> None:
    worker: Any = object.__new__(Runner)
    worker._watches = _Nested(deep)
    work: Any = _Looks()

    assert worker._watch(work, work) is None
    assert work.looks == looks
