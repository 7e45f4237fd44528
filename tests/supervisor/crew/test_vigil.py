from bellboard.supervisor.crew.vigil import Patience, Probe, Vigil

WAITING = Probe("waiting", 1.0)


def watch(*, since: float = 0.0) -> Vigil:
    vigil = Vigil(Patience(suspect=10.0, hung=30.0, starved=120.0))
    vigil.begin("claude", since)
    return vigil


def conditions(vigil: Vigil, probe: Probe, *clocks: float) -> list[str]:
    return [vigil.judge("claude", probe, clock) for clock in clocks]


def test_a_worker_that_says_something_is_never_looked_at() -> None:
    vigil = watch()
    for clock in range(0, 1000, 9):
        vigil.heard("claude", float(clock))
        assert vigil.silent(clock + 9.9) == []
    assert vigil.silent(1009.0) == ["claude"]
    vigil.heard("nobody", 1.0)


def test_a_silent_one_is_suspect_then_hung() -> None:
    vigil = watch(since=5.0)
    assert conditions(vigil, WAITING, 15.0, 34.9, 35.0) == ["suspect", "suspect", "hung"]
    assert vigil.condition("claude") == "hung"


def test_a_word_clears_all_suspicion() -> None:
    vigil = watch()
    assert conditions(vigil, WAITING, 29.0) == ["suspect"]
    vigil.heard("claude", 29.5)
    assert (vigil.condition("claude"), vigil.silent(39.0)) == ("well", [])
    assert conditions(vigil, WAITING, 45.0, 59.5) == ["suspect", "hung"]


def test_one_that_computes_for_ever_is_hung() -> None:
    vigil = watch()
    for clock in range(10, 30):
        assert vigil.judge("claude", Probe("runnable", float(clock)), float(clock)) == "suspect"
    assert vigil.judge("claude", Probe("runnable", 30.0), 30.0) == "hung"


def test_one_that_wants_to_run_and_hardly_can_is_starved_and_gets_more_time() -> None:
    vigil = watch()
    cpu = 0.0
    seen: list[str] = []
    for clock in range(10, 121):
        cpu += 0.05
        seen.append(vigil.judge("claude", Probe("runnable", cpu), float(clock)))
    assert seen == ["suspect"] * 20 + ["starved"] * 90 + ["hung"]


def test_a_stopped_one_is_marked_for_as_long_as_it_is_stopped_and_gets_full_grace_when_it_goes_on() -> None:
    vigil = watch()
    stopped = Probe("stopped", 1.0)
    assert conditions(vigil, stopped, 10.0, 100.0, 5000.0) == ["stopped"] * 3
    assert vigil.silent(5000.1) == ["claude"], "looked at again, to see it go on"
    assert conditions(vigil, WAITING, 5000.25) == ["well"]
    assert vigil.silent(5009.0) == []
    assert conditions(vigil, WAITING, 5010.0, 5029.0, 5030.0) == ["suspect", "suspect", "hung"]


def test_when_we_were_away_ourselves_everybody_begins_anew() -> None:
    vigil = watch()
    assert conditions(vigil, WAITING, 29.0) == ["suspect"]
    vigil.grace(40.0)
    assert (vigil.condition("claude"), vigil.silent(49.0)) == ("well", [])


def test_a_process_of_which_nothing_is_known_gets_the_time_of_a_starved_one() -> None:
    vigil = watch()
    seen = [vigil.judge("claude", None, clock) for clock in (10.0, 30.0, 119.0, 120.0)]
    assert seen == ["suspect", "starved", "starved", "hung"]


def test_who_has_ended_is_watched_no_more() -> None:
    vigil = watch()
    vigil.end("claude")
    vigil.end("claude")
    assert (vigil.silent(1000.0), vigil.condition("claude")) == ([], "well")


def test_nobody_has_to_be_looked_at_before_somebody_may_be_suspect() -> None:
    assert Vigil(Patience(suspect=10.0)).rest(5.0) == 10.0
    vigil = watch()
    vigil.begin("codex", 3.0)
    assert vigil.rest(4.0) == 6.0
    vigil.heard("claude", 5.0)
    assert vigil.rest(5.0) == 8.0
    assert vigil.rest(13.0) == 0.0, "a silent one is looked at again and again"
    vigil.grace(14.0)
    vigil.judge("codex", Probe("stopped", 1.0), 14.0)
    assert vigil.rest(14.0) == 0.0, "and so is a stopped one"
