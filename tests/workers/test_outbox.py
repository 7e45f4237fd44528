import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.protocol.codec import UPWARD, WIRE_LIMIT, DecodeFault
from bellboard.protocol.cursor import digest
from bellboard.protocol.update import SourceUpdate, Update
from bellboard.sources.contract import SessionHandle
from bellboard.workers.outbox import RESEND_SECONDS, Outbox
from bellboard.workers.round import Parsed


def step(name: str, before: str, after: str, **facts: Any) -> Parsed:
    handle = SessionHandle(id=name, path=f"/{name}", source="lines", modified_at=7.5, live=True)
    return Parsed(handle, before, after, SourceUpdate(session_id=name, **facts))


def update(seq: int, name: str, before: str, after: str) -> Update:
    return Update(
        inc=3,
        seq=seq,
        handle=name,
        before=digest(before),
        after=after,
        facts=SourceUpdate(session_id=name),
        modified_at=7.5,
        live=True,
    )


def said(outbox: Outbox, now: float) -> list[Update]:
    messages = [UPWARD.decode(data) for data in outbox.due(now)]
    assert all(isinstance(message, Update) for message in messages)
    return [message for message in messages if isinstance(message, Update)]


def test_updates_are_numbered_and_said_at_once_oldest_first() -> None:
    outbox = Outbox(3, 8)
    assert outbox.put(step("a", "", "1")) is None
    assert outbox.put(step("b", "4", "5")) is None
    assert said(outbox, 0.0) == [update(1, "a", "", "1"), update(2, "b", "4", "5")]
    assert outbox.put(step("a", "1", "2")) is None
    assert said(outbox, 0.0) == [update(3, "a", "1", "2")]


def test_a_step_with_nothing_to_report_is_an_update_too() -> None:
    outbox = Outbox(3, 8)
    handle = SessionHandle(id="a", path="/a", source="lines")
    assert outbox.put(Parsed(handle, "", "1", None)) is None
    assert said(outbox, 0.0) == [Update(inc=3, seq=1, handle="a", before="", after="1")]


def test_what_is_not_acknowledged_is_said_again_after_five_seconds() -> None:
    outbox = Outbox(3, 8)
    outbox.put(step("a", "", "1"))
    outbox.put(step("b", "", "1"))
    assert len(said(outbox, 10.0)) == 2
    assert said(outbox, 10.0 + RESEND_SECONDS - 0.01) == []
    outbox.ack(1)
    assert said(outbox, 10.0 + RESEND_SECONDS) == [update(2, "b", "", "1")]
    assert said(outbox, 10.0 + RESEND_SECONDS) == []
    outbox.ack(2)
    assert said(outbox, 99.0) == []


def test_credit_is_what_may_be_under_way() -> None:
    outbox = Outbox(3, 2)
    assert (outbox.free, len(outbox)) == (2, 0)
    outbox.put(step("a", "", "1"))
    outbox.put(step("b", "", "1"))
    assert (outbox.free, len(outbox)) == (0, 2)
    said(outbox, 0.0)
    assert outbox.free == 0, "sent is not stored"
    outbox.ack(1)
    outbox.ack(1)
    outbox.ack(77)
    assert (outbox.free, len(outbox)) == (1, 1)


def test_a_refused_update_takes_all_of_its_session_with_it() -> None:
    outbox = Outbox(3, 8)
    for parsed in (step("a", "", "1"), step("b", "", "1"), step("a", "1", "2")):
        outbox.put(parsed)
    assert outbox.drop(3) == "a"
    assert said(outbox, 0.0) == [update(2, "b", "", "1")]
    assert outbox.drop(1) is None, "an answer to what is forgotten"
    assert outbox.drop(77) is None
    assert outbox.free == 7


def test_a_number_is_never_used_twice() -> None:
    outbox = Outbox(3, 8)
    outbox.put(step("a", "", "1"))
    outbox.drop(1)
    outbox.put(step("a", "", "1"))
    assert said(outbox, 0.0) == [update(2, "a", "", "1")]


def test_what_is_too_big_is_not_kept() -> None:
    outbox = Outbox(3, 8)
    wrong = outbox.put(step("a", "", "1", title="x" * WIRE_LIMIT))
    assert wrong is not None
    assert wrong.code == "too_big"
    outbox.put(step("b", "", "1"))
    assert said(outbox, 0.0) == [update(1, "b", "", "1")]


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        ({"message_count_delta": "many"}, "Expected `int`, got `str` - at `$.facts.message_count_delta`"),
        (
            {"last_activity_at": datetime(2026, 1, 2)},  # noqa: DTZ001 - that is what is wrong with it
            "Expected `datetime` with a timezone component - at `$.facts.last_activity_at`",
        ),
        ({"activity": "s3cret"}, "ValidationError"),
    ],
)
def test_what_the_board_could_not_read_is_not_kept(facts: dict[str, Any], detail: str) -> None:
    outbox = Outbox(3, 8)
    assert outbox.put(step("a", "", "1", **facts)) == DecodeFault("malformed", detail)
    assert (outbox.free, outbox.due(0.0)) == (8, [])


@pytest.mark.parametrize("facts", [{"title": "\udcff"}, {"title": object()}], ids=["no bytes", "no message"])
def test_what_cannot_become_bytes_is_an_error_and_is_not_kept(facts: dict[str, Any]) -> None:
    outbox = Outbox(3, 8)
    with pytest.raises((TypeError, UnicodeEncodeError)):
        outbox.put(step("a", "", "1", **facts))
    assert (outbox.free, outbox.due(0.0)) == (8, [])


class Board:
    """The board's rule in a few lines: a step counts if it begins where the stored cursor is."""

    def __init__(self, *, careful: bool) -> None:
        self.cursor = ""
        self.count = 0
        self._careful = careful

    def take(self, update: Update) -> Callable[[Outbox], str | None]:
        """Apply an update or not; returns what the worker does with the answer: where to go on from, or None."""
        if update.before == digest(self.cursor) or not self._careful:
            self.cursor, self.count = update.after, self.count + 1
            return lambda outbox: outbox.ack(update.seq)
        if update.after == self.cursor:
            return lambda outbox: outbox.ack(update.seq)
        have = self.cursor
        return lambda outbox: have if outbox.drop(update.seq) is not None else None


def deliver(board: Board, lines: int, chance: Callable[[], float]) -> int:
    """Bring all lines of one session over a wire that loses and repeats, through crashes; returns the count."""
    now, inc, cursor, outbox = 0.0, 1, "", Outbox(1, 4)
    while board.cursor != str(lines):
        now += RESEND_SECONDS
        if chance() < 0.1:
            inc, cursor = inc + 1, board.cursor
            outbox = Outbox(inc, 4)
        while outbox.free > 0 and int(cursor or 0) < lines:
            after = str(int(cursor or 0) + 1)
            assert outbox.put(step("a", cursor, after)) is None
            cursor = after
        for message in said(outbox, now):
            for _ in range(2 if chance() < 0.3 else 1):
                if chance() < 0.3:
                    continue
                answer = board.take(message)
                have = None if chance() < 0.3 else answer(outbox)
                cursor = cursor if have is None else have
    return board.count


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_whatever_is_lost_or_repeated_each_step_counts_once(seed: int, lines: int) -> None:
    assert deliver(Board(careful=True), lines, random.Random(seed).random) == lines


def test_a_board_that_does_not_compare_counts_too_much() -> None:
    # The negative control of the test above: what makes the numbers exact is the comparison, not luck.
    counts = [deliver(Board(careful=False), 30, random.Random(seed).random) for seed in range(5)]
    assert min(counts) > 30
