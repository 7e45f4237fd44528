from datetime import UTC, datetime
from typing import Any

import pytest

from bellboard.protocol.session import HealthState, SessionState
from bellboard.supervisor.fleet.record import (
    HealthRecord,
    Order,
    Presence,
    Record,
    SessionRecord,
    decode,
    decode_presence,
    encode,
    order,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def session(version: int = 1, *, epoch: str = "e", seq: int = 1, **fields: Any) -> SessionRecord:
    state = SessionState(id="one", source="claude", version=version, **fields)
    return SessionRecord(host="laptop", epoch=epoch, seq=seq, at=NOW, session=state)


def health(pid: int, *, epoch: str = "e", seq: int = 1) -> HealthRecord:
    return HealthRecord(host="laptop", epoch=epoch, seq=seq, at=NOW, health=HealthState(source="claude", pid=pid))


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (session(2, seq=5), session(2, epoch="f", seq=9), "same"),
        (session(3), session(2, seq=9), "newer"),
        (session(2, seq=9), session(3), "older"),
        (session(3), session(2, epoch="f"), "newer"),
        (session(2), session(3, epoch="f"), "unlike"),
        (session(2, seq=2), session(2, seq=1, title="x"), "newer"),
        (session(2, seq=1), session(2, seq=2, title="x"), "older"),
        (session(2), session(2, title="x"), "unlike"),
        (session(2), session(2, epoch="f", title="x"), "unlike"),
        (health(1), health(1, epoch="f", seq=7), "same"),
        (health(1, seq=2), health(2), "newer"),
        (health(1), health(2, seq=2), "older"),
        (health(1), health(2), "unlike"),
        (health(1), health(2, epoch="f"), "unlike"),
        (health(1), session(), "unlike"),
    ],
)
def test_how_two_records_stand_to_each_other(one: Record, other: Record, wanted: Order) -> None:
    assert order(one, other) == wanted


def test_records_and_presences_survive_the_way() -> None:
    presence = Presence(host="laptop", exporter="x", bellboard="1", privacy="names", at=NOW, since=NOW, lost=3)
    assert decode(encode(session(3, title="ä"))) == session(3, title="ä")
    assert decode(encode(health(3))) == health(3)
    assert decode_presence(encode(presence)) == presence


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"kind":"other"}', b'{"stream":"KV_x","seq":2}'])
def test_what_is_no_record_is_none(data: bytes) -> None:
    assert (decode(data), decode_presence(data)) == (None, None)


@pytest.mark.parametrize("what", [session(3), health(3)])
def test_what_is_nested_without_end_or_of_a_release_to_come_is_no_record(what: Record) -> None:
    assert decode(encode(what).replace(b'"v":1', b'"x":' + b"[" * 100_000 + b"]" * 100_000)) is None
    assert decode(encode(what).replace(b'"v":1', b'"v":2')) is None


def test_a_presence_that_is_nested_without_end_or_of_a_release_to_come_is_none() -> None:
    said = encode(Presence(host="laptop", exporter="x", bellboard="1", privacy="names", at=NOW, since=NOW))
    assert decode_presence(said.replace(b'"v":1', b'"x":' + b"[" * 100_000 + b"]" * 100_000)) is None
    assert decode_presence(said.replace(b'"v":1', b'"v":2')) is None
