from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from any_value import values
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.protocol.ask import Command, Reply, SnapshotPage, SnapshotRequest
from bellboard.protocol.codec import (
    ANSWER_LIMIT,
    COMMAND,
    DOWNWARD,
    EVENT,
    ORDER,
    REPLY,
    REQUEST_LIMIT,
    SNAPSHOT_PAGE,
    SNAPSHOT_REQUEST,
    UPWARD,
    WIRE_LIMIT,
    Codec,
    DecodeFault,
)
from bellboard.protocol.event import Event, Heartbeat
from bellboard.protocol.order import Ack, Downward, Order
from bellboard.protocol.update import Beat, Bye, Fault, SourceUpdate, Update, Upward

FAMILIES: dict[str, tuple[Codec[Any], Any]] = {
    "upward": (UPWARD, Upward),
    "downward": (DOWNWARD, Downward),
    "order": (ORDER, Order),
    "event": (EVENT, Event),
    "snapshot request": (SNAPSHOT_REQUEST, SnapshotRequest),
    "snapshot page": (SNAPSHOT_PAGE, SnapshotPage),
    "command": (COMMAND, Command),
    "reply": (REPLY, Reply),
}
CODECS = [codec for codec, _ in FAMILIES.values()]

MESSAGES = st.one_of([st.tuples(st.just(codec), values(family)) for codec, family in FAMILIES.values()])


@settings(max_examples=300, deadline=None)
@given(MESSAGES)
def test_every_message_comes_back_as_it_was(pair: tuple[Codec[Any], Any]) -> None:
    codec, message = pair
    assert codec.decode(codec.encode(message)) == message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_value_and_never_an_error(noise: bytes) -> None:
    for codec in CODECS:
        codec.decode(noise)
        codec.decode(b"\x01" + noise)


@settings(max_examples=300, deadline=None)
@given(MESSAGES, st.data())
def test_a_damaged_message_is_a_value_and_never_an_error(pair: tuple[Codec[Any], Any], data: st.DataObject) -> None:
    codec, message = pair
    whole = codec.encode(message)
    at = data.draw(st.integers(0, len(whole) - 1))
    for damaged in (whole[:at], whole[:at] + data.draw(st.binary(min_size=1, max_size=4)) + whole[at + 1 :]):
        codec.decode(damaged)


@pytest.mark.parametrize("codec", CODECS, ids=list(FAMILIES))
def test_no_bytes_are_no_message(codec: Codec[Any]) -> None:
    assert codec.decode(b"") == DecodeFault("empty", "no bytes")


def test_another_version_is_refused_by_its_number() -> None:
    ack = DOWNWARD.encode(Ack(seq=1))
    assert ack[:1] == b"\x01"
    assert DOWNWARD.decode(b"\x02" + ack[1:]) == DecodeFault("version", "version byte 2, this side speaks 1")


@pytest.mark.parametrize(
    ("codec", "limit"),
    [
        (UPWARD, WIRE_LIMIT),
        (DOWNWARD, WIRE_LIMIT),
        (ORDER, WIRE_LIMIT),
        (EVENT, ANSWER_LIMIT),
        (SNAPSHOT_REQUEST, REQUEST_LIMIT),
        (SNAPSHOT_PAGE, ANSWER_LIMIT),
        (COMMAND, REQUEST_LIMIT),
        (REPLY, REQUEST_LIMIT),
    ],
    ids=list(FAMILIES),
)
def test_what_is_too_long_is_refused_before_it_is_looked_at(codec: Codec[Any], limit: int) -> None:
    assert codec.limit == limit
    assert codec.decode(b"\x00" * (limit + 1)) == DecodeFault("too_big", f"{limit + 1} bytes, the limit is {limit}")


def test_a_message_just_within_the_limit_is_taken() -> None:
    room = WIRE_LIMIT - len(UPWARD.encode(Fault(scope="record", code="c", detail="x" * 70_000)))
    fault = Fault(scope="record", code="c", detail="x" * (70_000 + room))
    assert len(UPWARD.encode(fault)) == WIRE_LIMIT
    assert UPWARD.decode(UPWARD.encode(fault)) == fault


def test_a_fault_names_the_field_that_is_wrong() -> None:
    assert COMMAND.decode(b'{"request":"x","verb":"drain"}') == DecodeFault(
        "malformed", "Expected `int`, got `str` - at `$.request`"
    )
    assert COMMAND.decode(b'{"request":1}') == DecodeFault("malformed", "Object missing required field `verb`")


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        (COMMAND, b'{"request":1,"verb":"s3cret"}'),
        (EVENT, b'{"kind":"s3cret"}'),
        (UPWARD, b"\x01" + msgspec.msgpack.encode({"type": "s3cret"})),
        (UPWARD, b"\x01" + msgspec.msgpack.encode({"type": "fault", "scope": "s3cret"})),
        (UPWARD, b"\x01" + msgspec.msgpack.encode({"type": "bye", "reason": "s3cret"})),
        (SNAPSHOT_PAGE, b'{"request":1,"sessions":[{"activity":"s3cret"}]}'),
        (SNAPSHOT_PAGE, b'{"request":1,"source_seqs":{"s3cret":"s3cret"}}'),
        (SNAPSHOT_REQUEST, b'{"s3cret":1} s3cret'),
        (REPLY, b's3cret"'),
        (REPLY, b'{"message":"s3cret\xff"}'),
    ],
)
def test_a_fault_never_quotes_what_it_could_not_read(codec: Codec[Any], data: bytes) -> None:
    fault = codec.decode(data)
    assert isinstance(fault, DecodeFault)
    assert fault.code == "malformed"
    assert "s3cret" not in fault.detail


@pytest.mark.parametrize(
    "data",
    [
        b"\x82\xa4type\xa3bye\xa6looked\xdd\xff\xff\xff\xff",
        b"\x82\xa4type\xa5fault\xa4code\xdb\xff\xff\xff\xff",
        b"\x82\xa4type\xa6update\xa5other" + b"\x91" * 100_000,
        b"\x82\xa4type\xa6update\xa5facts\x82\xaasession_id\xa1x\xaastarted_at\xd7\xff" + b"\xff" * 8,
    ],
    ids=["endless list", "endless text", "endless depth", "time out of range"],
)
def test_bytes_that_promise_too_much_cost_nothing(data: bytes) -> None:
    fault = UPWARD.decode(b"\x01" + data)
    assert isinstance(fault, DecodeFault)
    assert fault.code == "malformed"


def test_a_time_without_a_zone_is_refused() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    update = Update(inc=1, seq=1, handle="h", before="", after="c", facts=SourceUpdate(session_id="s", started_at=at))
    assert UPWARD.decode(UPWARD.encode(update)) == update
    naive = SourceUpdate(session_id="s", started_at=at.replace(tzinfo=None))
    assert UPWARD.decode(UPWARD.encode(msgspec.structs.replace(update, facts=naive))) == DecodeFault(
        "malformed", "Expected `datetime` with a timezone component - at `$.facts.started_at`"
    )


def test_fields_that_this_side_does_not_know_are_passed_over() -> None:
    beat = {"type": "beat", "progress": 3, "phase": "reading", "mood": "fine"}
    assert UPWARD.decode(b"\x01" + msgspec.msgpack.encode(beat)) == Beat(progress=3, phase="reading")


def test_messages_to_workers_are_compact_and_events_are_plain_json() -> None:
    assert UPWARD.encode(Bye(reason="drained")) == b"\x01\x83\xa4type\xa3bye\xa6reason\xa7drained\xa6looked\x90"
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert EVENT.encode(Heartbeat(epoch="e", seq=2, source_seqs={"pi": 1}, at=at)) == (
        b'{"kind":"heartbeat","epoch":"e","seq":2,"source_seqs":{"pi":1},"at":"2026-01-02T03:04:05Z","v":1}'
    )
