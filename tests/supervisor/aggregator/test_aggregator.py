from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from bellboard.protocol.cursor import digest
from bellboard.protocol.event import (
    BoardEvent,
    Discovered,
    HealthChanged,
    Heartbeat,
    Removed,
    Resumed,
    Stale,
    Terminal,
    Updated,
)
from bellboard.protocol.order import Ack, Downward, Fenced, Nack
from bellboard.protocol.session import HealthState, SessionState
from bellboard.protocol.update import SourceUpdate, Update
from bellboard.supervisor.aggregator.aggregator import Aggregator
from bellboard.supervisor.aggregator.plan import Plan
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.clock import Moment

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOUR, DAY = 3600.0, 86400.0

RULES = Rules(stale_after=HOUR, retention=DAY)

Rung = tuple[str, str, str]
"""An event as the transcripts below write it: kind, session id, and the lifecycle that it carries."""


class Board:
    """An aggregator whose plans are always stored. Time passes only when a test says so, and then it is looked at."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.core = Aggregator("e", rules)
        self.at = 0.0
        self.heard: list[BoardEvent] = []
        self._cursors: dict[tuple[str, str], int] = {}
        self._seq = 0
        for source in ("claude", "codex"):
            self.core.ledger.admit(source, 1)

    @property
    def now(self) -> Moment:
        return Moment(self.wall(), self.at)

    def wall(self, seconds: float = 0.0) -> datetime:
        """The wall clock, so many seconds from now."""
        return START + timedelta(seconds=self.at + seconds)

    def update(
        self, session: str = "s", *, source: str = "claude", live: bool = False, age: float | None = 0.0, **facts: Any
    ) -> tuple[str, Update]:
        """The next step of a session whose artifact is `age` seconds old."""
        cursor = self._cursors.get((source, session), 0)
        self._cursors[source, session] = cursor + 1
        self._seq += 1
        return source, Update(
            inc=1,
            seq=self._seq,
            handle=session,
            before=digest(str(cursor) if cursor else ""),
            after=str(cursor + 1),
            facts=SourceUpdate(session_id=session, **facts),
            modified_at=None if age is None else self.wall(-age).timestamp(),
            live=live,
        )

    def say(self, session: str = "s", **fields: Any) -> list[Rung]:
        """A source says something of a session."""
        plan = self.core.plan([self.update(session, **fields)], self.now)
        assert [type(answer) for answer in plan.answers] == [Ack]
        return self.adopt(plan)

    def wait(self, seconds: float) -> list[Rung]:
        """Time passes."""
        self.at += seconds
        return self.adopt(self.core.tick(self.now))

    def adopt(self, plan: Plan) -> list[Rung]:
        """The plan was stored."""
        self.core.adopt(plan, self.now)
        self.heard += plan.events
        return [rung(event) for event in plan.events]

    def session(self, name: str = "s", source: str = "claude") -> SessionState:
        """A session that is shown."""
        (found,) = [each for each in self.core.sessions() if (each.source, each.id) == (source, name)]
        return found


def rung(event: BoardEvent) -> Rung:
    assert not isinstance(event, HealthChanged)
    return event.kind, event.id, event.session.lifecycle


def test_the_first_data_of_a_session_discovers_it() -> None:
    board = Board()
    assert board.say(activity="working", message_count_delta=2, title="bells") == [("discovered", "s", "active")]

    session = SessionState(
        id="s",
        source="claude",
        title="bells",
        activity="working",
        message_count=2,
        last_data_received_at=START,
        version=1,
    )
    assert board.core.sessions() == [session]
    assert board.heard == [
        Discovered(epoch="e", seq=1, source="claude", source_seq=1, id="s", version=1, at=START, session=session)
    ]


def test_more_data_updates_it_and_the_event_carries_the_whole_last_state() -> None:
    board = Board()
    board.say(activity="working", message_count_delta=2, title="bells")
    assert board.wait(10) == []
    assert board.say(message_count_delta=1, activity="waiting", waiting_for="prompt") == [("updated", "s", "active")]

    session = SessionState(
        id="s",
        source="claude",
        title="bells",
        activity="waiting",
        waiting_for="prompt",
        message_count=3,
        last_data_received_at=board.wall(),
        version=2,
    )
    assert board.heard[1:] == [
        Updated(epoch="e", seq=2, source="claude", source_seq=2, id="s", version=2, at=board.wall(), session=session)
    ]
    assert board.core.sessions() == [session]


@pytest.mark.parametrize("ended", [{"terminal": True}, {"activity": "terminal"}], ids=["flag", "activity"])
def test_a_session_whose_first_data_is_terminal_is_discovered_and_ends(ended: dict[str, Any]) -> None:
    board = Board()
    assert board.say(end_reason="closed", **ended) == [("discovered", "s", "terminal"), ("terminal", "s", "terminal")]
    session = board.session()
    assert (session.lifecycle, session.completed_at, session.end_reason, session.version) == (
        "terminal",
        START,
        "closed",
        2,
    )
    assert [type(event) for event in board.heard] == [Discovered, Terminal]
    assert [event.seq for event in board.heard] == [1, 2]


@pytest.mark.parametrize(
    ("said", "stored"), [(-60.0, -60.0), (60.0, 0.0), (None, 0.0)], ids=["past", "future", "unset"]
)
def test_an_end_is_when_the_source_says_but_never_in_the_future(said: float | None, stored: float) -> None:
    board = Board()
    board.say()
    fields: dict[str, Any] = {} if said is None else {"ended_at": board.wall(said)}
    assert board.say(terminal=True, **fields) == [("terminal", "s", "terminal")]
    session = board.session()
    assert (session.completed_at, session.end_reason) == (board.wall(stored), "ended")


def test_an_ended_session_that_says_more_of_its_end_is_updated_and_ended_when_it_did() -> None:
    board = Board()
    board.say(terminal=True)
    board.wait(60)
    assert board.say(terminal=True, message_count_delta=1) == [("updated", "s", "terminal")]
    assert (board.session().completed_at, board.session().message_count) == (START, 1)


def test_silent_history_enters_piece_by_piece_without_ringing() -> None:
    board = Board()
    spoke = board.wall(-2 * DAY)
    assert board.say(
        age=2 * DAY, message_count_delta=100, activity="working", last_activity_at=board.wall(-3 * DAY)
    ) == [("discovered", "s", "terminal")]
    assert board.say(age=2 * DAY, message_count_delta=100) == [("updated", "s", "terminal")]
    assert board.say(age=2 * DAY, message_count_delta=7, activity="waiting", last_activity_at=spoke) == [
        ("updated", "s", "terminal")
    ]
    assert board.session() == SessionState(
        id="s",
        source="claude",
        activity="waiting",
        lifecycle="terminal",
        end_reason="stale",
        message_count=207,
        last_activity_at=spoke,
        last_data_received_at=START,
        completed_at=spoke,
        version=3,
    )
    assert board.say(age=0, activity="working") == [("resumed", "s", "active")]


def test_history_that_ended_properly_keeps_its_end_and_does_not_ring_either() -> None:
    board = Board()
    ended = board.wall(-DAY)
    assert board.say(age=DAY, terminal=True, end_reason="closed", ended_at=ended, last_activity_at=ended) == [
        ("discovered", "s", "terminal")
    ]
    session = board.session()
    assert (session.end_reason, session.completed_at) == ("closed", ended)


@pytest.mark.parametrize(
    "fields",
    [
        {"age": 2 * DAY, "live": True},
        {"age": HOUR},
        {"age": 2 * DAY, "last_activity_at": START - timedelta(seconds=1)},
        {"age": 0.0, "last_activity_at": START - timedelta(days=2)},
        {"age": None},
    ],
    ids=["live evidence", "young file", "young record in an old file", "old record in a young file", "no time known"],
)
def test_what_may_still_be_going_on_enters_as_active(fields: dict[str, Any]) -> None:
    assert Board().say(**fields) == [("discovered", "s", "active")]


def test_without_a_threshold_nothing_is_history() -> None:
    assert Board(Rules(stale_after=None, retention=None)).say(age=1000 * DAY) == [("discovered", "s", "active")]


def test_an_active_session_goes_stale_at_the_threshold_and_keeps_its_activity() -> None:
    board = Board()
    board.say(activity="working", current_tool="Bash")
    assert board.wait(HOUR - 1) == []
    assert board.wait(1) == [("stale", "s", "terminal")]
    assert board.session() == SessionState(
        id="s",
        source="claude",
        activity="working",
        current_tool="Bash",
        lifecycle="terminal",
        end_reason="stale",
        last_data_received_at=START,
        completed_at=board.wall(),
        version=2,
    )
    assert isinstance(board.heard[-1], Stale)
    assert board.wait(HOUR) == []


def test_data_puts_staleness_off() -> None:
    board = Board()
    board.say()
    assert board.wait(HOUR - 1) == []
    board.say()
    assert board.wait(HOUR - 1) == []
    assert board.wait(1) == [("stale", "s", "terminal")]


def test_a_session_with_live_evidence_never_goes_stale_until_that_is_gone() -> None:
    board = Board()
    board.say(live=True, activity="waiting", waiting_for="permission")
    for _ in range(24):
        assert board.wait(HOUR) == []
    assert board.say(live=False, age=DAY) == [("updated", "s", "active")]
    assert board.wait(HOUR - 1) == []
    assert board.wait(1) == [("stale", "s", "terminal")]


def test_a_stale_session_that_goes_on_is_resumed_as_if_it_had_never_ended() -> None:
    board = Board()
    board.say(message_count_delta=3)
    board.wait(HOUR)
    assert board.say(message_count_delta=1) == [("resumed", "s", "active")]
    assert board.session() == SessionState(
        id="s", source="claude", message_count=4, last_data_received_at=board.wall(), version=3
    )
    assert isinstance(board.heard[-1], Resumed)
    assert board.wait(HOUR) == [("stale", "s", "terminal")]


def test_an_ended_session_is_removed_when_its_retention_is_over() -> None:
    board = Board()
    board.say(terminal=True)
    assert board.wait(DAY - 1) == []
    assert [each.id for each in board.core.sessions()] == ["s"]
    assert board.wait(1) == [("removed", "s", "terminal")]
    assert board.core.sessions() == []
    assert isinstance(board.heard[-1], Removed)
    assert board.wait(365 * DAY) == []


def test_a_removed_session_that_goes_on_is_resumed_with_its_counts() -> None:
    board = Board()
    board.say(message_count_delta=3, tool_call_count_delta=2, terminal=True, end_reason="closed")
    board.wait(DAY)
    assert board.say(message_count_delta=1) == [("resumed", "s", "active")]
    assert board.session() == SessionState(
        id="s", source="claude", message_count=4, tool_call_count=2, last_data_received_at=board.wall(), version=4
    )
    assert board.wait(HOUR) == [("stale", "s", "terminal")]


def test_a_removed_session_is_forgotten_with_its_cursor_after_thirty_days_and_then_begins_anew() -> None:
    board = Board()
    board.say("other")
    board.say(message_count_delta=3, terminal=True)
    board.wait(DAY)
    board.say("other", live=True)
    board.wait(30 * DAY - 1)
    assert "s" in board.core.ledger.cursors("claude")
    assert board.wait(1) == []
    assert (list(board.core.ledger.cursors("claude")), board.core.kept(board.now)[0].tracked.state.id) == (
        ["other"],
        "other",
    )
    source, late = board.update(message_count_delta=1)
    (answer,) = board.core.plan([(source, late)], board.now).answers
    assert isinstance(answer, Nack)
    assert (answer.code, answer.have) == ("stale_cursor", "")


def test_forgetting_that_could_not_be_stored_is_tried_again() -> None:
    board = Board()
    board.say(terminal=True)
    board.wait(DAY)
    board.at += 30 * DAY
    plan = board.core.tick(board.now)
    assert (plan.forgotten, plan.changes, plan.events) == ([("claude", "s")], True, [])
    board.core.retry(plan, board.now)
    assert board.core.tick(board.now).forgotten == [("claude", "s")]


def test_a_removed_session_that_ends_again_ends_now_and_for_todays_reason() -> None:
    board = Board()
    board.say(message_count_delta=3, terminal=True, end_reason="closed")
    board.wait(DAY)
    assert board.say(message_count_delta=1, terminal=True) == [
        ("resumed", "s", "terminal"),
        ("terminal", "s", "terminal"),
    ]
    session = board.session()
    assert (session.message_count, session.completed_at, session.end_reason) == (4, board.wall(), "ended")
    assert board.wait(DAY - 1) == []
    assert board.wait(1) == [("removed", "s", "terminal")]


def test_a_whole_life_is_numbered_without_a_gap() -> None:
    board = Board()
    board.say()
    board.wait(HOUR)
    board.say()
    board.say(terminal=True)
    board.wait(DAY)
    board.say(terminal=True)
    assert [event.kind for event in board.heard] == [
        "discovered",
        "stale",
        "resumed",
        "terminal",
        "removed",
        "resumed",
        "terminal",
    ]
    numbers = list(range(1, 8))
    assert [event.seq for event in board.heard] == numbers
    assert [event.source_seq for event in board.heard] == numbers
    assert [event.version for event in board.heard if not isinstance(event, HealthChanged)] == numbers


def test_two_sources_may_use_the_same_session_id() -> None:
    board = Board()
    assert board.say(source="claude", message_count_delta=1) == [("discovered", "s", "active")]
    assert board.say(source="codex", message_count_delta=10) == [("discovered", "s", "active")]
    assert board.say(source="codex", message_count_delta=10, terminal=True) == [("terminal", "s", "terminal")]

    assert [(each.source, each.message_count, each.lifecycle) for each in board.core.sessions()] == [
        ("claude", 1, "active"),
        ("codex", 20, "terminal"),
    ]
    assert [(event.seq, event.source, event.source_seq) for event in board.heard] == [
        (1, "claude", 1),
        (2, "codex", 1),
        (3, "codex", 2),
    ]
    assert board.core.heartbeat(board.now) == Heartbeat(
        epoch="e", seq=3, source_seqs={"claude": 1, "codex": 2}, at=board.wall()
    )


def test_a_health_event_takes_the_next_numbers_at_once() -> None:
    board = Board()
    board.say()
    health = HealthState(source="claude", status="degraded")
    assert board.core.health_event(health, board.now) == HealthChanged(
        epoch="e", seq=2, source="claude", source_seq=2, at=START, health=health
    )
    assert board.core.heartbeat(board.now).source_seqs == {"claude": 2}
    board.say()
    assert (board.heard[-1].seq, board.heard[-1].source_seq) == (3, 3)


def test_bounds_that_are_not_set_never_come() -> None:
    board = Board(Rules(stale_after=None, retention=None))
    board.say("open")
    board.say("ended", terminal=True)
    assert board.wait(1000 * DAY) == []
    assert [(each.id, each.lifecycle) for each in board.core.sessions()] == [("open", "active"), ("ended", "terminal")]


def test_an_ended_session_that_goes_on_is_not_removed_when_its_old_retention_is_over() -> None:
    board = Board(Rules(stale_after=10 * DAY, retention=DAY))
    board.say(terminal=True)
    board.wait(DAY - 1)
    assert board.say() == [("resumed", "s", "active")]
    assert board.wait(1) == []
    assert board.wait(DAY) == []
    assert board.session().lifecycle == "active"


def test_a_session_that_was_asleep_for_long_goes_stale_first_and_is_removed_a_retention_later() -> None:
    board = Board()
    board.say()
    assert board.wait(100 * DAY) == [("stale", "s", "terminal")]
    assert board.wait(DAY - 1) == []
    assert board.wait(1) == [("removed", "s", "terminal")]


def test_consumed_bytes_with_nothing_to_report_are_stored_and_say_nothing() -> None:
    board = Board()
    update = Update(inc=1, seq=1, handle="h", before="", after="40")
    plan = board.core.plan([("claude", update)], board.now)
    assert (plan.changes, plan.events, plan.sessions, plan.answers) == (True, [], {}, [Ack(seq=1)])
    board.adopt(plan)
    assert board.core.ledger.cursors("claude") == {"h": "40"}


def test_a_chain_in_one_batch_rings_at_each_link_and_is_stored_once() -> None:
    board = Board()
    batch = [board.update(message_count_delta=count) for count in (1, 2, 3)]
    plan = board.core.plan(batch, board.now)
    assert [
        (event.kind, event.session.message_count) for event in plan.events if not isinstance(event, HealthChanged)
    ] == [
        ("discovered", 1),
        ("updated", 3),
        ("updated", 6),
    ]
    assert plan.answers == [Ack(seq=1), Ack(seq=2), Ack(seq=3)]
    assert {key: each.state.message_count for key, each in plan.sessions.items()} == {("claude", "s"): 6}
    assert [(entry.cursor, entry.seq) for entry in plan.entries.values()] == [("3", 3)]


def test_each_update_of_a_batch_has_its_answer_in_order() -> None:
    board = Board()
    source, first = board.update()
    unknown = structs.replace(first, before=digest("elsewhere"), after="99", seq=7)
    old = structs.replace(first, inc=0, seq=8)
    batch = [(source, first), (source, first), (source, unknown), (source, old), ("nobody", first)]
    plan = board.core.plan(batch, board.now)

    expected: list[Downward] = [
        Ack(seq=1),
        Ack(seq=1),
        Nack(seq=7, code="stale_cursor", handle="s", have="1"),
        Fenced(),
        Fenced(),
    ]
    assert plan.answers == expected
    assert [event.kind for event in plan.events] == ["discovered"]


def test_a_plan_that_was_not_stored_has_changed_nothing() -> None:
    board = Board()
    board.say(message_count_delta=1)
    before = (board.core.sessions(), board.core.ledger.cursors("claude"), board.core.heartbeat(board.now))
    update = board.update(message_count_delta=1)

    lost = board.core.plan([update], board.now)
    assert lost.changes
    assert (board.core.sessions(), board.core.ledger.cursors("claude"), board.core.heartbeat(board.now)) == before

    again = board.core.plan([update], board.now)
    assert again == lost
    board.adopt(again)
    assert board.session().message_count == 2


def test_what_passing_time_changes_comes_again_if_it_could_not_be_stored() -> None:
    board = Board()
    board.say()
    board.at += HOUR
    lost = board.core.tick(board.now)
    assert [event.kind for event in lost.events] == ["stale"]
    assert board.core.tick(board.now).events == []
    board.core.retry(lost, board.now)
    assert board.session().lifecycle == "active"
    assert board.wait(5) == [("stale", "s", "terminal")]


def test_unknown_records_are_counted_by_source_and_never_below_zero() -> None:
    board = Board()
    batch = [
        board.update("a", unknown_records_delta=2),
        board.update("b", unknown_records_delta=3),
        board.update("a", unknown_records_delta=-4),
        board.update("c", source="codex", unknown_records_delta=1),
        board.update("d", source="codex"),
    ]
    assert board.core.plan(batch, board.now).unknown_records == {"claude": 5, "codex": 1}


def test_a_cursor_that_comes_back_to_where_it_was_is_not_moved_by_an_older_step_that_is_said_again() -> None:
    board = Board()
    there = Update(
        inc=1, seq=1, handle="s", before="", after="gone", facts=SourceUpdate(session_id="s", activity="idle")
    )
    back = Update(inc=1, seq=2, handle="s", before=digest("gone"), after="", facts=SourceUpdate(session_id="s"))
    assert board.adopt(board.core.plan([("claude", there), ("claude", back)], board.now)) == [
        ("discovered", "s", "active"),
        ("updated", "s", "active"),
    ]
    again = board.core.plan([("claude", there)], board.now)
    assert (again.answers, again.changes) == ([Ack(seq=1)], False)


def test_a_step_to_where_the_board_is_already_leaves_no_room_for_an_older_one() -> None:
    board = Board()
    there = Update(inc=1, seq=1, handle="s", before="", after="gone", facts=SourceUpdate(session_id="s"))
    back = Update(inc=1, seq=2, handle="s", before=digest("gone"), after="", facts=SourceUpdate(session_id="s"))
    # The first could not be stored, the second comes alone: the board is where it ends.
    assert board.adopt(board.core.plan([("claude", back)], board.now)) == []
    late = board.core.plan([("claude", there)], board.now)
    assert (late.answers, late.changes) == ([Ack(seq=1)], False)


def loaded(state: SessionState, *, gone: bool = False, live: bool = False) -> Board:
    board = Board()
    last = state.completed_at if state.lifecycle == "terminal" else state.last_data_received_at
    moved = last.timestamp() if last is not None else board.now.wall.timestamp()
    board.core.load(state, gone=gone, live=live, moved=moved, now=board.now)
    return board


ACTIVE = SessionState(
    id="s", source="claude", message_count=3, last_data_received_at=START - timedelta(minutes=50), version=7
)
ENDED = structs.replace(ACTIVE, lifecycle="terminal", end_reason="closed", completed_at=START - timedelta(hours=23))


def test_a_stored_session_has_been_silent_since_it_was_last_heard() -> None:
    board = loaded(ACTIVE)
    assert board.core.sessions() == [ACTIVE]
    assert board.wait(10 * 60 - 1) == []
    assert board.wait(1) == [("stale", "s", "terminal")]
    assert board.session().version == 8


def test_a_stored_session_with_live_evidence_does_not_go_stale() -> None:
    assert loaded(ACTIVE, live=True).wait(DAY) == []


def test_a_stored_session_that_ended_is_kept_for_the_rest_of_its_retention() -> None:
    board = loaded(ENDED)
    assert board.wait(HOUR - 1) == []
    assert board.wait(1) == [("removed", "s", "terminal")]


def test_a_stored_session_that_was_removed_is_not_shown_and_goes_on_with_its_counts() -> None:
    board = loaded(ENDED, gone=True)
    assert board.core.sessions() == []
    assert board.wait(DAY) == []
    assert board.say(message_count_delta=1) == [("resumed", "s", "active")]
    assert board.session() == structs.replace(ACTIVE, message_count=4, last_data_received_at=board.wall(), version=8)


def test_a_stored_session_from_the_future_or_without_times_is_as_old_as_the_start() -> None:
    for last in (START + timedelta(days=1), None):
        board = loaded(structs.replace(ACTIVE, last_data_received_at=last))
        assert board.wait(HOUR - 1) == []
        assert board.wait(1) == [("stale", "s", "terminal")]


def test_old_words_of_a_removed_session_are_counted_and_ring_nothing() -> None:
    board = loaded(ENDED, gone=True)
    before = ENDED.message_count
    assert board.say(age=2 * DAY, message_count_delta=3) == []
    assert board.core.sessions() == []
    assert board.say(age=0, message_count_delta=1, activity="working") == [("resumed", ENDED.id, "active")]
    assert board.session().message_count == before + 4
