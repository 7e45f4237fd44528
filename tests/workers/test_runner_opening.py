import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from line_source import Lines
from worker_board import PATIENCE, Board, Worker, update, write

from bellboard.protocol.order import Ack, Grant, Release
from bellboard.protocol.update import Hello, SourceUpdate, Update
from bellboard.sources.contract import SessionHandle
from bellboard.workers import runner

NEVER = 3600.0
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")


@linux
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
