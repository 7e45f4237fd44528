import os
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bellboard.protocol.place import Place
from bellboard.protocol.sight import Question, Sight
from bellboard.workers.look import look

MODULE = """
from bellboard.sources import Place, SessionHandle, SourceUpdate, SourceUnavailable

class Sample:
    name = "sample"

    def __init__(self, trouble="", home="/sample"):
        self.trouble, self.home = trouble, home

    def where(self):
        if self.trouble == "where":
            raise ValueError("where")
        return [Place(path=self.home, why="setting", remark="r", mend="m")]

    def discover(self):
        if self.trouble == "absent":
            raise SourceUnavailable((self.home,))
        if self.trouble == "discover":
            raise ValueError("discover")
        for number in range(5):
            yield SessionHandle(
                id=str(number), path="/x", source="sample", modified_at=float(number), live=number == 1
            )

    def parse(self, handle, cursor):
        if self.trouble == "parse" and handle.id == "3":
            raise ValueError("parse")
        step = int(cursor or 0)
        if self.trouble != "endless" and step == 2:
            return None, cursor
        update = SourceUpdate(session_id=handle.id, unknown_records_delta=1, client_version="7")
        return update, str(step + 1)

class Watched(Sample):
    def watch(self):
        return [self.home, self.home + "/below"]

    def touched(self, paths):
        return []

    def pulse(self):
        return []
"""

PLACES = (Place(path="/sample", why="setting", remark="r", mend="m"),)
UNWATCHED = "the source names no folders to watch"


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "look_sample.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))  # pyright: ignore[reportUnknownMemberType]
    monkeypatch.delitem(sys.modules, "look_sample", raising=False)


def seen(kind: str = "Sample", **options: Any) -> Sight:
    found = look(Question(source="sample", factory=f"look_sample:{kind}", options=options))
    return structs.replace(found, version="")


def test_it_tells_where_what_and_how_new_and_reads_the_newest() -> None:
    assert seen() == Sight(
        version="",
        places=PLACES,
        sessions=5,
        live=1,
        newest=4.0,
        tried=3,
        unknown=6,
        client="7",
        unwatched=UNWATCHED,
    )


def test_what_moved_last_before_the_asked_time_is_counted_as_old_unless_it_is_open() -> None:
    question = Question(source="sample", factory="look_sample:Sample", oldest=2.0)
    assert (look(question).old, seen().old) == (1, 0)  # of 0 and 1 the latter is open


def test_an_agent_that_is_not_there_is_not_installed() -> None:
    assert seen(trouble="absent") == Sight(version="", installed=False, places=PLACES)


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("where", "cannot say where it looks: ValueError: where"),
        ("discover", "cannot list its sessions: ValueError: discover"),
    ],
)
def test_what_a_source_raises_is_said_with_the_step(trouble: str, error: str) -> None:
    assert seen(trouble=trouble).error == error


def test_options_that_a_source_does_not_take_are_an_error_of_loading() -> None:
    error = seen(nonsense=1).error
    assert error is not None
    assert error.startswith("cannot be loaded: TypeError: ")


def test_a_session_that_cannot_be_read_is_named_and_the_others_are_read() -> None:
    found = seen(trouble="parse")
    assert (found.unreadable, found.tried, found.unknown) == (("3: ValueError: parse",), 3, 4)


def test_a_source_that_never_comes_to_an_end_is_left_alone_after_a_while() -> None:
    assert seen(trouble="endless").unknown == 3 * 64


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux")
def test_folders_are_really_watched_where_they_can_be(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    found = seen("Watched", home=str(tmp_path))
    assert (found.folders, found.unwatched) == (2, None)
    assert len(os.listdir("/proc/self/fd")) == before
    question = Question(source="sample", factory="look_sample:Watched", options={"home": "/x"}, watch=False)
    assert look(question).unwatched == "switched off"
