from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.roster import Push, Roster

POLICY = Policy(first=0.5, most=60.0, at_least=0.5)


def crew(*sources: str) -> Roster:
    roster = Roster(POLICY)
    for source in sources or ("claude",):
        roster.add(source)
    return roster


def test_every_member_is_due_until_it_is_started() -> None:
    roster = crew("claude", "codex")
    assert roster.due(0.0) == ["claude", "codex"]
    roster.started("claude", 7, 1, 0.0)
    assert roster.due(0.0) == ["codex"]
    assert not roster.empty


def test_a_worker_that_dies_is_started_again_at_once_then_later_and_later() -> None:
    roster = crew()
    starts, clock = list[float](), 0.0
    for inc in range(1, 6):
        while not roster.due(clock):
            clock += 0.25
        starts.append(clock)
        roster.started("claude", 100 + inc, inc, clock)
        clock += 1.0
        assert roster.ended("claude", clock, jitter=0.0)
    assert starts == [0.0, 1.0, 2.5, 4.5, 7.5]


def test_progress_makes_the_next_start_immediate_again() -> None:
    roster = crew()
    for inc in (1, 2, 3):
        roster.started("claude", 7, inc, 10.0 * inc)
        roster.ended("claude", 10.0 * inc + 1, jitter=0.0)
    assert roster.due(31.0) == []
    roster.started("claude", 7, 4, 40.0)
    assert not roster.members["claude"].progressed
    roster.progress("claude")
    assert roster.ended("claude", 50.0, jitter=0.0)
    assert roster.due(50.0) == ["claude"]
    roster.started("claude", 7, 5, 50.0)
    assert not roster.members["claude"].progressed


def test_one_members_deaths_are_nobody_elses() -> None:
    roster = crew("claude", "codex")
    for inc in (1, 2, 3):
        roster.started("claude", 7, inc, float(inc))
        roster.ended("claude", float(inc), jitter=0.0)
    assert roster.due(3.0) == ["codex"]


def test_stopping_is_asked_for_then_demanded_then_done() -> None:
    roster = crew()
    roster.started("claude", 7, 1, 0.0)
    assert roster.insist(1000.0) == []
    assert roster.stop("claude", 1000.0) == [Push("claude", "drain")]
    assert roster.stop("claude", 1001.0) == []
    assert roster.insist(1003.9) == []
    assert roster.insist(1004.0) == [Push("claude", "term")]
    assert roster.insist(1005.9) == []
    assert roster.insist(1006.0) == [Push("claude", "kill")]
    assert roster.insist(2000.0) == []


def test_a_worker_that_was_stopped_starts_again_at_once_and_its_end_was_no_death() -> None:
    roster = crew()
    roster.started("claude", 7, 1, 0.0)
    roster.stop("claude", 1.0)
    assert roster.due(1.0) == []
    assert not roster.ended("claude", 1.5, jitter=0.0)
    assert roster.insist(100.0) == []
    assert roster.due(1.5) == ["claude"]


def test_who_has_no_worker_cannot_be_stopped() -> None:
    assert crew().stop("claude", 0.0) == []


def test_a_paused_source_stays_down_until_it_is_resumed_and_then_starts_at_once() -> None:
    roster = crew()
    roster.started("claude", 7, 1, 0.0)
    assert roster.pause("claude", 1.0) == [Push("claude", "drain")]
    assert not roster.ended("claude", 2.0, jitter=0.0)
    assert roster.due(1000.0) == []
    roster.resume("claude", 1000.0)
    assert roster.due(1000.0) == ["claude"]


def test_a_pause_is_taken_over_from_the_last_start() -> None:
    roster = Roster(POLICY)
    roster.add("claude", paused=True)
    assert roster.due(0.0) == []
    assert roster.pause("claude", 0.0) == []
    roster.resume("claude", 0.0)
    assert roster.due(0.0) == ["claude"]


def test_an_absent_agent_is_not_started_before_it_appears_and_its_workers_end_was_no_death() -> None:
    roster = crew()
    roster.started("claude", 7, 1, 0.0)
    roster.absent("claude", ("/nowhere",))
    assert not roster.ended("claude", 1.0, jitter=0.0)
    assert roster.members["claude"].looked == ("/nowhere",)
    assert roster.due(1000.0) == []
    roster.found("claude", frozenset(), 1.0)
    roster.found("claude", frozenset({roster.members["claude"].looked[0]}), 2.0)  # type: ignore[index]
    assert roster.due(1000.0) == ["claude"]
    roster.started("claude", 8, 2, 1000.0)
    assert roster.ended("claude", 1001.0, jitter=0.0)


def test_a_reset_forgets_deaths_and_absence_but_not_a_pause() -> None:
    roster = crew("dying", "absent", "paused")
    for inc in range(1, 6):
        roster.started("dying", 7, inc, 0.0)
        roster.ended("dying", 0.0, jitter=0.0)
    roster.absent("absent", ("/nowhere",))
    roster.pause("paused", 0.0)
    assert roster.due(0.0) == []
    for source in ("dying", "absent", "paused"):
        roster.reset(source, 0.0)
    assert roster.due(0.0) == ["dying", "absent"]


def test_a_postponed_start_is_later_and_no_death() -> None:
    roster = crew()
    roster.postpone("claude", 10.0, 5.0)
    assert roster.due(14.9) == []
    assert roster.due(15.0) == ["claude"]
    assert roster.members["claude"].backoff.deaths == 0


def test_leaving_stops_everybody_and_nobody_is_started_any_more() -> None:
    roster = crew("claude", "codex", "gemini")
    roster.started("claude", 7, 1, 0.0)
    roster.started("codex", 8, 1, 0.0)
    assert roster.leave(1.0) == [Push("claude", "drain"), Push("codex", "drain")]
    assert roster.due(1.0) == []
    roster.ended("codex", 2.0, jitter=0.0)
    assert (roster.due(100.0), roster.empty) == ([], False)
    assert roster.insist(5.0) == [Push("claude", "term")]
    roster.ended("claude", 6.0, jitter=0.0)
    assert (roster.due(100.0), roster.empty) == ([], True)


def gave_up(*looked: str) -> Roster:
    """A crew whose only worker found no agent."""
    roster = crew("claude")
    roster.started("claude", 7, 1, 0.0)
    roster.absent("claude", looked)
    assert not roster.ended("claude", 1.0, 0.0)
    return roster


def test_an_agent_that_is_nowhere_costs_no_worker_however_long_that_lasts() -> None:
    roster = gave_up("/a", "/b")
    for clock in range(1, 100_000, 60):
        assert roster.sought() == [("claude", ("/a", "/b"))]
        roster.found("claude", frozenset(), float(clock))
        assert roster.due(float(clock)) == []


def test_an_agent_that_appears_is_started_at_once() -> None:
    roster = gave_up("/a", "/b")
    roster.found("claude", frozenset(), 2.0)
    roster.found("claude", frozenset({"/b"}), 3.0)
    assert (roster.sought(), roster.due(3.0)) == ([], ["claude"])


def test_a_place_that_is_there_but_could_not_be_used_is_tried_again_each_minute() -> None:
    roster = gave_up("/a")
    roster.found("claude", frozenset({"/a"}), 2.0)
    roster.found("claude", frozenset({"/a"}), 61.9)
    assert roster.due(61.9) == []
    roster.found("claude", frozenset({"/a"}), 62.0)
    assert roster.due(62.0) == ["claude"]


def test_it_says_how_long_nothing_has_to_be_done() -> None:
    roster = crew()
    assert roster.rest(0.0) == 0.0, "it is to be started"
    roster.started("claude", 7, 1, 0.0)
    assert roster.rest(1.0) == 9.0, "until it may be suspect"
    roster.stop("claude", 2.0)
    assert roster.rest(3.0) == 3.0, "until it is asked less gently"
    roster.ended("claude", 4.0, 0.0)
    roster.postpone("claude", 4.0, 5.0)
    assert roster.rest(6.0) == 3.0, "until it is started again"
    roster.pause("claude", 6.0)
    assert roster.rest(6.0) == 10.0
    assert roster.settled
