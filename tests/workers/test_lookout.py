import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from harness import wait_for
from line_source import Lines, RestingLines, WatchedLines
from worker_board import write

from bellboard.protocol.order import Order
from bellboard.protocol.update import Changed, Fault
from bellboard.sources.contract import SessionHandle
from bellboard.sources.errors import SourceUnavailable
from bellboard.workers.lookout import NESTED, Lookout
from bellboard.workers.round import Parsed, Round

NEVER = 3600.0
LINUX = sys.platform.startswith("linux")
DENIED = Fault(scope="discover", code="PermissionError", detail="PermissionError: Permission denied")
linux = pytest.mark.skipif(not LINUX, reason="inotify is Linux only")


class Scene:
    """A lookout, the round into which it queues, and what it said."""

    def __init__(self, order: Order, source: Lines) -> None:
        self.said: list[Fault | Changed] = []
        self.work = Round(source)
        self.lookout = Lookout(order, source, self.work, self.said.append)
        self._at = time.monotonic()

    def look(self, later: float = 0.0) -> bool:
        """Look, so many seconds after the last time."""
        self._at += later
        return self.lookout.look(self._at)

    def settle(self) -> list[str]:
        """Look until everything is watched; returns what was new in the sessions."""
        while not self.look():
            pass
        return self.read()

    def read(self) -> list[str]:
        """Read all that is queued; returns the sessions in which something was new."""
        found: list[str] = []
        while self.work.backlog:
            step = self.work.step()
            found += [step.handle.id] if isinstance(step, Parsed) else []
        return found

    def heard(self) -> list[str]:
        """Look until a change is heard; returns the sessions in which something was new."""
        wait_for(lambda: self.look() or self.work.backlog > 0, what="a change")
        return self.read()


@pytest.fixture
def scene(order: Callable[..., Order], sessions: Path) -> Iterator[Callable[..., Scene]]:
    scenes: list[Scene] = []

    def make(source: type[Lines] = WatchedLines, **fields: Any) -> Scene:
        scenes.append(Scene(order(**{"watch": True, "pulse": NEVER, **fields}), source(str(sessions))))
        return scenes[-1]

    yield make
    for each in scenes:
        each.lookout.close()


def test_without_watches_a_sweep_finds_what_is_new_when_it_is_due(scene: Callable[..., Scene], sessions: Path) -> None:
    it = scene(Lines, sweep=10.0)
    write(sessions / "a", "one")
    assert it.settle() == ["a"]
    write(sessions / "a", "two")
    assert not it.look(9.0)
    assert it.read() == []
    assert it.look(2.0)
    assert it.read() == ["a"]
    assert it.lookout.fd is None


@linux
def test_where_all_is_watched_a_sweep_is_rare_and_a_change_is_heard(
    scene: Callable[..., Scene], sessions: Path
) -> None:
    it = scene(sweep=0.0, sweep_watched=60.0)
    it.settle()
    assert not it.look(59.0)
    write(sessions / "a", "one")
    assert it.heard() == ["a"]
    assert it.look(60.0)


@linux
def test_the_first_time_what_is_there_is_told_before_folders_are_watched(
    scene: Callable[..., Scene], sessions: Path
) -> None:
    write(sessions / "a", "one")
    write(sessions / "!late", "one")
    it = scene()
    assert not it.look()
    assert it.read() == ["a"]
    assert it.look()
    assert it.read() == ["late"], "it came between the listing and the watch"


@pytest.mark.parametrize("watch", [False, True])
@pytest.mark.parametrize("source", [Lines, WatchedLines])
def test_that_all_sessions_cannot_be_listed_is_said_and_tried_again_soon(
    scene: Callable[..., Scene], sessions: Path, source: type[Lines], *, watch: bool
) -> None:
    write(sessions / "a", "one")
    write(sessions / "!discover")
    it = scene(source, watch=watch, sweep=10.0, sweep_watched=60.0)
    assert it.settle() == []
    assert it.said == [DENIED]
    (sessions / "!discover").unlink()
    assert it.look(11.0)
    assert it.read() == ["a"]


@linux
def test_where_a_listing_fails_while_all_is_watched_it_is_said_too(scene: Callable[..., Scene], sessions: Path) -> None:
    it = scene(sweep=10.0, sweep_watched=60.0)
    it.settle()
    write(sessions / "!discover")
    assert it.look(61.0)
    assert it.said == [DENIED]


@linux
def test_a_new_folder_is_a_reason_to_sweep(scene: Callable[..., Scene], sessions: Path) -> None:
    it = scene()
    it.settle()
    (sessions / "!project").mkdir()
    wait_for(it.look, what="a sweep")


def test_what_moves_without_a_change_is_found_by_the_pulse(scene: Callable[..., Scene], sessions: Path) -> None:
    it = scene(watch=False, pulse=1.0)
    it.settle()
    write(sessions / "a", "one")
    write(sessions / "!stirring")
    it.look(0.9)
    assert it.read() == []
    it.look(0.2)
    assert it.read() == ["a"]


@linux
def test_a_source_that_rests_is_not_pulsed_before_something_stirs(
    scene: Callable[..., Scene], sessions: Path, deeds: list[str]
) -> None:
    it = scene(RestingLines, pulse=1.0)
    it.settle()
    it.look(100.0)
    assert deeds.count("pulse") == 1
    write(sessions / "a", "one")
    it.heard()
    it.look(2.0)
    assert deeds.count("pulse") == 2


@linux
def test_a_rest_that_is_no_number_is_a_fault_of_the_source(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch, deeds: list[str]
) -> None:
    def rest(_: RestingLines) -> str:
        return "a while"

    monkeypatch.setattr(RestingLines, "rest", rest)
    it = scene(RestingLines, pulse=1.0)
    it.settle()
    it.look(1.1)
    assert deeds.count("pulse") == 2
    assert [each.code for each in it.said if isinstance(each, Fault)] == ["TypeError", "TypeError"]


def test_one_that_cannot_say_how_long_it_rests_is_pulsed_as_ever(
    scene: Callable[..., Scene], sessions: Path, deeds: list[str]
) -> None:
    write(sessions / "!rest", "")
    it = scene(RestingLines, watch=LINUX, pulse=1.0)
    it.settle()
    for _ in range(3):
        it.look(2.0)
    assert deeds.count("pulse") == 4
    assert it.said == [DENIED] * (4 if LINUX else 0), "it is asked only where everything is watched"


@pytest.mark.parametrize("where", ["watch", "pulse"])
def test_a_source_that_cannot_say_where_to_look_is_a_fault_and_its_sessions_go_on(
    scene: Callable[..., Scene], sessions: Path, where: str
) -> None:
    write(sessions / f"!{where}")
    it = scene(sweep=10.0, pulse=10.0)
    it.settle()
    write(sessions / "a", "one")
    it.look(11.0)
    assert it.said == [DENIED, DENIED]
    assert it.read() == ["a"]


@linux
def test_a_source_that_stumbles_over_a_change_is_a_fault_and_goes_on(
    scene: Callable[..., Scene], sessions: Path
) -> None:
    it = scene()
    it.settle()
    write(sessions / "!touched")
    wait_for(lambda: it.look() or bool(it.said), what="a fault")
    assert it.said == [DENIED]
    (sessions / "!touched").unlink()
    write(sessions / "a", "one")
    assert "a" in it.heard()


@pytest.mark.parametrize("where", ["discover", "watch", "pulse"])
def test_that_the_agent_has_gone_is_passed_on(scene: Callable[..., Scene], sessions: Path, where: str) -> None:
    write(sessions / f"!{where} unavailable")
    it = scene()
    with pytest.raises(SourceUnavailable):
        it.settle()


def test_that_a_session_that_is_set_aside_has_changed_is_said_once(scene: Callable[..., Scene], sessions: Path) -> None:
    write(sessions / "a", "one")
    it = scene(Lines, sweep=10.0)
    it.work.grant({}, {"a": "another shape"})
    assert it.settle() == []
    it.look(11.0)
    assert it.said == [Changed(handle="a")]


@linux
def test_after_closing_nothing_is_watched(scene: Callable[..., Scene]) -> None:
    it = scene()
    it.settle()
    assert it.lookout.fd is not None
    it.lookout.close()
    assert it.lookout.fd is None


class Growing(WatchedLines):
    """Finds the next folder below only after it was told to watch the one above, as after a race."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self._paths = [folder]

    def watch(self) -> Iterable[str]:
        return self._paths

    def discover(self) -> Iterable[SessionHandle]:
        self._paths = [*self._paths, *(each.path for each in os.scandir(self._paths[-1]) if each.is_dir())]
        return []

    def touched(self, paths: Sequence[str]) -> Iterable[SessionHandle]:
        return [SessionHandle(id=os.path.basename(path), path=path, source=self.name) for path in paths]


@linux
def test_in_folders_that_were_made_one_within_the_other_while_it_looked_a_change_is_heard(
    scene: Callable[..., Scene], sessions: Path
) -> None:
    (sessions / "2026" / "11" / "28").mkdir(parents=True)
    it = scene(Growing)
    it.settle()
    write(sessions / "2026" / "11" / "28" / "new", "one")
    assert it.heard() == ["new"]


class _Nested:
    """Watches under which a folder appears inside the one that was just watched, some times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def sync(self, _folders: Iterable[str]) -> bool:
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
    lookout: Any = object.__new__(Lookout)
    lookout._watches, lookout._work = _Nested(deep), _Looks()

    assert lookout._watch(lookout._work) is None
    assert lookout._work.looks == looks
