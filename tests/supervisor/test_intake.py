from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness import wait_for

from bellboard.protocol.channel import Asking, Listening
from bellboard.protocol.codec import DOWNWARD, EVENT, UPWARD, WIRE_LIMIT, DecodeFault
from bellboard.protocol.cursor import digest
from bellboard.protocol.event import Discovered
from bellboard.protocol.order import Ack, Downward, Drain, Fenced, Grant, Nack, Ping, Release
from bellboard.protocol.recorder import Note
from bellboard.protocol.session import HealthState, SessionState
from bellboard.protocol.update import Beat, Bye, Changed, Fault, Hello, SourceUpdate, Update, Upward
from bellboard.supervisor.aggregator.aggregator import Aggregator
from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.health import HealthBook
from bellboard.supervisor.aggregator.plan import Plan
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.roster import DRAIN_SECONDS, Roster
from bellboard.supervisor.errors import StorageError
from bellboard.supervisor.intake import MOST_UPDATES, Intake
from bellboard.supervisor.store import Store
from bellboard.supervisor.voice import Voice

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TOKEN = "the right token"
CREDIT = 5


class WatchedStore(Store):
    """A store that notes each commit, and whose disk is full when a test says so."""

    def __init__(self, journal: list[str]) -> None:
        super().__init__(None)
        self.full = False
        self.sizes: list[int] = []
        self._notes = journal

    def commit(self, plan: Plan) -> None:
        if self.full:
            raise StorageError("cannot write the database: disk full")
        super().commit(plan)
        self.sizes.append(len(plan.answers))
        self._notes.append("commit")


class WatchedAggregator(Aggregator):
    def __init__(self, journal: list[str]) -> None:
        super().__init__("e", Rules())
        self._journal = journal

    def adopt(self, plan: Plan, now: Moment) -> None:
        super().adopt(plan, now)
        self._journal.append("adopt")


class Desk:
    """An intake with everything around it, the lines of workers, and an ear for what is published."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.journal: list[str] = []
        self.at = 0.0
        self.store = WatchedStore(self.journal)
        self.aggregator = WatchedAggregator(self.journal)
        self.book = HealthBook(Thresholds())
        self.roster = Roster(Policy())
        self.voice = Voice(f"ipc://{folder}/events.sock")
        self.intake = Intake(
            f"ipc://{folder}/ingest.sock",
            self.aggregator,
            self.store,
            self.book,
            self.roster,
            self.voice,
            CREDIT,
        )
        self._lines: list[Asking] = []
        self._ear = Listening(f"ipc://{folder}/events.sock", [b""])
        wait_for(self.voice.channel.new_subscriptions, what="the subscription")

    def close(self) -> None:
        for channel in (*self._lines, self._ear, self.intake.channel, self.voice.channel):
            channel.close()
        self.store.close()

    @property
    def now(self) -> Moment:
        return Moment(START + timedelta(seconds=self.at), self.at)

    def hire(self, source: str = "claude", inc: int = 1) -> None:
        """The supervisor starts a worker."""
        if source not in self.roster.members:
            self.roster.add(source)
            self.book.open(source)
        self.roster.started(source, 100 + inc, inc, self.at)
        self.intake.expect(source, inc, TOKEN)

    def line(self, name: str = "claude:1") -> Asking:
        """A worker's line to the board."""
        made = Asking(f"ipc://{self._folder}/ingest.sock", name=name.encode())
        self._lines.append(made)
        return made

    def worker(self, source: str = "claude", inc: int = 1) -> Asking:
        """A worker that was started, said Hello and was granted."""
        self.hire(source, inc)
        line = self.line(f"{source}:{inc}")
        assert [type(answer) for answer in self.ask(line, hello(source, inc))] == [Grant]
        return line

    def tell(self, line: Asking, *messages: Upward | bytes) -> None:
        """A worker says something, all of it at once."""
        frames = [each if isinstance(each, bytes) else UPWARD.encode(each) for each in messages]
        wait_for(lambda: line.send(frames), what="the line")

    def answers(self, line: Asking, count: int = 1) -> list[Downward]:
        """The next answers on a line: at least so many, and all that came together."""
        found: list[Downward] = []

        def enough() -> bool:
            self.intake.drain(self.now)
            while (frames := line.receive()) is not None:
                for frame in frames:
                    message = DOWNWARD.decode(frame)
                    assert not isinstance(message, DecodeFault)
                    found.extend(spread(message))
            return len(found) >= count

        wait_for(enough, what=f"{count} answer(s)")
        return found

    def ask(self, line: Asking, *messages: Upward | bytes, count: int = 1) -> list[Downward]:
        """Say something and wait for the answers."""
        self.tell(line, *messages)
        return self.answers(line, count)

    def unanswered(self, line: Asking, *messages: Upward | bytes, probe: Hello | None = None) -> list[Downward]:
        """Say something that must not be answered, then something that is; returns the answers to the latter."""
        self.tell(line, *messages)
        return self.ask(line, probe or hello())

    def heard(self, count: int) -> list[Any]:
        """The next events that everybody hears."""
        found: list[Any] = []

        def enough() -> bool:
            while (data := self._ear.receive()) is not None:
                found.append(EVENT.decode(data))
            return len(found) >= count

        wait_for(enough, what=f"{count} event(s)")
        return found

    def silent(self) -> bool:
        """Whether nothing was published up to now."""
        self.voice.heartbeat(self.aggregator.heartbeat(self.now), self.at)
        return [each.kind for each in self.heard(1)] == ["heartbeat"]


@pytest.fixture
def desk(folder: str) -> Iterator[Desk]:
    made = Desk(folder)
    yield made
    made.close()


def spread(answer: Downward) -> list[Downward]:
    """An acknowledgement of several updates as one for each."""
    return [Ack(seq=seq) for seq in (answer.seq, *answer.also)] if isinstance(answer, Ack) else [answer]


def hello(source: str = "claude", inc: int = 1, *, token: str = TOKEN, v: int = 1) -> Hello:
    return Hello(v=v, source=source, inc=inc, token=token, pid=101)


def grant(inc: int = 1, **cursors: str) -> Grant:
    return Grant(inc=inc, epoch="e", credit=CREDIT, cursors=cursors)


def step(seq: int, before: str, after: str, *, inc: int = 1, handle: str = "s", **facts: Any) -> Update:
    return Update(
        inc=inc,
        seq=seq,
        handle=handle,
        before=digest(before),
        after=after,
        facts=SourceUpdate(session_id=handle, **facts),
    )


def test_a_worker_that_proves_itself_is_granted_its_cursors_and_may_ask_again(desk: Desk) -> None:
    desk.aggregator.ledger.load("claude", "h", "s", "40")
    desk.aggregator.ledger.load("codex", "other", "s", "7")
    desk.hire()
    line = desk.line()
    assert desk.ask(line, hello()) == [grant(h="40")]
    assert desk.ask(line, hello()) == [grant(h="40")]


def test_an_update_is_committed_then_adopted_then_published_then_acknowledged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = desk.worker()
    say, send = desk.voice.say, desk.intake.channel.send

    def noted(what: str, do: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any) -> Any:
            desk.journal.append(what)
            return do(*arguments)

        return act

    monkeypatch.setattr(desk.voice, "say", noted("publish", say))
    monkeypatch.setattr(desk.intake.channel, "send", noted("acknowledge", send))

    assert desk.ask(line, step(1, "", "10", message_count_delta=3)) == [Ack(seq=1)]
    assert desk.journal == ["commit", "adopt", "publish", "acknowledge"]
    session = SessionState(id="s", source="claude", message_count=3, last_data_received_at=START, version=1)
    assert desk.heard(1) == [
        Discovered(epoch="e", seq=1, source="claude", source_seq=1, id="s", version=1, at=START, session=session)
    ]
    assert [each.state for each in desk.store.sessions()] == desk.aggregator.sessions() == [session]
    assert list(desk.store.cursors()) == [("claude", "s", "s", "10")]
    assert desk.roster.members["claude"].progressed


def test_while_nothing_can_be_stored_nothing_is_acknowledged_published_or_adopted_and_health_says_so(
    desk: Desk,
) -> None:
    line = desk.worker()
    desk.book.news(START)
    desk.store.full = True
    first = step(1, "", "10", message_count_delta=3, unknown_records_delta=2)
    assert desk.unanswered(line, first) == [grant()]

    assert (desk.aggregator.sessions(), desk.aggregator.ledger.cursors("claude"), desk.journal) == ([], {}, [])
    assert desk.aggregator.heartbeat(desk.now).seq == 0
    assert desk.silent()
    assert not desk.roster.members["claude"].progressed
    assert desk.book.news(START) == [
        HealthState(
            source="claude",
            status="degraded",
            reason="nothing can be stored: cannot write the database: disk full",
            updated_at=START,
        )
    ]

    desk.store.full = False
    assert desk.ask(line, first) == [Ack(seq=1)]
    assert [event.kind for event in desk.heard(1)] == ["discovered"]
    assert [each.message_count for each in desk.aggregator.sessions()] == [3]
    assert [(state.status, state.unknown_records) for state in desk.book.states()] == [("healthy", 2)]


def test_updates_that_come_together_are_one_transaction_and_their_answers_one_message(desk: Desk) -> None:
    line = desk.worker()
    batch = [
        step(1, "", "10", message_count_delta=1),
        step(2, "10", "20", message_count_delta=1),
        step(2, "10", "20", message_count_delta=1),
        step(3, "15", "30", message_count_delta=1),
        step(4, "20", "40", message_count_delta=1, inc=7),
    ]
    assert desk.ask(line, *batch) == [
        Ack(seq=1),
        Ack(seq=2),
        Ack(seq=2),
        Nack(seq=3, code="stale_cursor", handle="s", have="20"),
        Fenced(),
    ]
    assert desk.store.sizes == [5]
    assert [(event.kind, event.session.message_count) for event in desk.heard(2)] == [("discovered", 1), ("updated", 2)]


def test_what_was_stored_together_is_acknowledged_with_one_message_and_in_order_with_all_else(desk: Desk) -> None:
    line = desk.worker()
    batch = [step(1, "", "1"), step(2, "1", "2"), step(3, "9", "4"), step(4, "2", "3"), step(5, "3", "4")]
    desk.tell(line, *batch)
    wait_for(lambda: desk.intake.drain(desk.now) or desk.store.sizes, what="the batch")
    frames: list[bytes] = []
    wait_for(lambda: frames.extend(line.receive() or []) or frames, what="the answers")
    assert [DOWNWARD.decode(frame) for frame in frames] == [
        Ack(seq=1, also=(2,)),
        Nack(seq=3, code="stale_cursor", handle="s", have="2"),
        Ack(seq=4, also=(5,)),
    ]


def test_a_transaction_is_bounded_and_the_rest_waits(desk: Desk) -> None:
    line = desk.worker()
    cursors = ["", *map(str, range(1, 201))]
    for seq in range(1, 201):
        desk.tell(line, step(seq, cursors[seq - 1], cursors[seq]))
    assert desk.answers(line, 200) == [Ack(seq=seq) for seq in range(1, 201)]
    assert sum(desk.store.sizes) == 200
    assert max(desk.store.sizes) <= MOST_UPDATES


def test_nothing_waiting_is_said_to_be_nothing_waiting(desk: Desk) -> None:
    desk.worker()
    assert desk.intake.drain(desk.now) is False
    assert desk.journal == []


def test_what_was_applied_once_is_acknowledged_again_and_says_nothing_new(desk: Desk) -> None:
    line = desk.worker()
    first = step(1, "", "10", message_count_delta=3)
    assert desk.ask(line, first) == [Ack(seq=1)]
    desk.heard(1)
    assert desk.ask(line, first) == [Ack(seq=1)]
    assert desk.silent()
    assert [each.message_count for each in desk.aggregator.sessions()] == [3]


def test_a_refusal_is_no_progress(desk: Desk) -> None:
    line = desk.worker()
    assert desk.ask(line, step(1, "elsewhere", "10")) == [Nack(seq=1, code="stale_cursor", handle="s", have="")]
    assert not desk.roster.members["claude"].progressed


@pytest.mark.parametrize("token", ["guessed", ""], ids=["wrong", "none"])
def test_who_has_not_the_right_token_is_not_heard(desk: Desk, token: str) -> None:
    proof = hello(token=token)
    desk.hire()
    line = desk.line()
    news = desk.book.news(START)
    assert desk.unanswered(line, proof, step(1, "", "10"), Bye(reason="drained"), b"garbage") == [grant()]
    assert desk.aggregator.sessions() == []
    assert not desk.intake.parted("claude", 1)
    assert (len(news), desk.book.news(START)) == (1, [])


def test_a_token_is_worth_nothing_on_another_line(desk: Desk) -> None:
    desk.hire()
    thief = desk.line("thief")
    assert desk.unanswered(thief, hello(), step(1, "", "10"), probe=hello(inc=9)) == [Fenced()]
    assert desk.aggregator.sessions() == []


def test_who_never_said_hello_is_not_heard(desk: Desk) -> None:
    desk.hire()
    line = desk.line()
    assert desk.unanswered(line, step(1, "", "10"), b"", Beat(progress=1, phase="x", passes=1)) == [grant()]
    assert desk.aggregator.sessions() == []
    assert not desk.roster.members["claude"].progressed


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("claude:1", hello(inc=1)),
        ("claude:3", hello(inc=3)),
        ("claude:2", hello(inc=2, v=2)),
        ("nobody:0", hello("nobody", 0, token="")),
        (":0", hello("", 0, token="")),
    ],
    ids=["old incarnation", "future incarnation", "other protocol", "unknown source", "no source"],
)
def test_who_is_not_expected_is_fenced_and_nothing_it_says_counts_or_hurts(desk: Desk, name: str, word: Hello) -> None:
    desk.hire(inc=2)
    line = desk.line(name)
    assert desk.ask(line, word) == [Fenced()]
    noise: Sequence[Upward | bytes] = (
        Beat(progress=1, phase="x", passes=1),
        Fault(scope="source", code="x", detail="x"),
        Bye(reason="unavailable"),
        b"garbage",
        step(1, "", "10", inc=word.inc),
    )
    assert desk.unanswered(line, *noise, probe=word) == [Fenced()]
    assert desk.aggregator.sessions() == []
    assert [(state.source, state.status) for state in desk.book.states()] == [("claude", "healthy")]
    assert desk.roster.members["claude"].looked is None


def test_a_superseded_worker_is_fenced_and_cannot_speak_for_its_successor(desk: Desk) -> None:
    old = desk.worker(inc=1)
    desk.ask(old, step(1, "", "10"))
    new = desk.worker(inc=2)
    desk.book.news(START)
    assert desk.ask(
        old,
        Beat(progress=9, phase="x", passes=1),
        Fault(scope="source", code="x", detail="x"),
        Bye(reason="unavailable", looked=("/nowhere",)),
        b"garbage",
        b"garbage",
        b"garbage",
        step(2, "10", "20"),
    ) == [Fenced()]
    assert desk.book.news(START) == []
    member = desk.roster.members["claude"]
    assert (member.progressed, member.looked, member.stage) == (False, None, "none")
    assert desk.ask(new, step(1, "10", "20", inc=2)) == [Ack(seq=1)]


def test_a_forgotten_line_has_to_introduce_itself_again(desk: Desk) -> None:
    line = desk.worker()
    desk.unanswered(line, Bye(reason="drained"))
    assert desk.intake.parted("claude", 1)
    desk.intake.forget("claude", 1)
    assert not desk.intake.parted("claude", 1)
    assert desk.unanswered(line, step(1, "", "10")) == [Fenced()], "its secret is worth nothing any more"
    assert desk.aggregator.sessions() == []


def test_why_a_source_cannot_be_loaded_is_said_to_whoever_started_the_board(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    line = desk.worker()
    desk.unanswered(
        line,
        Fault(scope="handle", handle="h", code="x", detail="one session"),
        Fault(scope="source", code="not loadable", detail="there is no module nope"),
    )
    assert [record.getMessage() for record in caplog.records] == ["claude: there is no module nope"]


def test_beats_and_faults_are_noted_and_only_a_completed_pass_is_progress(desk: Desk) -> None:
    line = desk.worker()
    member = desk.roster.members["claude"]
    desk.unanswered(
        line,
        Fault(scope="handle", handle="h", code="ValueError", detail="ValueError at x.py:3"),
        Fault(scope="discover", code="OSError", detail="no /home/anna/.claude"),
        Beat(progress=1, phase="reading", backlog=4, failing=1, lag_seconds=0.5),
    )
    assert not member.progressed
    assert desk.book.states() == (
        HealthState(
            source="claude",
            status="degraded",
            reason="1 session(s) cannot be read: no ~/.claude",
            last_error="no ~/.claude",
            discover_failures=1,
            parse_failures=1,
            lag_seconds=0.5,
        ),
    )
    desk.unanswered(line, Beat(progress=2, phase="watching", passes=1))
    assert member.progressed
    assert [state.status for state in desk.book.states()] == ["healthy"]


def test_a_beat_that_says_only_that_the_worker_goes_on_stirs_nothing(desk: Desk) -> None:
    line = desk.worker()

    def stirs(message: Upward) -> bool:
        desk.at += 1.0
        desk.tell(line, message)
        vigil = desk.roster.vigil
        wait_for(
            lambda: (desk.intake.drain(desk.now), vigil.rest(desk.at) == vigil.patience.suspect)[1], what="the word"
        )
        return desk.intake.stirred()

    assert desk.intake.stirred(), "it said Hello"
    assert not desk.intake.stirred(), "asked once, told once"
    assert stirs(Beat(progress=1, phase="watching"))
    assert not stirs(Beat(progress=2, phase="watching"))
    assert stirs(Beat(progress=3, phase="watching", passes=1))
    assert not stirs(Beat(progress=4, phase="watching", passes=1))
    assert stirs(step(1, "", "10"))
    assert stirs(Fault(scope="handle", handle="h", code="ValueError", detail="ValueError at x.py:3"))


def test_a_worker_whose_agent_is_not_installed_parts_and_says_where_it_looked(desk: Desk) -> None:
    line = desk.worker()
    desk.unanswered(line, Bye(reason="unavailable", looked=("/home/anna/.claude",)))
    assert desk.intake.parted("claude", 1)
    assert desk.roster.members["claude"].looked == ("/home/anna/.claude",)
    assert [state.reason for state in desk.book.states()] == ["not found: looked in ~/.claude"]


def test_a_worker_that_ends_by_itself_parts_and_nothing_else(desk: Desk) -> None:
    line = desk.worker()
    desk.unanswered(line, Bye(reason="failed"))
    assert (desk.intake.parted("claude", 1), desk.intake.parted("claude", 2)) == (True, False)
    assert desk.roster.members["claude"].looked is None


@pytest.mark.parametrize(
    ("garbage", "error"),
    [
        (b"", "unreadable message: no bytes"),
        (b"\x07\x80", "unreadable message: version byte 7, this side speaks 1"),
        (b"\x01\xc1", "unreadable message: DecodeError"),
        (b"\x01\x80", "unreadable message: Object missing required field `type`"),
        (
            b"\x01" + b"x" * WIRE_LIMIT,
            f"unreadable message: {WIRE_LIMIT + 1} bytes, the limit is {WIRE_LIMIT}",
        ),
        (
            UPWARD.encode(step(1, "", "1", started_at=datetime(2026, 1, 2))),  # noqa: DTZ001 - a source's mistake
            "unreadable message: Expected `datetime` with a timezone component - at `$.facts.started_at`",
        ),
    ],
    ids=["empty", "version", "no msgpack", "no type", "too big", "time without zone"],
)
def test_a_message_that_cannot_be_read_is_told_and_the_next_one_counts(desk: Desk, garbage: bytes, error: str) -> None:
    line = desk.worker()
    assert desk.ask(line, garbage, step(1, "", "10")) == [Ack(seq=1)]
    assert [state.last_error for state in desk.book.states()] == [error]
    assert desk.roster.members["claude"].stage == "none"


def test_three_unreadable_messages_in_a_minute_end_the_worker(desk: Desk) -> None:
    line = desk.worker()
    other = desk.worker("codex")
    desk.unanswered(line, b"garbage", b"garbage")
    assert desk.roster.members["claude"].stage == "none"

    desk.at += 59.0
    assert desk.ask(line, b"garbage") == [Drain(deadline=DRAIN_SECONDS)]
    stages = {source: member.stage for source, member in desk.roster.members.items()}
    assert stages == {"claude": "drain", "codex": "none"}
    assert desk.ask(other, step(1, "", "10")) == [Ack(seq=1)]
    assert desk.ask(line, step(1, "", "10")) == [Ack(seq=1)]


def test_unreadable_messages_that_come_seldom_end_nobody(desk: Desk) -> None:
    line = desk.worker()
    for _ in range(6):
        desk.unanswered(line, b"garbage")
        desk.at += 30.0
    assert desk.roster.members["claude"].stage == "none"


def test_a_worker_that_is_being_ended_is_told_so_once(desk: Desk) -> None:
    line = desk.worker()
    desk.roster.stop("claude", desk.at)
    assert desk.unanswered(line, b"garbage", b"garbage", b"garbage") == [grant()]


def test_many_cursors_come_in_pages_that_fit_the_wire(desk: Desk) -> None:
    cursors = {f"handle {number}": f"{number} 🙂" + "c" * 60_000 for number in range(20)}
    for handle, cursor in cursors.items():
        desk.aggregator.ledger.load("claude", handle, "s", cursor)
    desk.hire()
    line = desk.line()
    pages: list[Grant] = []
    desk.tell(line, hello())
    while not pages or pages[-1].more:
        for answer in desk.answers(line):
            assert isinstance(answer, Grant)
            pages.append(answer)

    assert all(len(DOWNWARD.encode(page)) <= WIRE_LIMIT for page in pages)
    assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
    assert len(pages) == 5
    assert {handle: cursor for page in pages for handle, cursor in page.cursors.items()} == cursors
    assert sum(len(page.cursors) for page in pages) == len(cursors)


def test_the_board_can_speak_to_who_is_there(desk: Desk) -> None:
    assert not desk.intake.say("claude", Ping())
    desk.hire()
    assert not desk.intake.say("claude", Ping())
    line = desk.worker()
    assert desk.intake.say("claude", Ping())
    assert desk.answers(line) == [Ping()]


def test_a_plan_without_changes_needs_no_store(desk: Desk) -> None:
    desk.store.full = True
    assert desk.intake.perform(desk.aggregator.plan([], desk.now), desk.now)
    assert desk.book.states() == ()


def test_what_passing_time_changes_goes_the_same_way(desk: Desk) -> None:
    line = desk.worker()
    desk.ask(line, step(1, "", "10"))
    desk.heard(1)
    desk.at += 3600.0
    desk.store.full = True
    lost = desk.aggregator.tick(desk.now)
    assert not desk.intake.perform(lost, desk.now)
    assert desk.silent()
    desk.store.full = False
    desk.aggregator.retry(lost, desk.now)
    assert desk.intake.perform(desk.aggregator.tick(desk.now), desk.now)
    assert [event.kind for event in desk.heard(1)] == ["stale"]
    assert [each.state.lifecycle for each in desk.store.sessions()] == ["terminal"]


def poison(desk: Desk, handle: str, *, deaths: int = 2, shape: str = "10.0") -> None:
    for _ in range(deaths):
        desk.roster.quarantine.died("claude", Note("parse", handle, digest(""), shape), "crash", "it died", desk.at)


def test_a_worker_is_told_which_sessions_to_leave_alone_and_which_to_read_last(desk: Desk) -> None:
    poison(desk, "bad")
    poison(desk, "odd", deaths=1)
    desk.hire()
    (grant,) = desk.ask(desk.line(), hello("claude", 1))
    assert grant == Grant(inc=1, epoch="e", credit=CREDIT, quarantined={"bad": "10.0"}, suspects=("odd",))


def test_a_change_of_what_is_set_aside_releases_it_at_once_the_first_time(desk: Desk) -> None:
    poison(desk, "bad")
    line = desk.worker()
    assert desk.ask(line, Changed(handle="bad")) == [Release(handle="bad")]
    assert desk.book.states()[0].quarantined == ()
    poison(desk, "bad", deaths=1)
    desk.tell(line, Changed(handle="bad"))
    desk.tell(line, step(1, "", "1", handle="other"))
    assert desk.answers(line) == [Ack(seq=1)], "it has to wait now"


def test_a_suspect_that_gets_past_the_place_is_suspected_no_more(desk: Desk) -> None:
    poison(desk, "bad", deaths=1)
    line = desk.worker()
    assert desk.ask(line, step(1, "", "1", handle="bad")) == [Ack(seq=1)]
    assert desk.roster.quarantine.suspects("claude") == ()


def test_a_word_of_a_worker_ends_its_silence_and_one_of_a_zombie_does_not(desk: Desk) -> None:
    zombie = desk.worker()
    line = desk.worker(inc=2)
    desk.at = 20.0
    desk.tell(zombie, Beat(progress=1, phase="watching"))
    desk.tell(line, Fault(scope="handle", code="x", detail="x"))
    desk.answers(line, 0)
    wait_for(lambda: desk.answers(line, 0) == [] and desk.roster.vigil.silent(29.0) == [], what="the word")
    assert desk.roster.vigil.silent(30.0) == ["claude"]


def test_many_sessions_that_are_set_aside_fit_the_wire_with_the_cursors(desk: Desk) -> None:
    for number in range(900):
        poison(desk, f"{number:0>100}", shape="s" * 100)
    for number in range(100):
        desk.aggregator.ledger.load("claude", f"h{number}", "s", "c" * 4000)
    desk.hire()
    line = desk.line()
    desk.tell(line, hello("claude", 1))
    pages: list[Downward] = []
    wait_for(lambda: pages.extend(desk.answers(line)) or not pages[-1].more, what="all pages")  # type: ignore[union-attr]
    grants = [page for page in pages if isinstance(page, Grant)]
    assert len(grants[0].quarantined) == 900
    assert sum(len(page.cursors) for page in grants) == 100
    assert max(len(DOWNWARD.encode(page)) for page in grants) <= WIRE_LIMIT
