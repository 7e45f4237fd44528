"""The alarm's rules as transcripts: what is seen at which second, and what a person is told then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellboard.protocol.event import HealthChanged, Removed, Snapshot, Updated
from bellboard.protocol.session import Evidence, HealthState, SessionState
from bellboard.supervisor.alerts.alarm import Alarm
from bellboard.supervisor.alerts.case import Retract
from bellboard.supervisor.alerts.settings import Notify
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.units import Seconds

START = datetime(2026, 1, 2, 3, 0, 0, tzinfo=UTC)
EVERYTHING = Notify(on=("needs-you", "turn", "source", "board"))

WORKING: dict[str, Any] = {"activity": "working"}
PROMPT: dict[str, Any] = {"activity": "waiting", "waiting_for": "prompt"}
PERMISSION: dict[str, Any] = {"activity": "waiting", "waiting_for": "permission"}
QUESTION: dict[str, Any] = {"activity": "waiting", "waiting_for": "question"}
ENDED: dict[str, Any] = {"activity": "terminal", "lifecycle": "terminal"}


def moment(second: float) -> Moment:
    return Moment(wall=START + timedelta(seconds=second), clock=second)


def at(second: float | None) -> datetime | None:
    return None if second is None else START + timedelta(seconds=second)


def session(name: str = "a", since: float | None = None, moved: float | None = None, **fields: Any) -> SessionState:
    evidence = Evidence(kind="record", since=at(since))
    return SessionState(id=name, source="pi", evidence=evidence, last_activity_at=at(moved), **fields)


class Play:
    """An alarm with a clock: `see` changes at a second, `hear` what a person was told up to a second."""

    def __init__(self, settings: Notify = EVERYTHING, *waiting: SessionState, epoch: str = "e") -> None:
        self.alarm = Alarm(settings)
        self.told: list[str] = []
        self._second = 0.0
        self.picture(0, *waiting, epoch=epoch)

    def see(self, second: float, name: str = "a", **fields: Any) -> None:
        self._run(second)
        state = session(name, **fields)
        numbers: dict[str, Any] = {"epoch": "e", "seq": 1, "source_seq": 1, "version": 1, "at": START}
        self.alarm.event(Updated(source="pi", id=name, session=state, **numbers), moment(second))

    def remove(self, second: float, name: str = "a") -> None:
        self._run(second)
        numbers: dict[str, Any] = {"epoch": "e", "seq": 1, "source_seq": 1, "version": 1, "at": START}
        self.alarm.event(Removed(source="pi", id=name, session=session(name), **numbers), moment(second))

    def health(self, second: float, status: Any) -> None:
        self._run(second)
        state = HealthState(source="pi", status=status, updated_at=at(second))
        numbers: dict[str, Any] = {"epoch": "e", "seq": 1, "source_seq": 1, "at": START}
        self.alarm.event(HealthChanged(source="pi", health=state, **numbers), moment(second))

    def picture(self, second: float, *sessions: SessionState, epoch: str = "e") -> None:
        self._run(second)
        whole = Snapshot(epoch=epoch, seq=1, source_seqs={}, sessions=sessions, health=())
        self.alarm.picture(whole, moment(second))

    def heard(self, second: float, *, connected: bool) -> None:
        self._run(second)
        self.alarm.heard(moment(second), connected=connected)

    def hear(self, second: float) -> list[str]:
        """Return what was told up to this second, each as `second: key what`."""
        self._run(second)
        told, self.told = self.told, []
        return told

    def _run(self, until: float) -> None:
        while self._second < until:
            self._second += 0.5
            for word in self.alarm.due(moment(self._second)):
                if isinstance(word, Retract):
                    self.told.append(f"{self._second:g}: over {word.key}")
                else:
                    what = " ".join(cause.what for cause in word.causes)
                    self.told.append(f"{self._second:g}: {word.key} {what}")


def test_a_permission_is_told_once_when_it_has_lasted_a_second_and_taken_back_when_it_was_given() -> None:
    play = Play()
    play.see(10, **WORKING)
    play.see(20, **PERMISSION)
    play.see(20.5, **PERMISSION, message_count=2)
    assert play.hear(30) == ["21: session/pi/a permission"]
    for second in range(31, 40):
        play.see(second, **PERMISSION, message_count=second)
    play.see(40, **WORKING)
    assert play.hear(60) == ["40.5: over session/pi/a"]


def test_what_is_over_before_it_lasted_is_never_told() -> None:
    play = Play()
    play.see(20, **PERMISSION)
    play.see(20.5, **WORKING)
    assert play.hear(100) == []


def test_the_next_request_waits_for_the_cooldown_and_is_told_if_it_still_stands_then() -> None:
    play = Play()
    play.see(20, **PERMISSION)
    play.see(25, **WORKING)
    play.see(30, **PERMISSION)
    play.see(40, **WORKING)
    play.see(50, **QUESTION)
    assert play.hear(120) == ["21: session/pi/a permission", "25.5: over session/pi/a", "81: session/pi/a question"]


def test_another_session_does_not_wait_for_that_cooldown() -> None:
    play = Play()
    play.see(20, "a", **PERMISSION)
    play.see(21, "b", **PERMISSION)
    assert play.hear(30) == ["21: session/pi/a permission", "22: session/pi/b permission"]


def test_what_is_asked_instead_replaces_what_was_told() -> None:
    play = Play()
    play.see(20, **PERMISSION)
    play.see(100, **QUESTION)
    assert play.hear(120) == ["21: session/pi/a permission", "101: session/pi/a question"]


def test_the_same_thing_asked_anew_between_two_looks_is_told_anew() -> None:
    play = Play()
    play.see(20, since=19, moved=18, **PERMISSION)
    play.see(100, since=99.5, moved=99, **PERMISSION)
    play.see(110, since=99.5, moved=99, **PERMISSION)
    assert play.hear(200) == ["21: session/pi/a permission", "101: session/pi/a permission"]


def test_a_request_that_is_only_told_of_again_is_not_another_one() -> None:
    play = Play()
    play.see(20, since=None, moved=18, **PERMISSION)
    play.see(20.5, since=19.7, moved=18, **PERMISSION)
    play.see(26, since=25.9, moved=18, **PERMISSION)
    assert play.hear(200) == ["21: session/pi/a permission"]


def test_a_state_that_flaps_within_the_settling_time_is_told_all_the_same() -> None:
    play = Play()
    for tick in range(8):
        play.see(20 + tick / 2, **(PERMISSION if tick % 2 else QUESTION))
    assert play.hear(24) == ["21: session/pi/a permission"]


def test_what_waits_already_is_told_together_after_the_grace_and_taken_back_with_the_last() -> None:
    waiting = [session(name, **PERMISSION) for name in "abc"]
    play = Play(EVERYTHING, *waiting, session("d", **PROMPT))
    play.see(2, "e", **QUESTION)
    assert play.hear(10) == ["3: summary permission permission permission question"]
    for second, name in ((11, "a"), (12, "b"), (13, "c")):
        play.see(second, name, **WORKING)
    assert play.hear(20) == []
    play.remove(20, "e")
    assert play.hear(30) == ["20.5: over summary"]


def test_one_alone_that_waits_already_is_told_by_itself() -> None:
    play = Play(EVERYTHING, session("a", **PERMISSION), session("b", **WORKING))
    assert play.hear(10) == ["3: session/pi/a permission"]


def test_a_member_of_the_summary_that_asks_something_else_is_told_by_itself() -> None:
    play = Play(EVERYTHING, session("a", **PERMISSION), session("b", **PERMISSION))
    play.see(100, "a", **QUESTION)
    play.see(110, "b", **WORKING)
    play.see(120, "a", **WORKING)
    assert play.hear(130) == [
        "3: summary permission permission",
        "101: session/pi/a question",
        "110.5: over summary",
        "120.5: over session/pi/a",
    ]


def test_a_resynchronisation_repeats_nothing_and_finds_what_was_missed() -> None:
    play = Play()
    play.see(20, "a", **PERMISSION)
    play.see(20, "b", **WORKING)
    play.see(20, "c", **PERMISSION)
    assert play.hear(30) == ["21: session/pi/a permission", "21: session/pi/c permission"]
    play.picture(30, session("a", **PERMISSION), session("b", **QUESTION))
    assert play.hear(60) == ["30.5: over session/pi/c", "31: session/pi/b question"]


def test_a_restart_of_the_supervisor_repeats_nothing() -> None:
    play = Play()
    play.see(20, since=19, **PERMISSION)
    assert play.hear(30) == ["21: session/pi/a permission"]
    play.picture(30, session("a", since=19, **PERMISSION), epoch="f")
    assert play.hear(200) == []


def test_a_supervisor_that_kept_nothing_gets_a_minute_to_find_its_sessions_again() -> None:
    play = Play()
    play.see(20, "a", since=19, **PERMISSION)
    play.see(20, "b", since=19, **PERMISSION)
    play.hear(30)
    play.picture(30, epoch="f")
    play.see(60, "a", since=19, **PERMISSION)
    assert play.hear(200) == ["90: over session/pi/b"]


def test_a_supervisor_that_reads_all_again_may_pass_through_states_that_are_long_over() -> None:
    play = Play()
    play.see(20, "a", since=19, **PERMISSION)
    play.see(20, "b", since=19, **PERMISSION)
    play.hear(30)
    play.picture(30, session("b", **WORKING), epoch="f")
    play.see(31, "b", since=19, **PERMISSION)
    play.see(40, "a", **WORKING)
    play.see(41, "a", since=19, **PERMISSION)
    assert play.hear(200) == []
    play.see(200, "a", **WORKING)
    assert play.hear(210) == ["200.5: over session/pi/a"]


def test_what_a_new_supervisor_knows_to_be_over_is_taken_back_after_the_grace() -> None:
    play = Play()
    play.see(20, **PERMISSION)
    play.hear(30)
    play.picture(30, session("a", **WORKING), epoch="f")
    assert play.hear(60) == ["33: over session/pi/a"]


def test_what_a_new_supervisor_finds_waiting_is_told_together() -> None:
    play = Play()
    play.picture(30, session("a", **PERMISSION), session("b", **QUESTION), epoch="f")
    assert play.hear(60) == ["33: summary permission question"]


def test_a_second_summary_holds_what_still_stands_of_the_first() -> None:
    play = Play(EVERYTHING, session("a", **PERMISSION), session("b", **PERMISSION))
    play.picture(100, *(session(name, **PERMISSION) for name in "abcd"), epoch="f")
    assert play.hear(120) == ["3: summary permission permission", "103: summary " + "permission " * 3 + "permission"]


def test_the_end_of_a_turn_is_told_only_of_a_turn_that_was_seen_going_on() -> None:
    play = Play()
    play.see(10, "opened", **PROMPT)
    play.see(10, "asked", **WORKING)
    play.see(20, "asked", **PROMPT)
    play.see(30, "asked", **PROMPT, message_count=4)
    play.see(40, "asked", **WORKING)
    assert play.hear(60) == ["21: session/pi/asked prompt", "40.5: over session/pi/asked"]


def test_the_end_of_a_turn_is_told_only_if_asked_for() -> None:
    play = Play(Notify())
    play.see(10, **WORKING)
    play.see(20, **PERMISSION)
    play.see(30, **PROMPT)
    assert play.hear(60) == ["21: session/pi/a permission", "30.5: over session/pi/a"]


@pytest.mark.parametrize("fields", [ENDED, {**PERMISSION, "lifecycle": "terminal"}, {"activity": "idle"}])
def test_a_session_that_ended_needs_nobody(fields: dict[str, Any]) -> None:
    play = Play()
    play.see(20, **PERMISSION)
    play.see(30, **fields)
    assert play.hear(60) == ["21: session/pi/a permission", "30.5: over session/pi/a"]


def test_a_source_is_told_when_it_did_badly_for_ten_seconds_and_taken_back_when_it_does_well() -> None:
    play = Play()
    play.health(10, "failed")
    play.health(15, "healthy")
    play.health(20, "degraded")
    assert play.hear(40) == ["30: source/pi degraded"]
    play.health(100, "failed")
    assert play.hear(120) == ["110: source/pi failed"]
    play.health(120, "paused")
    assert play.hear(130) == ["120.5: over source/pi"]


def test_a_source_that_goes_on_doing_badly_is_told_once_and_not_when_it_is_taken_out() -> None:
    play = Play()
    for second in range(10, 300, 10):
        play.health(second, "degraded")
    assert play.hear(300) == ["20: source/pi degraded"]
    play.picture(300)
    assert play.hear(310) == ["300.5: over source/pi"]


def test_a_board_that_is_not_heard_for_half_a_minute_is_told_and_nothing_else_meanwhile() -> None:
    play = Play()
    play.see(20, **PERMISSION)
    play.heard(20.5, connected=False)
    play.heard(30, connected=False)
    assert play.hear(60) == ["50.5: board gone"]
    play.heard(60, connected=True)
    assert play.hear(70) == ["60.5: over board", "60.5: session/pi/a permission"]


def test_a_supervisor_that_is_back_at_once_is_not_told_of() -> None:
    play = Play()
    play.heard(20, connected=False)
    play.heard(40, connected=True)
    assert play.hear(100) == []


def test_a_cooldown_without_end_tells_a_session_once() -> None:
    play = Play(Notify(cooldown=Seconds("inf")))
    play.see(20, **PERMISSION)
    play.see(30, **WORKING)
    play.see(40, **PERMISSION)
    assert play.hear(5_000) == ["21: session/pi/a permission", "30.5: over session/pi/a"]
