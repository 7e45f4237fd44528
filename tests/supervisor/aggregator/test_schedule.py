import pytest

from bellboard.supervisor.aggregator.schedule import Schedule

ONE, TWO = ("feed", "one"), ("feed", "two")


def test_what_is_due_comes_once_and_earliest_first() -> None:
    schedule = Schedule()
    schedule.put(ONE, 20.0)
    schedule.put(TWO, 10.0)
    assert list(schedule.due(9.9)) == []
    assert list(schedule.due(20.0)) == [TWO, ONE]
    assert list(schedule.due(1e9)) == []


@pytest.mark.parametrize("planned", [(20.0, 10.0), (10.0, 20.0)])
def test_of_two_looks_at_a_session_the_earlier_one_is_taken(planned: tuple[float, float]) -> None:
    """A later one that is wanted can wait: the earlier will find out."""
    schedule = Schedule()
    for at in planned:
        schedule.put(ONE, at)
    assert list(schedule.due(9.0)) == []
    assert list(schedule.due(15.0)) == [ONE]
    assert list(schedule.due(1e9)) == []


def test_what_was_looked_at_may_be_put_back() -> None:
    schedule = Schedule()
    schedule.put(ONE, 10.0)
    seen: list[tuple[str, str]] = []
    for key in schedule.due(10.0):
        seen.append(key)
        schedule.put(key, 10.0 if len(seen) == 1 else 30.0)
    assert seen == [ONE, ONE]
    assert list(schedule.due(30.0)) == [ONE]


def test_infinity_is_never() -> None:
    schedule = Schedule()
    schedule.put(ONE, float("inf"))
    assert list(schedule.due(float("inf"))) == []


def test_a_forgotten_session_is_not_looked_at_until_it_is_put_again() -> None:
    schedule = Schedule()
    schedule.put(ONE, 10.0)
    schedule.put(TWO, 11.0)
    schedule.forget(ONE)
    schedule.put(ONE, 30.0)
    assert list(schedule.due(20.0)) == [TWO]
    assert list(schedule.due(30.0)) == [ONE]


def test_after_clearing_nothing_is_looked_at() -> None:
    schedule = Schedule()
    schedule.put(ONE, 10.0)
    schedule.clear()
    assert list(schedule.due(1e9)) == []
