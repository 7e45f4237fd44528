"""The mock board is a board: the real subscriber cannot tell the difference."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from bellboard.protocol import (
    Discovered,
    HealthChanged,
    HealthState,
    Mark,
    NotRunning,
    Removed,
    Resumed,
    SessionState,
    Snapshot,
    Stale,
    Subscriber,
    Terminal,
    Updated,
)
from bellboard.protocol.errors import NoAnswer
from bellboard.protocol.subscriber import Item
from bellboard.protocol.testing import MockBoard


@pytest.fixture
def board() -> Iterator[MockBoard]:
    with MockBoard() as mock:
        yield mock


def following(subscriber: Subscriber) -> Item:
    while True:
        if items := subscriber.receive(1):
            return items[0]


def test_what_is_there_already_comes_with_the_first_picture(board: MockBoard) -> None:
    said = board.session("claude", "one", activity="waiting", waiting_for="permission", title="bells")
    board.health("claude", status="degraded", reason="slow")
    with Subscriber(board.runtime_dir) as subscriber:
        picture = subscriber.join()
    assert picture.sessions == (said,)
    assert [(each.source, each.status, each.reason) for each in picture.health] == [("claude", "degraded", "slow")]


def test_each_change_is_the_event_that_a_real_board_would_say(board: MockBoard) -> None:
    with Subscriber(board.runtime_dir) as subscriber:
        subscriber.join()
        board.session("pi", "a", activity="working", message_count=1)
        board.session("pi", "a", message_count=2)
        board.session("pi", "a", activity="terminal", end_reason="closed")
        board.session("pi", "a", activity="working")
        board.stale("pi", "a")
        board.remove("pi", "a")
        board.health("pi", status="failed")
        seen: list[Item] = []
        while len(seen) < 7:
            seen += subscriber.receive(1)
        assert [type(item) for item in seen] == [Discovered, Updated, Terminal, Resumed, Stale, Removed, HealthChanged]
        assert (subscriber.sessions, subscriber.resyncs) == ({}, 0)
        assert subscriber.health["pi"].status == "failed"


def test_fields_that_are_not_given_stay(board: MockBoard) -> None:
    board.session("pi", "a", activity="waiting", waiting_for="question", title="bells", message_count=3)
    state = board.session("pi", "a", activity="working")
    assert (state.title, state.message_count, state.waiting_for, state.version) == ("bells", 3, None, 2)


def test_a_field_that_no_session_has_is_an_error(board: MockBoard) -> None:
    with pytest.raises(TypeError, match="colour"):
        board.session("pi", "a", colour="red")
    with Subscriber(board.runtime_dir) as subscriber:
        assert subscriber.join().sessions == ()


def test_what_gets_lost_is_noticed_by_the_subscriber(board: MockBoard) -> None:
    with Subscriber(board.runtime_dir) as subscriber:
        subscriber.join()
        with board.losing():
            board.session("pi", "a")
        while not subscriber.resyncs or ("pi", "a") not in subscriber.sessions:
            subscriber.receive(1)


def test_a_restart_is_another_epoch_with_the_same_sessions(board: MockBoard) -> None:
    board.session("pi", "a")
    with Subscriber(board.runtime_dir) as subscriber:
        first = subscriber.join()
        board.restart()
        second = following(subscriber)
        assert isinstance(second, Snapshot)
        assert (second.epoch != first.epoch, second.sessions) == (True, first.sessions)
        board.restart(empty=True)
        third = following(subscriber)
        assert isinstance(third, Snapshot)
        assert third.sessions == ()


def test_while_it_is_stopped_nobody_can_join(board: MockBoard) -> None:
    board.stop()
    with pytest.raises(NotRunning):
        Subscriber(board.runtime_dir)
    board.session("pi", "a")
    board.start()
    with Subscriber(board.runtime_dir) as subscriber:
        assert [each.id for each in subscriber.join().sessions] == ["a"]


def test_many_sessions_come_on_several_pages_and_only_of_the_sources_that_were_asked_for(board: MockBoard) -> None:
    for number in range(120):
        board.session("pi" if number % 2 else "claude", f"{number}")
    with Subscriber(board.runtime_dir, sources=["pi"]) as some, Subscriber(board.runtime_dir) as all_of_it:
        assert (len(some.join().sessions), len(all_of_it.join().sessions)) == (60, 120)


def test_its_folder_goes_with_it() -> None:
    with MockBoard() as board:
        assert board.env["BELLBOARD_RUNTIME_DIR"] == board.runtime_dir
        assert os.path.isdir(board.runtime_dir)
    assert not os.path.exists(board.runtime_dir)


def test_a_folder_that_is_given_stays(folder: str) -> None:
    with MockBoard(folder) as board:
        board.session("pi", "a")
    assert os.path.isdir(folder)


def test_waiting_for_a_subscriber_has_an_end(board: MockBoard) -> None:
    with pytest.raises(NoAnswer, match="0 of 1 subscriptions"):
        board.wait_for_subscriber(0.1)
    with Subscriber(board.runtime_dir):
        board.wait_for_subscriber()


def test_a_state_that_it_returns_is_the_state_of_the_board(board: MockBoard) -> None:
    state = board.session("pi", "a", activity="waiting", waiting_for="plan")
    assert isinstance(state, SessionState)
    assert state.needs_you


def test_it_remembers_what_a_session_did(board: MockBoard) -> None:
    board.session("pi", "a", activity="working", message_count=1)
    board.session("pi", "a", message_count=3, tool_call_count=2, current_tool="bash")
    board.session("claude", "b", message_count=1)
    with Subscriber(board.runtime_dir) as subscriber:
        marks = subscriber.history("pi", "a").marks
        assert [(mark.activity, mark.messages, mark.calls, mark.tool) for mark in marks] == [
            ("working", 1, 0, None),
            ("working", 3, 2, "bash"),
        ]
        assert {key: sum(counts) for key, counts in subscriber.pulses().items()} == {("pi", "a"): 4}
        board.restart()
        assert [mark.messages for mark in subscriber.history("pi", "a").marks] == [3], "as it is, and nothing before"
        assert (subscriber.history("pi", "z").marks, subscriber.pulses()) == ((), {})


def test_whole_states_are_put_as_they_are_with_the_next_version(board: MockBoard) -> None:
    first = SessionState(id="a", source="pi", title="bells", message_count=3)
    with Subscriber(board.runtime_dir) as subscriber:
        subscriber.join()
        board.put(first, SessionState(id="b", source="pi"), HealthState(source="pi", status="degraded"))
        board.put(structs.replace(first, lifecycle="terminal"))
        seen: list[Item] = []
        while len(seen) < 4:
            seen += subscriber.receive(1)
        assert [type(item) for item in seen] == [Discovered, Discovered, HealthChanged, Terminal]
        assert subscriber.sessions == board.sessions
        assert board.sessions["pi", "a"] == structs.replace(first, lifecycle="terminal", version=2)
        assert subscriber.health == {"pi": HealthState(source="pi", status="degraded")}


def test_a_session_can_be_given_a_past_that_goes_with_it(board: MockBoard) -> None:
    board.session("pi", "a", message_count=9)
    now = datetime.now(UTC)
    past = [
        Mark(at=now - timedelta(minutes=ago), activity="working", messages=said) for ago, said in ((30, 2), (20, 7))
    ]
    board.remember("pi", "a", past)
    board.session("pi", "a", message_count=10)
    with Subscriber(board.runtime_dir) as subscriber:
        assert [mark.messages for mark in subscriber.history("pi", "a").marks] == [2, 7, 10]
        assert [count for count in subscriber.pulses()["pi", "a"] if count] == [5, 3]
        board.remove("pi", "a")
        assert (subscriber.history("pi", "a").marks, subscriber.pulses()) == ((), {})
