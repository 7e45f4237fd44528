"""What stands still is not parsed again by a sweep, and what may have moved is."""

from collections.abc import Iterable

from bellboard.protocol.update import SourceUpdate
from bellboard.sources.contract import Cursor, SessionHandle
from bellboard.workers.round import Parsed, Round


class Shelf:
    """A source whose sessions' stamps and cursors are set by hand; it notes what is parsed."""

    name = "shelf"

    def __init__(self) -> None:
        self.stamp = "1"
        self.ends = "10"
        self.fails = False
        self.parsed = 0

    def discover(self) -> Iterable[SessionHandle]:
        return [SessionHandle(id="one", path="/one", source="shelf", stamp=self.stamp)]

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        assert handle.id == "one"
        self.parsed += 1
        if self.fails:
            raise ValueError("no")
        return None, self.ends if cursor != self.ends else cursor


def swept(work: Round, shelf: Shelf) -> int:
    """Look at everything once; returns how often something was parsed."""
    before = shelf.parsed
    work.discover(0.0)
    while work.backlog:
        work.step()
    return shelf.parsed - before


def test_a_session_that_stands_as_it_did_when_nothing_was_new_is_not_parsed_again() -> None:
    shelf = Shelf()
    work = Round(shelf)
    assert [swept(work, shelf) for _ in range(3)] == [2, 0, 0]


def test_a_new_stamp_is_parsed() -> None:
    shelf = Shelf()
    work = Round(shelf)
    swept(work, shelf)
    shelf.stamp, shelf.ends = "2", "20"
    assert [swept(work, shelf) for _ in range(2)] == [2, 0]


def test_without_a_stamp_every_sweep_parses() -> None:
    shelf = Shelf()
    shelf.stamp = ""
    work = Round(shelf)
    assert [swept(work, shelf) for _ in range(3)] == [2, 1, 1]


def test_a_question_about_single_sessions_parses_them_whatever_their_stamp_says() -> None:
    shelf = Shelf()
    work = Round(shelf)
    swept(work, shelf)
    work.ask(shelf.discover, 0.0)
    assert work.backlog == 1


def test_a_session_that_fails_is_parsed_by_each_sweep() -> None:
    shelf = Shelf()
    work = Round(shelf)
    shelf.fails = True
    assert [swept(work, shelf) for _ in range(2)] == [1, 1]


def test_a_session_that_the_board_sends_back_is_parsed_again() -> None:
    shelf = Shelf()
    work = Round(shelf)
    swept(work, shelf)
    work.rewind("one", "5")
    assert isinstance(work.step(), Parsed)
    assert swept(work, shelf) == 1


def test_a_step_that_could_not_be_sent_is_parsed_again_by_the_next_sweep() -> None:
    shelf = Shelf()
    work = Round(shelf)
    swept(work, shelf)
    work.refuse("one", "")
    assert swept(work, shelf) == 2
