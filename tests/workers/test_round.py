from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.protocol.cursor import digest
from bellboard.protocol.recorder import Note, unread
from bellboard.protocol.update import Fault, SourceUpdate
from bellboard.sources.contract import CURSOR_LIMIT, SessionHandle
from bellboard.sources.errors import SourceUnavailable
from bellboard.workers.round import Parsed, Round

NOW = 1_000_000.0
SILENT = object()
"""A line with nothing to report."""


def handle(name: str, modified_at: float | None = NOW, *, live: bool = False) -> SessionHandle:
    return SessionHandle(id=name, path=f"/sessions/{name}", source="lines", modified_at=modified_at, live=live)


class Lines:
    """A source in memory: each session is a list of lines, its cursor is how many of them were read."""

    name = "lines"

    def __init__(self, **sessions: list[Any]) -> None:
        self.sessions = sessions
        self.failure: Exception | None = None

    def discover(self) -> Iterable[SessionHandle]:
        for name in self.sessions:
            yield handle(name)
        if self.failure is not None:
            raise self.failure

    def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
        lines, read = self.sessions[handle.id], int(cursor or 0)
        if read == len(lines):
            return None, cursor
        line = lines[read]
        if isinstance(line, Exception):
            raise line
        if line is SILENT:
            return None, str(read + 1)
        return SourceUpdate(session_id=handle.id, title=line, message_count_delta=1), str(read + 1)


def parsed(name: str, before: str, after: str, title: str) -> Parsed:
    return Parsed(handle(name), before, after, SourceUpdate(session_id=name, title=title, message_count_delta=1))


def everything(work: Round) -> list[Parsed | Fault]:
    """Step until nothing is queued, and return all that came of it."""
    results: list[Parsed | Fault] = []
    while work.backlog:
        result = work.step()
        if result is not None:
            results.append(result)
    return results


def test_a_session_is_read_step_by_step_until_nothing_is_new() -> None:
    work = Round(Lines(a=["one", "two"]))
    assert (work.discover(NOW), work.backlog) == (None, 1)
    assert work.step() == parsed("a", "", "1", "one")
    assert work.step() == parsed("a", "1", "2", "two")
    assert (work.step(), work.backlog) == (None, 0)
    assert work.steps == 4, "one discover and three calls of parse"


def test_what_was_read_is_not_read_again() -> None:
    source = Lines(a=["one"])
    work = Round(source)
    work.discover(NOW)
    everything(work)
    work.discover(NOW)
    assert everything(work) == []
    source.sessions["a"].append("two")
    work.discover(NOW)
    assert everything(work) == [parsed("a", "1", "2", "two")]


def test_a_granted_cursor_is_where_reading_goes_on() -> None:
    work = Round(Lines(a=["one", "two"], b=["one"]))
    work.grant({"a": "1"}, {})
    work.grant({"b": "1"}, {})
    work.discover(NOW)
    assert everything(work) == [parsed("a", "1", "2", "two")]


def test_a_cursor_may_move_with_nothing_to_report() -> None:
    work = Round(Lines(a=[SILENT, "two"]))
    work.discover(NOW)
    assert everything(work) == [Parsed(handle("a"), "", "1", None), parsed("a", "1", "2", "two")]


def test_the_freshest_session_comes_first() -> None:
    work = Round(Lines(old=["o"], fresh=["f"], unknown=["u"], middle=["m"]))
    work.schedule([handle("old", 1.0), handle("unknown", None), handle("fresh", 3.0), handle("middle", 2.0)], NOW)
    order = [result.handle.id for result in everything(work) if isinstance(result, Parsed)]
    assert order == ["fresh", "middle", "old", "unknown"]


def test_a_session_that_just_moved_goes_before_those_that_wait() -> None:
    work = Round(Lines(a=["1", "2"], b=["1", "2"], c=["1"]))
    work.schedule([handle("a"), handle("b", NOW - 1)], NOW)
    first = work.step()
    work.schedule([handle("c")], NOW)
    order = [result.handle.id for result in [first, *everything(work)] if isinstance(result, Parsed)]
    assert order == ["a", "c", "b", "a", "b"]


def test_a_long_session_takes_its_turn_with_the_others() -> None:
    work = Round(Lines(long=["1", "2", "3", "4"], short=["1"]))
    work.schedule([handle("long", 2.0), handle("short", 1.0)], NOW)
    order = [result.handle.id for result in everything(work) if isinstance(result, Parsed)]
    assert order == ["long", "short", "long", "long", "long"]


def test_a_session_is_queued_once_however_often_it_is_named() -> None:
    work = Round(Lines(a=["one"]))
    for _ in range(3):
        work.schedule([handle("a"), handle("a")], NOW)
    assert work.backlog == 1


def test_the_latest_handle_is_the_one_that_is_parsed() -> None:
    work = Round(Lines(a=["one"]))
    work.schedule([handle("a", 1.0)], NOW)
    work.schedule([handle("a", 2.0, live=True)], NOW)
    result = work.step()
    assert isinstance(result, Parsed)
    assert result.handle == handle("a", 2.0, live=True)


def test_a_session_that_cannot_be_parsed_is_a_fault_and_its_siblings_go_on() -> None:
    source = Lines(bad=[ValueError("s3cret")], good=["one"])
    work = Round(source)
    work.schedule([handle("bad"), handle("good", 1.0)], NOW)
    fault, sibling = everything(work)
    assert isinstance(fault, Fault)
    assert (fault.scope, fault.handle, fault.code) == ("handle", "bad", "ValueError")
    assert "s3cret" not in fault.detail
    assert isinstance(sibling, Parsed)
    assert sibling.handle.id == "good"
    assert work.failing == {"bad"}


def test_a_session_that_is_there_no_more_fails_no_more() -> None:
    source = Lines(bad=[ValueError()], good=["one"])
    work = Round(source)
    work.discover(NOW)
    everything(work)
    assert work.failing == {"bad"}
    del source.sessions["bad"]
    work.discover(NOW)
    assert work.failing == set()


def test_a_session_that_failed_is_tried_again_from_where_it_was() -> None:
    source = Lines(a=["one", ValueError()])
    work = Round(source)
    work.discover(NOW)
    assert [type(result) for result in everything(work)] == [Parsed, Fault]
    source.sessions["a"][1] = "two"
    work.discover(NOW)
    assert everything(work) == [parsed("a", "1", "2", "two")]
    assert work.failing == set()


@pytest.mark.parametrize("wrong", [None, 5, "text", (None,), (None, None), (None, 7)], ids=repr)
def test_an_answer_of_the_wrong_shape_is_a_fault(wrong: Any) -> None:
    class Confused(Lines):
        def parse(self, handle: SessionHandle, cursor: str) -> Any:
            return super().parse(handle, cursor) if handle.id == "good" else wrong

    work = Round(Confused(good=["one"], bad=["one"]))
    work.discover(NOW)
    fault, *rest = everything(work)
    assert isinstance(fault, Fault)
    assert (fault.scope, fault.handle) == ("handle", "bad")
    assert rest == [parsed("good", "", "1", "one")]


def test_a_cursor_over_the_limit_is_a_fault_and_is_not_kept() -> None:
    class Wordy(Lines):
        cursor = "1" * (CURSOR_LIMIT + 1)

        def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
            del handle, cursor
            return None, self.cursor

    source = Wordy(a=["one"])
    work = Round(source)
    work.discover(NOW)
    assert everything(work) == [
        Fault(
            scope="handle",
            handle="a",
            code="CursorTooLarge",
            detail="a cursor of 65,537 bytes, the limit is 65,536",
        )
    ]
    source.cursor = "1" * CURSOR_LIMIT
    work.discover(NOW)
    assert work.step() == Parsed(handle("a"), "", source.cursor, None)


def test_a_discover_that_fails_is_a_fault_and_is_counted_until_it_works() -> None:
    source = Lines(a=["one"])
    work = Round(source)
    source.failure = PermissionError(13, "Permission denied", "/home/ann/.agent")
    denied = Fault(scope="discover", code="PermissionError", detail="PermissionError: Permission denied")
    assert (work.discover(NOW), work.discover_failures, work.backlog) == (denied, 1, 0)
    assert (work.discover(NOW), work.discover_failures, work.backlog) == (denied, 2, 0)
    source.failure = None
    assert (work.discover(NOW), work.discover_failures, work.backlog) == (None, 0, 1)


def test_sessions_go_on_while_discover_fails() -> None:
    source = Lines(a=["one"])
    work = Round(source)
    work.discover(NOW)
    source.failure = ValueError()
    assert work.discover(NOW) is not None
    assert everything(work) == [parsed("a", "", "1", "one")]


def test_an_agent_that_is_not_installed_is_no_fault() -> None:
    source = Lines()
    source.failure = SourceUnavailable(("/home/ann/.agent",))
    with pytest.raises(SourceUnavailable):
        Round(source).discover(NOW)


def test_what_was_listed_ahead_of_the_grant_is_queued_by_the_first_discover_alone() -> None:
    source = Lines(a=["one", "two"])
    work = Round(source)
    work.look_ahead()
    source.sessions["b"] = ["one"]
    work.grant({"a": "1"}, {})
    assert (work.discover(NOW), everything(work)) == (None, [parsed("a", "1", "2", "two")])
    assert (work.discover(NOW), everything(work)) == (None, [parsed("b", "", "1", "one")])


def test_what_goes_wrong_ahead_of_the_grant_is_said_by_the_first_discover() -> None:
    source = Lines(a=["one"])
    work = Round(source)
    source.failure = SourceUnavailable(("/home/ann/.agent",))
    work.look_ahead()
    source.failure = None
    with pytest.raises(SourceUnavailable):
        work.discover(NOW)
    assert (work.discover(NOW), work.backlog) == (None, 1)


def test_any_other_question_fails_like_discover() -> None:
    work = Round(Lines(a=["one"]))

    def broken() -> Iterable[SessionHandle]:
        raise KeyError("s3cret")

    fault = work.ask(broken, NOW)
    assert fault is not None
    assert (fault.scope, fault.code, work.discover_failures) == ("discover", "KeyError", 0)
    assert (work.ask(lambda: [handle("a")], NOW), work.backlog) == (None, 1)


def test_old_sessions_stay_asleep_until_they_move() -> None:
    work = Round(Lines(old=["one"]), since=60.0)
    work.schedule([handle("old", NOW - 61)], NOW)
    assert work.backlog == 0
    work.schedule([handle("old", NOW - 60)], NOW)
    assert work.backlog == 1


def test_how_many_are_left_out_is_counted_anew_each_time_all_are_asked_for() -> None:
    source = Lines()
    source.discover = lambda: [
        handle("a"),
        handle("b", NOW - 11),
        handle("c", NOW - 12),
        handle("d", NOW - 13, live=True),
    ]
    work = Round(source, since=10)
    work.grant({"c": ""}, {})
    work.discover(NOW)
    assert (work.left_out, work.backlog) == (1, 3)
    work.ask(lambda: [handle("e", NOW - 99)], NOW)
    assert work.left_out == 1
    source.discover = list
    work.discover(NOW)
    assert work.left_out == 0


def test_without_a_bound_every_session_is_read() -> None:
    work = Round(Lines(old=["one"]))
    work.schedule([handle("old", 0.0)], NOW)
    assert work.backlog == 1


@pytest.mark.parametrize(
    ("old", "stored"),
    [
        (handle("old", NOW - 61, live=True), {}),
        (handle("old", None), {}),
        (handle("old", NOW - 61), {"old": "0"}),
    ],
    ids=["live evidence", "no known age", "a stored cursor"],
)
def test_an_old_session_is_read_for_a_reason(old: SessionHandle, stored: dict[str, str]) -> None:
    work = Round(Lines(old=["one"]), since=60.0)
    work.grant(stored, {})
    work.schedule([old], NOW)
    assert work.backlog == 1


def test_a_quarantined_session_is_left_alone() -> None:
    work = Round(Lines(bad=["one"], good=["one"]))
    work.grant({"bad": "0"}, {"bad": repr(NOW)})
    work.grant({}, {"worse": "1.0"})
    work.discover(NOW)
    assert everything(work) == [parsed("good", "", "1", "one")]
    assert work.changed() == []


def test_a_quarantined_session_whose_file_has_changed_is_said_once_and_read_when_it_is_released() -> None:
    work = Round(Lines(bad=["one"]))
    work.grant({}, {"bad": repr(NOW)})
    for _ in range(2):
        work.schedule([handle("bad", NOW + 1)], NOW)
    assert (work.backlog, work.changed(), work.changed()) == (0, ["bad"], [])
    work.schedule([handle("bad", NOW + 2)], NOW)
    assert work.changed() == ["bad"]
    work.release("bad")
    work.release("nobody")
    assert everything(work) == [
        Parsed(handle("bad", NOW + 2), "", "1", SourceUpdate(session_id="bad", title="one", message_count_delta=1))
    ]


def test_a_suspect_is_parsed_after_all_others() -> None:
    work = Round(Lines(fresh=["one"], old=["one"]))
    work.grant({}, {}, ["fresh"])
    work.schedule([handle("old", 1.0), handle("fresh", 2.0)], NOW)
    assert [result.handle.id for result in everything(work) if isinstance(result, Parsed)] == ["old", "fresh"]


def test_what_is_about_to_be_done_is_noted_and_afterwards_nothing_is() -> None:
    recorder = unread()
    seen: list[Note | None] = []

    class Watched(Lines):
        def discover(self) -> Iterable[SessionHandle]:
            seen.append(recorder.read())
            return super().discover()

        def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
            seen.append(recorder.read())
            return super().parse(handle, cursor)

    work = Round(Watched(a=["one", ValueError()]), recorder=recorder)
    work.grant({"a": "1"}, {})
    work.discover(NOW)
    everything(work)
    assert seen == [Note("discover"), Note("parse", "a", digest("1"), repr(NOW))]
    assert recorder.read() is None


def test_a_rewind_goes_back_to_what_the_board_has() -> None:
    work = Round(Lines(a=["one", "two", "three"]))
    work.discover(NOW)
    everything(work)
    work.rewind("a", "1")
    assert everything(work) == [parsed("a", "1", "2", "two"), parsed("a", "2", "3", "three")]


def test_a_rewind_of_a_session_that_is_queued_changes_only_its_cursor() -> None:
    work = Round(Lines(a=["one", "two"]))
    work.discover(NOW)
    work.step()
    work.rewind("a", "")
    assert work.backlog == 1
    assert work.step() == parsed("a", "", "1", "one")


def test_a_rewind_of_a_session_that_is_not_known_yet_waits_for_it() -> None:
    work = Round(Lines(a=["one", "two"]))
    work.rewind("a", "1")
    assert work.backlog == 0
    work.discover(NOW)
    assert everything(work) == [parsed("a", "1", "2", "two")]


def test_a_step_that_cannot_be_sent_is_taken_back() -> None:
    work = Round(Lines(a=["one", "two"]))
    work.discover(NOW)
    assert work.step() == parsed("a", "", "1", "one")
    work.refuse("a", "")
    assert (work.failing, work.backlog) == ({"a"}, 0), "it is not queued again by itself"
    work.refuse("a", "")
    work.discover(NOW)
    assert everything(work) == [parsed("a", "", "1", "one"), parsed("a", "1", "2", "two")]


def test_a_name_that_has_no_bytes_is_said_as_well_as_it_can_be() -> None:
    work = Round(Lines(**{"bad\udcff": [ValueError()]}))
    work.discover(NOW)
    fault = work.step()
    assert isinstance(fault, Fault)
    assert fault.handle == "bad?"


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 5), min_size=1),
    st.lists(st.tuples(st.sampled_from(["discover", "step", "rewind"]), st.sampled_from("abcd"), st.integers(0, 5))),
)
def test_in_whatever_order_things_happen_each_session_is_read_to_its_end(
    sizes: dict[str, int], moves: list[tuple[str, str, int]]
) -> None:
    work = Round(Lines(**{name: [str(number) for number in range(size)] for name, size in sizes.items()}))
    reached: dict[str, int] = {}

    def take() -> None:
        result = work.step()
        if isinstance(result, Parsed):
            assert int(result.before or 0) == reached.get(result.handle.id, 0)
            reached[result.handle.id] = int(result.after)

    for move, name, number in moves:
        if move == "discover":
            assert work.discover(NOW) is None
        elif move == "rewind" and number <= reached.get(name, 0):
            work.rewind(name, str(number))
            reached[name] = number
        elif work.backlog:
            take()
    work.discover(NOW)
    while work.backlog:
        take()
    assert {name: reached.get(name, 0) for name in sizes} == sizes
