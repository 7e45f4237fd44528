import pytest

from bellboard.supervisor.crew.reserve import KEEP_SECONDS, SETTLE_SECONDS, Reserve


def test_a_calm_board_keeps_no_spare() -> None:
    reserve = Reserve()
    assert not reserve.wanted(0.0)
    assert not reserve.begins(1e6, settled=True)


@pytest.mark.parametrize(
    ("after", "settled", "begins"),
    [
        (0.0, True, True),
        (0.0, False, False),
        (SETTLE_SECONDS - 0.1, False, False),
        (SETTLE_SECONDS, False, True),
        (KEEP_SECONDS - 0.1, True, True),
        (KEEP_SECONDS, True, False),
    ],
)
def test_from_the_first_death_on_there_is_one_for_an_hour_but_it_gives_way_to_who_is_in_a_hurry(
    after: float, settled: bool, begins: bool
) -> None:
    reserve = Reserve()
    reserve.died(100.0)
    assert reserve.begins(100.0 + after, settled=settled) is begins
    assert reserve.wanted(100.0 + after) is (after < KEEP_SECONDS)


def test_each_death_begins_the_hour_anew_and_after_a_failure_there_is_none_before_the_next_death() -> None:
    reserve = Reserve()
    reserve.died(0.0)
    reserve.died(KEEP_SECONDS - 1)
    assert reserve.wanted(KEEP_SECONDS + 1)
    reserve.close()
    assert not reserve.wanted(KEEP_SECONDS + 1)
    reserve.died(KEEP_SECONDS + 2)
    assert reserve.wanted(KEEP_SECONDS + 3)
