from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from bellboard.protocol.history import KEPT_MINUTES, History, Mark, Pulse, still
from bellboard.protocol.session import SessionState
from bellboard.supervisor.aggregator import history
from bellboard.supervisor.aggregator.history import MOST_MARKS, Histories

T0 = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


class Session:
    """A session whose every change is noted."""

    def __init__(self, name: str = "one", histories: Histories | None = None) -> None:
        self.histories = histories or Histories()
        self.state = SessionState(id=name, source="claude", last_activity_at=T0)

    def becomes(self, seconds: float, **fields: Any) -> None:
        before, self.state = self.state, structs.replace(self.state, **fields)
        self.histories.note(before, self.state, at(seconds))

    def marks(self, seconds: float) -> tuple[Mark, ...] | None:
        found = self.histories.history("claude", self.state.id, at(seconds))
        return None if found is None else found.marks


def test_a_session_that_was_only_seen_has_no_history_but_its_present() -> None:
    session = Session()
    assert session.marks(5) is None
    assert still(session.state, at(5)) == History(source="claude", id="one", marks=(Mark(at=T0, activity="idle"),))
    assert still(session.state, at(7200)).marks == (Mark(at=at(3600), activity="idle"),)


def test_each_change_is_a_mark_and_the_first_says_what_was_before() -> None:
    session = Session()
    session.becomes(60, activity="working", current_tool="Bash", tool_call_count=1, context_tokens=900)
    session.becomes(90, activity="waiting", waiting_for="prompt", current_tool=None, message_count=2)
    assert session.marks(100) == (
        Mark(at=T0, activity="idle"),
        Mark(at=at(60), activity="working", tool="Bash", calls=1, context_tokens=900),
        Mark(at=at(90), activity="waiting", waiting_for="prompt", messages=2, calls=1, context_tokens=900),
    )
    session.becomes(120)
    assert len(session.marks(130) or ()) == 3, "nothing has changed"


def test_of_ten_seconds_the_last_is_kept_but_a_wait_for_a_person_always() -> None:
    session = Session()
    session.becomes(60, activity="working", message_count=1)
    session.becomes(62, current_tool="Bash", tool_call_count=1)
    session.becomes(64, current_tool=None, message_count=2)
    session.becomes(66, activity="waiting", waiting_for="permission")
    session.becomes(68, activity="working", waiting_for=None)
    session.becomes(69, message_count=3)
    assert session.marks(70) == (
        Mark(at=T0, activity="idle"),
        Mark(at=at(60), activity="working", messages=2, calls=1),
        Mark(at=at(66), activity="waiting", waiting_for="permission", messages=2, calls=1),
        Mark(at=at(68), activity="working", messages=3, calls=1),
    )


def test_what_is_older_than_an_hour_is_let_go_but_how_the_hour_began_is_known() -> None:
    session = Session()
    session.becomes(60, activity="working")
    session.becomes(120, message_count=1)
    assert session.marks(3700) == (
        Mark(at=at(100), activity="working"),
        Mark(at=at(120), activity="working", messages=1),
    )
    session.becomes(4000, message_count=2)
    assert session.marks(4000) == (
        Mark(at=at(400), activity="working", messages=1),
        Mark(at=at(4000), activity="working", messages=2),
    )


def test_the_minutes_say_how_much_was_done_in_each() -> None:
    session, other = Session(), Session()
    other = Session("two", session.histories)
    session.becomes(30, message_count=5)
    session.becomes(61, message_count=6, tool_call_count=2)
    other.becomes(3000, activity="working")
    session.becomes(3601, message_count=7)
    counts = [0] * KEPT_MINUTES
    counts[0], counts[-1] = 3, 1
    assert session.histories.pulses(None, 0, 10, at(3660)) == (
        [Pulse(source="claude", id="one", counts=tuple(counts))],
        None,
    )
    assert session.histories.pulses(("codex",), 0, 10, at(3660)) == ([], None)


def test_the_minutes_of_many_come_in_pieces() -> None:
    histories = Histories()
    for number in range(5):
        Session(str(number), histories).becomes(10, message_count=1)
    asked: list[str] = []
    after: int | None = 0
    while after is not None:
        found, after = histories.pulses(None, after, 2, at(20))
        asked += [pulse.id for pulse in found]
    assert asked == ["0", "1", "2", "3", "4"]


def test_a_file_that_was_replaced_counts_from_zero_and_no_minute_is_negative() -> None:
    session = Session()
    session.becomes(60, message_count=9)
    session.becomes(120, message_count=1)
    session.becomes(180, message_count=2)
    (pulse,), _ = session.histories.pulses(None, 0, 10, at(180))
    assert pulse.counts[-3:] == (9, 0, 1)


def test_a_clock_that_goes_back_makes_no_mark_before_the_last() -> None:
    session = Session()
    session.becomes(60, activity="working")
    session.becomes(20, activity="waiting", waiting_for="question")
    assert [mark.at for mark in session.marks(70) or ()] == [T0, at(60), at(60)]


def test_a_session_keeps_a_bounded_number_of_marks() -> None:
    session = Session()
    for number in range(2 * MOST_MARKS):
        session.becomes(number, activity="waiting", waiting_for="plan", message_count=number)
    assert len(session.marks(2 * MOST_MARKS) or ()) == MOST_MARKS


def test_all_sessions_together_keep_a_bounded_number_and_the_quiet_ones_are_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "MOST_ALL", 10)
    histories = Histories()
    sessions = [Session(str(number), histories) for number in range(4)]
    for session in sessions:
        session.becomes(60, activity="working")
    sessions[0].becomes(120, activity="idle")
    sessions[2].becomes(120, activity="idle")
    sessions[3].becomes(120, activity="idle")
    assert [session.marks(130) is not None for session in sessions] == [True, False, True, True]
    for session in sessions:
        histories.forget(("claude", session.state.id))
    assert histories._all == 0


def test_what_happened_days_ago_and_is_read_now_is_nobodys_pulse() -> None:
    now, session = 5 * 86400.0, Session()
    session.becomes(now, message_count=400, tool_call_count=600, last_activity_at=at(86400))
    session.becomes(now + 1, message_count=900, tool_call_count=1200, last_activity_at=at(4 * 86400))
    assert session.histories.pulses(None, 0, 100, at(now + 2)) == ([], None)
    session.becomes(now + 30, message_count=901, last_activity_at=at(now + 30))
    (pulse,) = session.histories.pulses(None, 0, 100, at(now + 31))[0]
    assert pulse.counts == (0,) * (KEPT_MINUTES - 1) + (1,)


def test_what_is_read_late_is_the_pulse_of_the_minute_in_which_it_happened() -> None:
    session = Session()
    session.becomes(7200, message_count=7, last_activity_at=at(7200 - 20 * 60))
    (pulse,) = session.histories.pulses(None, 0, 100, at(7200))[0]
    assert [(minute, count) for minute, count in enumerate(reversed(pulse.counts)) if count] == [(20, 7)]
