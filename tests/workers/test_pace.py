import math

from bellboard.workers.pace import SELDOMER, Pace, together


def made() -> Pace:
    return Pace(sweep=2.0, watched=60.0, pulse=1.0)


def test_at_the_start_everything_is_due() -> None:
    assert made().due < 0.0


def test_without_watches_there_is_a_sweep_every_few_seconds_for_ever() -> None:
    pace = made()
    for now in range(0, 1000, 2):
        pace.swept(float(now), watched=False)
        assert pace.sweep_at == now + 2.0


def test_beside_watches_sweeps_become_seldomer_while_nothing_happens_but_not_for_ever() -> None:
    pace = made()
    pauses: list[float] = []
    now = 0.0
    for _ in range(6):
        pace.swept(now, watched=True)
        pauses.append(pace.sweep_at - now)
        now = pace.sweep_at
    assert pauses == [60.0, 120.0, 240.0, *[60.0 * SELDOMER] * 3]


def test_something_that_stirs_brings_both_forward() -> None:
    pace = made()
    for now in (0.0, 60.0, 180.0):
        pace.swept(now, watched=True)
    pace.pulsed(180.0, math.inf)
    assert pace.due == 420.0
    pace.stirred(200.0)
    assert (pace.sweep_at, pace.pulse_at) == (260.0, 201.0)
    pace.stirred(210.0)
    assert (pace.sweep_at, pace.pulse_at) == (260.0, 201.0), "what is due sooner stays"
    pace.swept(260.0, watched=True)
    assert pace.sweep_at == 320.0


def test_a_pulse_waits_as_long_as_the_source_says_and_at_least_its_time() -> None:
    pace = made()
    pace.swept(0.0, watched=True)
    for rest, at in ((0.0, 11.0), (0.5, 11.0), (7.0, 17.0), (math.inf, math.inf), (math.nan, 11.0)):
        pace.pulsed(10.0, rest)
        assert pace.pulse_at == at


def test_what_is_done_as_often_by_all_is_done_by_all_at_once() -> None:
    assert [together(now, 2.0) for now in (1000.0, 1000.1, 1001.9, 1002.0)] == [1002.0, 1002.0, 1002.0, 1004.0]
    assert together(1000.0, math.inf) == math.inf
