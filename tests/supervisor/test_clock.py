from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.supervisor.clock import MOST_PER_TICK, Ticks


def test_the_boards_time_begins_at_zero_and_follows_the_clock() -> None:
    ticks = Ticks(1000.0)
    assert ticks.now == 0.0
    assert [ticks.advance(reading) for reading in (1000.25, 1000.25, 1000.5)] == [0.25, 0.25, 0.5]
    assert ticks.now == 0.5


def test_a_night_asleep_is_half_a_second_and_the_morning_goes_on_as_usual() -> None:
    ticks = Ticks(0.0)
    ticks.advance(0.25)
    assert ticks.advance(8 * 3600.0) == 0.75
    assert ticks.advance(8 * 3600.0 + 0.25) == 1.0


def test_a_clock_that_goes_back_stops_time_and_does_not_turn_it() -> None:
    ticks = Ticks(100.0)
    ticks.advance(100.5)
    assert ticks.advance(50.0) == 0.5
    assert ticks.advance(50.25) == 0.75


def test_a_long_pause_between_two_readings_means_that_this_process_was_away() -> None:
    ticks = Ticks(0.0)
    seen: list[bool] = []
    for reading in (0.25, 2.25, 4.3, 4.5, -100.0):
        ticks.advance(reading)
        seen.append(ticks.was_away)
    assert seen == [False, False, True, False, False]


def test_a_sleep_that_was_meant_counts_in_full_and_a_longer_one_hardly_more() -> None:
    ticks = Ticks(0.0)
    assert ticks.advance(1.0, rest=1.0) == 1.0
    assert ticks.advance(1.5, rest=1.0) == 1.5, "woken early: only what has passed"
    assert (ticks.advance(8 * 3600.0, rest=1.0), ticks.was_away) == (3.0, True)
    assert (ticks.advance(8 * 3600.0 + 2.9, rest=1.0), ticks.was_away) == (4.5, False)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e9, 1e9)))
def test_time_never_goes_back_and_never_jumps(readings: list[float]) -> None:
    ticks = Ticks(0.0)
    for reading in readings:
        before = ticks.now
        assert before <= ticks.advance(reading) <= before + MOST_PER_TICK
