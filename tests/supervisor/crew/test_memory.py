from bellboard.supervisor.crew.memory import MOST_RECYCLE_SECONDS, RECYCLE_SECONDS, Memory

MIB = 1 << 20


def test_a_worker_may_use_what_it_may() -> None:
    memory = Memory(soft=256 * MIB, hard=512 * MIB)
    assert [memory.judge(rss, 1e6) for rss in (None, 0, 256 * MIB)] == ["well"] * 3


def test_one_that_has_grown_is_recycled_but_not_for_what_it_needs_from_the_start() -> None:
    memory = Memory(soft=256 * MIB, hard=512 * MIB)
    assert memory.judge(300 * MIB, RECYCLE_SECONDS - 1) == "well"
    assert memory.judge(300 * MIB, RECYCLE_SECONDS) == "recycle"


def test_one_that_is_large_again_after_each_new_start_is_recycled_ever_more_seldom() -> None:
    memory = Memory(soft=256 * MIB)
    assert [memory.judge(300 * MIB, 239.0, recycled) for recycled in (0, 1, 2)] == ["recycle", "recycle", "well"]
    assert memory.judge(300 * MIB, MOST_RECYCLE_SECONDS, 50) == "recycle"


def test_one_that_is_far_too_large_is_killed_at_any_age() -> None:
    assert Memory(soft=256 * MIB, hard=512 * MIB).judge(513 * MIB, 0.0) == "kill"


def test_without_bounds_everything_is_well() -> None:
    assert Memory().judge(1 << 40, 1e6) == "well"
