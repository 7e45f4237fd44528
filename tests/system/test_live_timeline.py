"""The comparison that live tests rest on finds what a board says wrongly, too late, or for a moment only."""

import pytest
from live_timeline import Moment, Truth, disagreements, lags

from bellboard.protocol import SessionState
from bellboard.protocol.session import Activity


def says(at: float, activity: Activity) -> Moment:
    return Moment(at=at, kind="updated", session=SessionState(id="one", source="toy", activity=activity))


TRUE = [
    Truth(at=10, session="one", name="thinks", says={"activity": "working"}, written=10.2),
    Truth(at=20, session="one", name="rests", says={"activity": "waiting"}, written=20.1),
]


def test_a_board_that_is_right_within_a_second_of_the_write_agrees() -> None:
    moments = [says(5, "idle"), says(11, "working"), says(20.5, "waiting")]
    assert disagreements(TRUE, moments, 30) == []
    assert lags(TRUE, moments) == pytest.approx({"thinks": 0.8, "rests": 0.4})


def test_a_board_that_knows_it_before_the_scenario_saw_it_agrees() -> None:
    assert disagreements(TRUE, [says(10.3, "working"), says(19.8, "waiting")], 30) == []


@pytest.mark.parametrize(
    "moments",
    [
        [],
        [says(5, "idle"), says(20.5, "waiting")],
        [says(11.3, "working"), says(20.5, "waiting")],
        [says(11, "working"), says(21.3, "waiting")],
        [says(11, "working"), says(15, "idle"), says(15.1, "working"), says(20.5, "waiting")],
        [says(11, "working"), says(20.5, "waiting"), says(29, "working")],
    ],
    ids=["never", "once", "too late", "the second too late", "a flicker", "back again"],
)
def test_a_board_that_is_wrong_at_any_time_does_not(moments: list[Moment]) -> None:
    assert disagreements(TRUE, moments, 30)


def test_what_was_true_too_shortly_proves_nothing_and_is_said() -> None:
    short = [TRUE[0], Truth(at=11, session="one", name="rests", says={"activity": "waiting"})]
    assert disagreements(short, [says(10.3, "working"), says(11.1, "waiting")], 30)
