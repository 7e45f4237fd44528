from itertools import product
from typing import get_args

import pytest

from bellboard.protocol.event import EventKind
from bellboard.supervisor.aggregator.lifecycle import TRANSITIONS, IllegalStep, State, Step, Trigger, step

ROWS: dict[tuple[State, Trigger], Step] = {
    ("untracked", "data"): Step("active", ("discovered",)),
    ("untracked", "terminal data"): Step("terminal", ("discovered", "terminal")),
    ("untracked", "silent data"): Step("terminal", ("discovered",)),
    ("active", "data"): Step("active", ("updated",)),
    ("active", "terminal data"): Step("terminal", ("terminal",)),
    ("active", "silence"): Step("terminal", ("stale",)),
    ("terminal", "data"): Step("active", ("resumed",)),
    ("terminal", "terminal data"): Step("terminal", ("updated",)),
    ("terminal", "silent data"): Step("terminal", ("updated",)),
    ("terminal", "retention over"): Step("gone", ("removed",)),
    ("gone", "silent data"): Step("gone", ()),
    ("gone", "data"): Step("active", ("resumed",)),
    ("gone", "terminal data"): Step("terminal", ("resumed", "terminal")),
}
"""What was decided, written down a second time: a change of the table is a change of the contract."""

ALL_PAIRS: list[tuple[State, Trigger]] = list(product(get_args(State), get_args(Trigger)))


def test_the_table_is_the_one_that_was_decided() -> None:
    assert TRANSITIONS == ROWS


@pytest.mark.parametrize("pair", TRANSITIONS, ids=" + ".join)
def test_a_step_is_its_row_of_the_table(pair: tuple[State, Trigger]) -> None:
    assert step(*pair) == TRANSITIONS[pair]


@pytest.mark.parametrize("pair", [pair for pair in ALL_PAIRS if pair not in TRANSITIONS], ids=" + ".join)
def test_a_step_that_is_not_in_the_table_raises_and_names_both(pair: tuple[State, Trigger]) -> None:
    before = dict(TRANSITIONS)
    state, trigger = pair
    with pytest.raises(IllegalStep, match=f"'{trigger}' cannot happen to a session that is {state}"):
        step(state, trigger)
    assert before == TRANSITIONS


def test_every_kind_of_session_event_has_a_row_that_says_it() -> None:
    assert {kind for row in TRANSITIONS.values() for kind in row.events} == set(get_args(EventKind))


def test_every_state_is_left_again_and_every_one_but_the_first_is_reached() -> None:
    states = set(get_args(State))
    assert {state for state, _ in TRANSITIONS} == states
    assert {row.then for row in TRANSITIONS.values()} == states - {"untracked"}


def test_only_history_of_a_removed_session_says_nothing() -> None:
    assert [pair for pair, row in TRANSITIONS.items() if not row.events] == [("gone", "silent data")]
