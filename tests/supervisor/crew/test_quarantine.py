import pytest

from bellboard.protocol.recorder import Note
from bellboard.supervisor.crew.quarantine import (
    CHANGED_HOLD_SECONDS,
    FEW,
    FORGET_SECONDS,
    HOLD_SECONDS,
    MOST_SUSPECTS,
    Cause,
    Quarantine,
)

BAD = Note("parse", "bad", "c1", "10.0")


def poisoned(clock: float = 0.0) -> Quarantine:
    quarantine = Quarantine()
    assert not quarantine.died("claude", BAD, "crash", "killed by SIGSEGV", clock)
    assert quarantine.died("claude", BAD, "crash", "killed by SIGSEGV", clock)
    return quarantine


def test_two_deaths_at_the_same_place_set_one_session_aside() -> None:
    quarantine = Quarantine()
    assert not quarantine.died("claude", BAD, "crash", "killed by SIGSEGV", 1.0)
    assert (quarantine.suspects("claude"), quarantine.held("claude")) == (("bad",), {})
    assert quarantine.died("claude", BAD, "hung", "it hung", 2.0)
    assert (quarantine.suspects("claude"), quarantine.held("claude")) == ((), {"bad": "10.0"})
    assert quarantine.summary("claude") == (("bad",), "it hung")
    assert quarantine.summary("codex") == ((), None)


@pytest.mark.parametrize(
    "other",
    [
        Note("parse", "bad", "c2", "10.0"),
        Note("parse", "worse", "c1", "10.0"),
        Note("discover"),
        Note("parse"),
        None,
    ],
    ids=["another cursor", "another session", "not while parsing", "a session that could not be noted", "at rest"],
)
def test_two_deaths_that_are_not_at_the_same_place_set_nothing_aside(other: Note | None) -> None:
    quarantine = Quarantine()
    assert not quarantine.died("claude", BAD, "crash", "killed by SIGSEGV", 1.0)
    assert not quarantine.died("claude", other, "crash", "killed by SIGSEGV", 2.0)
    assert not quarantine.died("codex", BAD, "crash", "killed by SIGSEGV", 3.0)


def test_a_hand_that_kills_needs_to_hit_the_same_place_four_times() -> None:
    quarantine = Quarantine()
    causes: list[Cause] = ["killed"] * 4
    assert [quarantine.died("claude", BAD, cause, "killed by SIGKILL", 1.0) for cause in causes] == [
        False,
        False,
        False,
        True,
    ]


def test_a_death_long_ago_is_forgotten() -> None:
    quarantine = Quarantine()
    quarantine.died("claude", BAD, "crash", "killed by SIGSEGV", 0.0)
    assert not quarantine.died("claude", BAD, "crash", "killed by SIGSEGV", FORGET_SECONDS + 1)


def test_a_step_that_got_past_the_place_clears_the_session() -> None:
    quarantine = Quarantine()
    quarantine.died("claude", BAD, "crash", "killed by SIGSEGV", 0.0)
    quarantine.passed("claude", "bad", "c0")
    assert quarantine.suspects("claude") == ("bad",), "the step before the place proves nothing"
    quarantine.passed("claude", "bad", "c1")
    assert quarantine.suspects("claude") == ()


def test_a_change_of_its_file_releases_it_at_once_and_one_more_death_sets_it_aside_again() -> None:
    quarantine = poisoned()
    assert quarantine.changed("claude", "bad", 1.0)
    assert (quarantine.held("claude"), quarantine.suspects("claude")) == ({}, ("bad",))
    assert quarantine.died("claude", BAD, "crash", "killed by SIGSEGV", 2.0)
    assert quarantine.summary("claude") == (("bad",), "killed by SIGSEGV")


def test_one_that_is_poisonous_again_waits_longer_each_time_it_changes() -> None:
    quarantine, clock, waits = poisoned(), 0.0, list[float]()
    for _ in range(4):
        since = clock
        if not quarantine.changed("claude", "bad", clock):
            while not quarantine.due(clock):
                clock += 1.0
        waits.append(clock - since)
        assert quarantine.died("claude", BAD, "crash", "killed by SIGSEGV", clock)
    assert waits == [0.0, CHANGED_HOLD_SECONDS, 2 * CHANGED_HOLD_SECONDS, 4 * CHANGED_HOLD_SECONDS]


def test_one_that_never_changes_is_tried_again_after_a_time_that_doubles() -> None:
    quarantine = poisoned()
    assert quarantine.due(HOLD_SECONDS - 1) == []
    assert quarantine.due(HOLD_SECONDS) == [("claude", "bad")]
    assert quarantine.due(HOLD_SECONDS) == []
    assert quarantine.died("claude", BAD, "hung", "it hung", HOLD_SECONDS)
    assert quarantine.due(3 * HOLD_SECONDS - 1) == []
    assert quarantine.due(3 * HOLD_SECONDS) == [("claude", "bad")]


def test_a_command_releases_what_is_held_and_nothing_else() -> None:
    quarantine = poisoned()
    assert quarantine.release("claude", "bad")
    assert not quarantine.release("claude", "bad")
    assert not quarantine.release("claude", "nobody")
    assert quarantine.changed("claude", "nobody", 0.0), "nobody holds it, so it may be tried"


def test_the_number_of_suspects_is_bounded_and_the_held_stay() -> None:
    quarantine = poisoned()
    for number in range(MOST_SUSPECTS + 10):
        quarantine.died("claude", Note("parse", str(number), "c", "1"), "crash", "killed by SIGSEGV", 1.0 + number)
    assert len(quarantine.suspects("claude")) == MOST_SUSPECTS - 1
    assert quarantine.held("claude") == {"bad": "10.0"}


def test_one_session_is_to_blame_until_there_are_too_many_of_them() -> None:
    quarantine = Quarantine()
    for number in range(FEW):
        note = Note("parse", str(number), "c", "1")
        assert quarantine.excuses("claude", note)
        quarantine.died("claude", note, "crash", "killed by SIGSEGV", 1.0)
    assert not quarantine.excuses("claude", BAD), "the source is at fault"
    assert quarantine.excuses("codex", BAD)
    assert quarantine.excuses("claude", Note("parse", "3", "c", "1")), "its second death sets it aside"
    quarantine.died("claude", Note("parse", "3", "c", "1"), "crash", "killed by SIGSEGV", 1.0)
    assert not quarantine.excuses("claude", Note("parse", "3", "c", "1")), (
        "it was set aside, and is parsed all the same"
    )
    assert not quarantine.excuses("codex", None)
    assert not quarantine.excuses("codex", Note("discover"))


def test_a_source_that_leaves_takes_its_suspects_with_it() -> None:
    quarantine = poisoned()
    quarantine.died("codex", BAD, "crash", "killed by SIGSEGV", 1.0)
    quarantine.forget("claude")
    assert (quarantine.held("claude"), quarantine.suspects("codex")) == ({}, ("bad",))
