from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.protocol import replica as module
from bellboard.protocol.ask import SnapshotPage
from bellboard.protocol.event import (
    BoardEvent,
    Discovered,
    Event,
    HealthChanged,
    Heartbeat,
    Removed,
    Snapshot,
    Updated,
)
from bellboard.protocol.replica import Key, Replica
from bellboard.protocol.session import HealthState, SessionState

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def state(name: str, source: str = "pi", *, messages: int = 0) -> SessionState:
    return SessionState(id=name, source=source, message_count=messages)


def updated(seq: int, session: SessionState, *, epoch: str = "e", source_seq: int | None = None) -> Updated:
    return Updated(
        epoch=epoch,
        seq=seq,
        source=session.source,
        source_seq=seq if source_seq is None else source_seq,
        id=session.id,
        version=1,
        at=AT,
        session=session,
    )


def removed(seq: int, session: SessionState) -> Removed:
    return Removed(
        epoch="e", seq=seq, source=session.source, source_seq=seq, id=session.id, version=2, at=AT, session=session
    )


def health(seq: int, state: HealthState) -> HealthChanged:
    return HealthChanged(epoch="e", seq=seq, source=state.source, source_seq=seq, at=AT, health=state)


def beat(seq: int, *, epoch: str = "e", **source_seqs: int) -> Heartbeat:
    return Heartbeat(epoch=epoch, seq=seq, source_seqs=source_seqs or {"pi": seq}, at=AT)


def page(request: int, seq: int, sessions: Iterable[SessionState] = (), **fields: Any) -> SnapshotPage:
    facts: dict[str, Any] = {"page": 0, "last": True, "epoch": "e", "source_seqs": {"pi": seq}, **fields}
    return SnapshotPage(request=request, seq=seq, sessions=tuple(sessions), **facts)


def joined(seq: int, *sessions: SessionState, sources: frozenset[str] | None = None) -> Replica:
    """Return a replica that went live at time 1 with this picture."""
    replica = Replica(sources)
    replica.feed(beat(seq), 1.0, 0.5)
    assert replica.ask(1.0) == 1
    assert replica.answer(page(1, seq, sessions), 1.0, 0.5) is not None
    return replica


def test_joining_waits_for_a_heartbeat_before_it_asks() -> None:
    replica = Replica()
    assert (replica.phase, replica.joined, replica.ask(1.0)) == ("joining", False, None)
    assert replica.feed(updated(1, state("a")), 1.0, 0.5) is None
    assert (replica.phase, replica.ask(1.0)) == ("joining", None)
    assert replica.feed(beat(1), 2.0, 0.5) is None
    assert (replica.phase, replica.ask(2.0), replica.ask(2.0)) == ("asking", 1, None)
    assert replica.answer(page(1, 1, [state("a")]), 2.1, 0.5) == Snapshot(
        epoch="e", seq=1, source_seqs={"pi": 1}, sessions=(state("a"),), health=()
    )
    assert (replica.phase, replica.joined, replica.resyncs) == ("live", True, 0)
    assert replica.sessions == {("pi", "a"): state("a")}


def test_what_came_while_the_snapshot_was_made_is_applied_on_top_of_it() -> None:
    replica = Replica()
    replica.feed(updated(3, state("a", messages=3)), 1.0, 0.5)
    replica.feed(beat(3), 1.0, 0.5)
    assert replica.ask(1.0) == 1
    for seq in (4, 5):
        assert replica.feed(updated(seq, state("a", messages=seq)), 1.0, 0.5) is None
    whole = replica.answer(page(1, 4, [state("a", messages=4), state("b")]), 1.0, 0.5)
    assert whole == Snapshot(
        epoch="e", seq=5, source_seqs={"pi": 5}, sessions=(state("a", messages=5), state("b")), health=()
    )


def test_a_live_replica_takes_each_kind_of_event() -> None:
    replica = joined(0)
    first, second = updated(1, state("a")), updated(2, state("a", messages=1))
    assert replica.feed(first, 2.0, 0.5) is first
    assert replica.feed(second, 2.0, 0.5) is second
    assert replica.sessions == {("pi", "a"): state("a", messages=1)}
    sick = health(3, HealthState(source="pi", status="degraded"))
    assert replica.feed(sick, 2.0, 0.5) is sick
    assert replica.health == {"pi": HealthState(source="pi", status="degraded")}
    gone = removed(4, state("a"))
    assert replica.feed(gone, 2.0, 0.5) is gone
    assert replica.snapshot() == Snapshot(
        epoch="e", seq=4, source_seqs={"pi": 4}, sessions=(), health=(HealthState(source="pi", status="degraded"),)
    )


def test_two_sources_may_use_the_same_id() -> None:
    replica = joined(0)
    replica.feed(updated(1, state("a", "pi"), source_seq=1), 2.0, 0.5)
    replica.feed(updated(2, state("a", "codex"), source_seq=1), 2.0, 0.5)
    assert replica.sessions == {("pi", "a"): state("a", "pi"), ("codex", "a"): state("a", "codex")}
    replica.feed(removed(2, state("a", "pi")), 2.0, 0.5)
    assert replica.sessions == {("codex", "a"): state("a", "codex")}


def test_a_repeated_event_is_passed_over() -> None:
    replica = joined(2, state("a", messages=2))
    assert replica.feed(updated(2, state("a", messages=9)), 2.0, 0.5) is None
    assert replica.feed(updated(1, state("a", messages=9)), 2.0, 0.5) is None
    assert (replica.phase, replica.resyncs) == ("live", 0)
    assert replica.sessions == {("pi", "a"): state("a", messages=2)}


def test_a_gap_makes_the_replica_ask_again() -> None:
    replica = joined(1, state("a"))
    assert replica.feed(updated(3, state("c")), 2.0, 0.5) is None
    assert (replica.phase, replica.resyncs) == ("asking", 1)
    assert replica.sessions == {("pi", "a"): state("a")}, "the last picture stays"
    assert replica.ask(2.05) is None, "with jitter"
    assert replica.ask(2.1) == 2
    whole = replica.answer(page(2, 2, [state("a"), state("b")]), 2.2, 0.5)
    assert whole is not None
    assert whole.sessions == (state("a"), state("b"), state("c")), "the event that showed the gap counts too"
    assert (replica.phase, replica.seq) == ("live", 3)


def test_a_gap_is_seen_in_the_first_event_of_a_source() -> None:
    replica = joined(1)
    assert replica.feed(updated(3, state("a", "codex"), source_seq=2), 2.0, 0.5) is None
    assert replica.phase == "asking"


@pytest.mark.parametrize("seq", [1, 7, 8])
def test_another_epoch_makes_the_replica_ask_again(seq: int) -> None:
    replica = joined(7, state("a"))
    assert replica.feed(updated(seq, state("b"), epoch="f"), 2.0, 0.0) is None
    assert (replica.phase, replica.ask(2.0)) == ("asking", 2)
    whole = replica.answer(page(2, seq, [state("b")], epoch="f"), 2.0, 0.0)
    assert whole == Snapshot(epoch="f", seq=seq, source_seqs={"pi": seq}, sessions=(state("b"),), health=())


def test_a_heartbeat_of_another_epoch_makes_the_replica_ask_again() -> None:
    replica = joined(7, state("a"))
    assert replica.feed(beat(7, epoch="f"), 2.0, 0.0) is None
    assert (replica.phase, replica.ask(2.0)) == ("asking", 2)


def test_events_of_an_epoch_that_is_over_are_forgotten() -> None:
    replica = joined(7, state("a"))
    replica.feed(health(8, HealthState(source="pi")), 2.0, 0.0)
    replica.feed(beat(0, epoch="f"), 2.0, 0.0)
    assert replica.ask(2.0) == 2
    replica.feed(updated(9, state("late")), 2.0, 0.0)
    whole = replica.answer(page(2, 0, epoch="f"), 2.0, 0.0)
    assert whole == Snapshot(epoch="f", seq=0, source_seqs={"pi": 0}, sessions=(), health=())


def test_a_heartbeat_tells_of_a_lost_last_event() -> None:
    replica = joined(1, state("a"))
    replica.feed(beat(1), 2.0, 0.0)
    assert replica.phase == "live"
    replica.feed(beat(2), 3.0, 0.0)
    assert (replica.phase, replica.resyncs) == ("asking", 1)


def test_a_heartbeat_tells_of_a_source_whose_every_event_was_lost() -> None:
    replica = joined(1, state("a"))
    replica.feed(beat(2, pi=1, codex=1), 2.0, 0.0)
    assert replica.phase == "asking"


def test_a_heartbeat_that_the_snapshot_overtook_is_no_gap() -> None:
    replica = joined(5, state("a"))
    replica.feed(beat(3), 2.0, 0.0)
    assert (replica.phase, replica.resyncs) == ("live", 0)


def test_a_snapshot_older_than_the_gap_is_asked_for_again() -> None:
    replica = joined(1, state("a"))
    replica.feed(updated(5, state("e")), 2.0, 0.0)
    assert replica.ask(2.0) == 2
    assert replica.answer(page(2, 2), 2.0, 0.0) is None
    assert (replica.phase, replica.resyncs) == ("asking", 2)
    assert replica.ask(2.0) == 3
    assert replica.answer(page(3, 4, [state("d")]), 2.0, 0.0) is not None
    assert set(replica.sessions) == {("pi", "d"), ("pi", "e")}


def test_an_unanswered_question_is_asked_again_after_two_seconds() -> None:
    replica = Replica()
    replica.feed(beat(0), 1.0, 0.0)
    assert [replica.ask(now) for now in (1.0, 2.9, 3.0, 4.9, 5.0)] == [1, None, 2, None, 3]
    assert replica.answer(page(1, 0), 5.0, 0.0) is None, "an answer to an old question shows an old moment"
    assert replica.answer(page(3, 0), 5.0, 0.0) is not None
    assert replica.ask(9.0) is None


def test_a_question_that_could_not_be_sent_is_asked_again_soon() -> None:
    replica = Replica()
    replica.feed(beat(0), 1.0, 0.5)
    assert replica.ask(1.0) == 1
    replica.unsent(1.0)
    assert (replica.ask(1.04), replica.ask(1.05)) == (None, 2)
    assert replica.answer(page(2, 0), 1.1, 0.5) is not None


def test_pages_make_one_picture() -> None:
    replica = Replica()
    replica.feed(beat(3), 1.0, 0.0)
    assert replica.ask(1.0) == 1
    well = HealthState(source="pi")
    assert replica.answer(page(1, 3, [state("a")], last=False, health=(well,)), 1.0, 0.0) is None
    assert replica.answer(page(1, 3, [state("b")], page=1, last=False), 1.0, 0.0) is None
    assert replica.sessions == {}, "half a picture is none"
    whole = replica.answer(page(1, 3, [state("c")], page=2), 1.0, 0.0)
    assert whole == Snapshot(
        epoch="e", seq=3, source_seqs={"pi": 3}, sessions=(state("a"), state("b"), state("c")), health=(well,)
    )


def test_a_missing_page_makes_the_rest_worthless() -> None:
    replica = Replica()
    replica.feed(beat(3), 1.0, 0.0)
    assert replica.ask(1.0) == 1
    assert replica.answer(page(1, 3, last=False), 1.0, 0.0) is None
    assert replica.answer(page(1, 3, page=2), 1.0, 0.0) is None
    assert replica.answer(page(1, 3, last=False), 1.0, 0.0) is None, "repeated"
    assert (replica.phase, replica.ask(3.0)) == ("asking", 2)
    assert replica.answer(page(2, 3), 3.0, 0.0) is not None


def test_while_pages_come_nothing_is_asked_again() -> None:
    replica = Replica()
    replica.feed(beat(0), 1.0, 0.0)
    assert replica.ask(1.0) == 1
    for number, now in enumerate((2.5, 4.0, 5.5)):
        assert replica.answer(page(1, 0, page=number, last=False), now, 0.0) is None
        assert replica.ask(now + 1.4) is None
    assert replica.answer(page(1, 0, page=3), 7.0, 0.0) is not None


def test_an_answer_that_nobody_asked_for_changes_nothing() -> None:
    replica = joined(1, state("a"))
    assert replica.answer(page(1, 9, [state("b")]), 2.0, 0.0) is None
    assert replica.answer(page(2, 9, [state("b")]), 2.0, 0.0) is None
    assert replica.sessions == {("pi", "a"): state("a")}


def pauses_of(replica: Replica, beats: Iterable[Heartbeat], now: float) -> tuple[list[float], float]:
    """The pauses before a replica that each of these heartbeats puts behind asks again, and when it last was live."""
    pauses: list[float] = []
    for heard in beats:
        replica.feed(heard, now, 1.0)
        assert replica._ask_at is not None
        pauses.append(round(replica._ask_at - now, 3))
        now = replica._ask_at
        request = replica.ask(now)
        assert request is not None
        assert replica.answer(page(request, heard.seq, epoch=heard.epoch), now, 1.0) is not None
    return pauses, now


def test_pauses_double_while_asking_again_does_not_help() -> None:
    replica = joined(0)
    pauses, now = pauses_of(replica, [beat(seq) for seq in range(1, 11)], 2.0)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    replica.feed(beat(11), now + 61.0, 1.0)
    assert replica._ask_at == pytest.approx(now + 61.2), "after a calm minute it begins anew"


def test_a_board_that_was_started_again_however_often_is_asked_soon() -> None:
    pauses, _ = pauses_of(joined(0), [beat(0, epoch=f"e{number}") for number in range(10)], 2.0)
    assert pauses == [0.2] * 10


def test_a_picture_has_to_be_as_new_as_what_was_heard_when_listening_began() -> None:
    replica = Replica()
    replica.feed(updated(3, state("a")), 1.0, 0.5)
    replica.feed(beat(4), 1.0, 0.5)
    assert replica.seen == 4
    replica.feed(updated(5, state("a")), 1.0, 0.5)
    assert replica.seen == 4, "what comes now is kept, and a picture may be older"
    assert replica.ask(1.0) == 1
    replica.answer(page(1, 4), 1.0, 0.5)
    replica.feed(updated(8, state("a")), 2.0, 0.5)
    assert (replica.phase, replica.seen) == ("asking", 8), "after a gap everything before it may be missing"
    replica.feed(beat(9), 2.0, 0.5)
    assert replica.seen == 8


def test_what_was_heard_in_an_epoch_that_is_over_says_nothing_about_the_new_one() -> None:
    replica = joined(70)
    replica.feed(beat(2, epoch="f"), 2.0, 0.5)
    assert (replica.phase, replica.seen) == ("asking", 2)


def test_a_gap_among_what_was_kept_makes_everything_that_was_heard_too_old() -> None:
    replica = Replica()
    replica.feed(beat(1), 1.0, 0.5)
    for seq in (2, 4, 5, 6):
        replica.feed(updated(seq, state("a")), 1.0, 0.5)
    assert replica.ask(1.0) == 1
    assert replica.answer(page(1, 1), 1.0, 0.5) is None
    assert (replica.phase, replica.seen) == ("asking", 6)


def test_connected_means_heard_in_the_last_five_seconds() -> None:
    replica = Replica()
    assert not replica.connected(0.0)
    replica.feed(beat(0), 10.0, 0.0)
    assert (replica.connected(10.0), replica.connected(14.9), replica.connected(15.0)) == (True, True, False)


def test_a_replica_of_some_sources_does_not_mind_the_others() -> None:
    replica = joined(1, sources=frozenset({"pi"}))
    assert replica.feed(updated(2, state("a", "codex"), source_seq=1), 2.0, 0.0) is None
    assert replica.feed(updated(9, state("a", "codex"), source_seq=8), 2.0, 0.0) is None
    replica.feed(beat(9, pi=1, codex=8), 2.0, 0.0)
    assert (replica.phase, replica.sessions) == ("live", {})
    mine = updated(10, state("a"), source_seq=2)
    assert replica.feed(mine, 2.0, 0.0) is mine
    replica.feed(beat(11, pi=3, codex=8), 2.0, 0.0)
    assert replica.phase == "asking"


def test_a_subscriber_that_cannot_get_a_snapshot_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUFFER_LIMIT", 3)
    replica = Replica()
    replica.feed(beat(0), 1.0, 0.0)
    assert replica.ask(1.0) == 1
    for seq in range(1, 6):
        replica.feed(updated(seq, state("a", messages=seq)), 1.0, 0.0)
    assert len(replica._buffer) == 2
    assert (replica.phase, replica.resyncs, replica.ask(1.0)) == ("asking", 1, 2)
    assert replica.answer(page(2, 5, [state("a", messages=5)]), 1.0, 0.0) is not None
    assert replica.sessions == {("pi", "a"): state("a", messages=5)}


class Board:
    """A model of the board: every picture it ever showed, by epoch and source, at each of its sequence numbers."""

    def __init__(self) -> None:
        self.epochs = 0
        self.seq = 0
        self.source_seqs: dict[str, int] = {}
        self.sessions: dict[Key, SessionState] = {}
        self.health: dict[str, HealthState] = {}
        self.shown: dict[tuple[str, str, int], tuple[dict[Key, SessionState], HealthState | None]] = {}
        self.restart()

    @property
    def epoch(self) -> str:
        return f"epoch {self.epochs}"

    def restart(self) -> None:
        self.epochs, self.seq, self.source_seqs, self.health = self.epochs + 1, 0, {}, {}
        for source in ("pi", "codex"):
            self._remember(source, 0)

    def say(self, source: str, name: str) -> BoardEvent:
        known = self.sessions.get((source, name))
        session = state(name, source, messages=self.seq) if known is None else state(name, source, messages=-self.seq)
        self.sessions[source, name] = session
        return self._number(Updated if known else Discovered, source, session)

    def remove(self, source: str, name: str) -> BoardEvent | None:
        session = self.sessions.pop((source, name), None)
        return None if session is None else self._number(Removed, source, session)

    def sicken(self, source: str) -> BoardEvent:
        self.health[source] = HealthState(source=source, restarts=self.seq)
        self.seq += 1
        number = self._count(source)
        return HealthChanged(
            epoch=self.epoch, seq=self.seq, source=source, source_seq=number, at=AT, health=self.health[source]
        )

    def beat(self) -> Heartbeat:
        return Heartbeat(epoch=self.epoch, seq=self.seq, source_seqs=dict(self.source_seqs), at=AT)

    def answer(self, request: int, size: int) -> list[SnapshotPage]:
        sessions = [*self.sessions.values()]
        chunks = [sessions[start : start + size] for start in range(0, len(sessions), size)] or [[]]
        return [
            SnapshotPage(
                request=request,
                page=number,
                last=number == len(chunks) - 1,
                epoch=self.epoch,
                seq=self.seq,
                source_seqs=dict(self.source_seqs),
                sessions=tuple(chunk),
                health=tuple(self.health.values()) if number == 0 else (),
            )
            for number, chunk in enumerate(chunks)
        ]

    def picture(self, source: str) -> tuple[dict[Key, SessionState], HealthState | None]:
        return _of(source, self.sessions, self.health)

    def _number(self, kind: type[Discovered | Updated | Removed], source: str, session: SessionState) -> BoardEvent:
        self.seq += 1
        number = self._count(source)
        return kind(
            epoch=self.epoch,
            seq=self.seq,
            source=source,
            source_seq=number,
            id=session.id,
            version=1,
            at=AT,
            session=session,
        )

    def _count(self, source: str) -> int:
        self.source_seqs[source] = self.source_seqs.get(source, 0) + 1
        self._remember(source, self.source_seqs[source])
        return self.source_seqs[source]

    def _remember(self, source: str, number: int) -> None:
        self.shown[self.epoch, source, number] = self.picture(source)


def _of(
    source: str, sessions: dict[Key, SessionState], health: dict[str, HealthState]
) -> tuple[dict[Key, SessionState], HealthState | None]:
    return {key: value for key, value in sessions.items() if key[0] == source}, health.get(source)


SOURCES = st.sampled_from(["pi", "codex"])
NAMES = st.sampled_from(["a", "b", "c"])
PLACES = st.integers(0, 30)
MOVES = st.one_of(
    st.tuples(st.just("say"), SOURCES, NAMES),
    st.tuples(st.just("say"), SOURCES, NAMES),
    st.tuples(st.just("remove"), SOURCES, NAMES),
    st.tuples(st.just("sicken"), SOURCES),
    st.tuples(st.just("restart")),
    st.tuples(st.just("beat")),
    st.tuples(st.just("deliver")),
    st.tuples(st.just("deliver")),
    st.tuples(st.just("deliver all")),
    st.tuples(st.just("overtake"), PLACES),
    st.tuples(st.just("lose"), PLACES),
    st.tuples(st.just("repeat"), PLACES),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 3.0, 70.0])),
)


class Wire:
    """Everything between a board and a replica; nothing on it arrives for sure, once, or in order."""

    def __init__(self, replica: Replica, jitter: float, page_size: int) -> None:
        self.board = Board()
        self.replica = replica
        self.now = 0.0
        self._jitter = jitter
        self._page_size = page_size
        self._under_way: list[Event | SnapshotPage] = []

    def play(self, move: str, *words: Any) -> None:
        """Make one move, and let the replica ask what it wants to ask."""
        if move in {"say", "remove", "sicken", "beat"}:
            event = getattr(self.board, move)(*words)
            self._under_way += [event] if event is not None else []
        elif move == "restart":
            self.board.restart()
        elif move == "wait":
            self.now += words[0]
        elif move == "deliver all":
            while self._under_way:
                self._deliver(0)
        elif self._under_way:
            place = words[0] % len(self._under_way) if words else 0
            if move == "lose":
                del self._under_way[place]
            elif move == "repeat":
                self._under_way.append(self._under_way[place])
            else:
                self._deliver(place)
        request = self.replica.ask(self.now)
        if request is not None:
            self._under_way += self.board.answer(request, self._page_size)

    def play_all(self, moves: list[tuple[Any, ...]]) -> Iterator[None]:
        """Let the replica join, then make the moves."""
        for move in [("say", "pi", "a"), ("beat",), ("deliver all",), ("deliver all",), *moves]:
            self.play(*move)
            yield

    def settle(self) -> None:
        """From now on nothing is lost: a few heartbeats, and time for the longest pause."""
        for _ in range(4):
            self.play("beat")
            self.play("deliver all")
            self.play("wait", 31.0)
            self.play("deliver all")

    def _deliver(self, place: int) -> None:
        message = self._under_way.pop(place)
        if isinstance(message, SnapshotPage):
            self.replica.answer(message, self.now, self._jitter)
        else:
            self.replica.feed(message, self.now, self._jitter)


@settings(max_examples=150, deadline=None)
@given(st.lists(MOVES, min_size=10, max_size=80), st.floats(0, 1, exclude_max=True), st.integers(1, 3))
def test_a_replica_converges_whatever_was_lost_repeated_or_overtaken(
    moves: list[tuple[Any, ...]], jitter: float, page_size: int
) -> None:
    wire = Wire(Replica(), jitter, page_size)
    for _ in wire.play_all(moves):
        pass
    wire.settle()
    assert wire.replica.phase == "live"
    assert wire.replica.sessions == wire.board.sessions
    assert wire.replica.health == wire.board.health


@settings(max_examples=150, deadline=None)
@given(st.lists(MOVES, min_size=10, max_size=80), st.floats(0, 1, exclude_max=True), st.integers(1, 3))
def test_what_a_live_replica_shows_is_what_the_board_showed_at_those_numbers(
    moves: list[tuple[Any, ...]], jitter: float, page_size: int
) -> None:
    wire = Wire(Replica(), jitter, page_size)
    for _ in wire.play_all(moves):
        replica = wire.replica
        if replica.phase != "live":
            continue
        for source in ("pi", "codex"):
            numbers = replica.snapshot().source_seqs
            shown = wire.board.shown[replica.epoch, source, numbers.get(source, 0)]
            assert _of(source, replica.sessions, replica.health) == shown


@settings(max_examples=75, deadline=None)
@given(st.lists(MOVES, min_size=10, max_size=60))
def test_a_replica_of_some_sources_converges_to_their_part_of_the_board(moves: list[tuple[Any, ...]]) -> None:
    wire = Wire(Replica(frozenset({"pi"})), 0.5, 2)
    for _ in wire.play_all(moves):
        pass
    wire.settle()
    assert wire.replica.phase == "live"
    # What the board leaves out of a snapshot on request comes in whole here; all of it that is wanted has to be right.
    assert _of("pi", wire.replica.sessions, wire.replica.health) == wire.board.picture("pi")


def test_the_silence_is_how_long_ago_anything_was_heard() -> None:
    replica = Replica()
    assert replica.silence(0.0) is None
    replica.feed(beat(0), 10.0, 0.0)
    assert replica.silence(12.5) == 2.5
    replica.feed(beat(0), 13.0, 0.0)
    assert replica.silence(13.0) == 0.0
