from datetime import UTC, datetime, timedelta

import pytest

from bellboard.protocol.session import SessionState
from bellboard.supervisor.aggregator.lifecycle import State
from bellboard.supervisor.aggregator.tracked import Rules, Tracked
from bellboard.supervisor.clock import Moment

NOW = Moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 1000.0)
RULES = Rules(stale_after=60.0, retention=600.0, forget_after=6000.0)
NEVER = Rules(stale_after=None, retention=None, forget_after=None)


@pytest.mark.parametrize(
    ("lifecycle", "live", "due"),
    [
        ("active", False, 900.0 + 60.0),
        ("active", True, 1000.0 + 60.0),
        ("terminal", False, 900.0 + 600.0),
        ("terminal", True, 900.0 + 600.0),
        ("gone", False, 900.0 + 6000.0),
    ],
)
def test_time_is_looked_at_again_when_the_rule_of_the_state_says_so(
    lifecycle: State, *, live: bool, due: float
) -> None:
    tracked = Tracked(state=SessionState(id="x", source="feed"), lifecycle=lifecycle, moved_at=900.0, live=live)
    assert RULES.due_at(tracked, NOW.clock) == due
    assert NEVER.due_at(tracked, NOW.clock) == float("inf")


@pytest.mark.parametrize(
    ("modified", "last", "silent"),
    [
        (None, None, False),
        (61, None, True),
        (60, None, False),
        (None, 61, True),
        (61, 59, False),
        (59, 61, False),
        (61, 61, True),
    ],
    ids=str,
)
def test_what_was_read_is_history_if_neither_file_nor_record_is_young(
    modified: int | None, last: int | None, *, silent: bool
) -> None:
    """Ages in seconds."""
    at = None if last is None else NOW.wall - timedelta(seconds=last)
    state = SessionState(id="x", source="feed", last_activity_at=at)
    modified_at = None if modified is None else NOW.wall.timestamp() - modified
    assert RULES.silent(state, modified_at, NOW) == silent
    assert not NEVER.silent(state, modified_at, NOW)
