import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.supervisor.crew.restart import Backoff, Fate, Policy, after_death

POLICY = Policy(first=0.5, most=60.0, at_least=0.5, deaths=100)
"""Without a breaker."""


def live_on(policy: Policy, seconds: float, *, alive: float = 0.1, fate: Fate = "fruitless") -> list[float]:
    """The starts of a worker that dies so many seconds after each of them."""
    backoff, clock, starts = Backoff(), 0.0, list[float]()
    while clock < seconds:
        starts.append(clock)
        died = clock + alive
        backoff = after_death(backoff, policy, fate, started_at=clock, clock=died, jitter=0.0)
        clock = max(died, backoff.not_before)
    return starts


def test_a_row_of_deaths_waits_twice_as_long_each_time_up_to_the_most() -> None:
    backoff, clock, pauses = Backoff(), 100.0, list[float]()
    for _ in range(12):
        backoff = after_death(backoff, POLICY, "fruitless", started_at=clock - 5.0, clock=clock, jitter=0.0)
        pauses.append(backoff.not_before - clock)
        clock = backoff.not_before + 5.0
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0]
    assert backoff.deaths == 12


def test_the_first_restart_is_immediate_but_starts_keep_their_distance() -> None:
    for alive, not_before in ((0.0, 10.5), (0.2, 10.3), (0.5, 10.0), (9.0, 10.0)):
        backoff = after_death(Backoff(), POLICY, "fruitless", started_at=10.0 - alive, clock=10.0, jitter=0.0)
        assert (backoff.deaths, backoff.not_before) == (1, pytest.approx(not_before))


def test_progress_ends_the_row() -> None:
    backoff = after_death(
        Backoff(deaths=7, not_before=0.0), POLICY, "progressed", started_at=0.0, clock=10.0, jitter=0.9
    )
    assert backoff == Backoff(deaths=1, not_before=10.0, recent=(10.0,))


def test_jitter_takes_up_to_half_of_the_pause_away() -> None:
    pauses = [
        after_death(Backoff(deaths=4), POLICY, "fruitless", started_at=0.0, clock=10.0, jitter=jitter).not_before - 10
        for jitter in (0.0, 0.5, 1.0)
    ]
    assert pauses == [4.0, 3.0, 2.0]


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**6), st.floats(0, 1e6), st.floats(0, 1, exclude_max=True), st.booleans())
def test_a_pause_is_never_in_the_past_nor_longer_than_the_most(
    deaths: int, clock: float, jitter: float, progressed: bool
) -> None:
    backoff = after_death(
        Backoff(deaths=deaths),
        POLICY,
        "progressed" if progressed else "fruitless",
        started_at=clock,
        clock=clock,
        jitter=jitter,
    )
    assert clock + POLICY.at_least <= backoff.not_before <= clock + POLICY.most


def test_a_worker_that_keeps_dying_opens_the_breaker_and_is_probed_ever_more_seldom() -> None:
    starts = live_on(Policy(), 3 * 3600.0)
    assert [round(later - start) for start, later in itertools.pairwise(starts)] == [
        0, 1, 1, 2, 300, 600, 1200, 1800, 1800, 1800, 1800,
    ]  # fmt: skip
    assert len([start for start in starts if start < 300.0]) <= 12
    for hour in range(1, 3):
        assert len([start for start in starts if hour * 3600.0 <= start < (hour + 1) * 3600.0]) <= 3


def test_deaths_that_are_far_apart_do_not_open_the_breaker() -> None:
    starts = live_on(Policy(), 4 * 3600.0, alive=120.0)
    assert max(later - start for start, later in itertools.pairwise(starts)) <= 120.0 + Policy().most


def test_a_probe_that_gets_somewhere_closes_the_breaker() -> None:
    backoff = Backoff(deaths=9, opened=3)
    backoff = after_death(backoff, Policy(), "progressed", started_at=0.0, clock=10.0, jitter=0.0)
    assert backoff == Backoff(deaths=1, not_before=10.0, recent=(10.0,))


def test_a_worker_that_gets_somewhere_and_dies_each_time_is_not_given_up_but_slowed_down() -> None:
    starts = live_on(Policy(), 600.0, fate="progressed")
    pauses = [later - start for start, later in itertools.pairwise(starts)]
    assert pauses[:5] == [pytest.approx(0.5)] * 5
    assert (min(pauses[40:]), max(pauses)) == (pytest.approx(5.1), pytest.approx(5.1))


def test_a_worker_that_somebody_kills_again_and_again_is_back_at_once_and_given_up_only_after_many_times() -> None:
    pauses = [later - start for start, later in itertools.pairwise(live_on(Policy(), 600.0, fate="killed"))]
    assert pauses == [*[pytest.approx(0.5)] * 24, pytest.approx(300.1)]


def test_a_hand_that_kills_does_not_lengthen_the_pause_after_a_crash() -> None:
    backoff = Backoff()
    for _ in range(3):
        backoff = after_death(backoff, POLICY, "killed", started_at=0.0, clock=9.0, jitter=0.0)
    backoff = after_death(backoff, POLICY, "fruitless", started_at=0.0, clock=10.0, jitter=0.0)
    assert (backoff.deaths, backoff.not_before) == (1, 10.0)


def test_deaths_for_which_one_session_is_to_blame_say_nothing_against_the_source() -> None:
    assert len(live_on(Policy(), 14.0, fate="excused")) == 28
    backoff = after_death(Backoff(deaths=3, fruitless=(1.0,)), POLICY, "excused", started_at=0.0, clock=9.0, jitter=0.0)
    assert backoff == Backoff(deaths=3, fruitless=(1.0,), not_before=9.0, recent=(9.0,))
