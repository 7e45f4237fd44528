from datetime import UTC, datetime

import msgspec

from bellboard.protocol.event import HealthChanged, Removed, Snapshot, Updated
from bellboard.protocol.session import HealthState, SessionState, Subagent
from bellboard.supervisor.fleet.keys import health_key, session_key
from bellboard.supervisor.fleet.record import HealthRecord, SessionRecord
from bellboard.supervisor.fleet.telling import MOST_BYTES, Telling, written

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = session_key("laptop", "claude", "one")


def session(**fields: object) -> SessionState:
    return msgspec.convert({"id": "one", "source": "claude", "version": 2, **fields}, SessionState)


def updated(state: SessionState, seq: int = 8) -> Updated:
    return Updated(epoch="e", seq=seq, source="claude", source_seq=3, id=state.id, version=2, at=NOW, session=state)


def test_a_snapshot_becomes_records_as_private_as_asked_for() -> None:
    telling = Telling("laptop", "names")
    health = HealthState(source="claude", home="/home/me/.claude")
    state = session(title="Secret", working_dir="/home/me/shop")
    telling.whole(Snapshot(epoch="e", seq=7, source_seqs={}, sessions=(state,), health=(health,)), NOW)
    assert telling.records == {
        KEY: SessionRecord(host="laptop", epoch="e", seq=7, at=NOW, session=session(working_dir="shop")),
        health_key("laptop", "claude"): HealthRecord(
            host="laptop", epoch="e", seq=7, at=NOW, health=HealthState(source="claude", home=".claude")
        ),
    }


def test_an_event_becomes_a_record_and_a_piece_of_history_with_the_machine_in_it() -> None:
    telling = Telling("laptop", "names")
    piece = telling.event(updated(session(title="Secret")))
    assert telling.records == {KEY: SessionRecord(host="laptop", epoch="e", seq=8, at=NOW, session=session())}
    assert (piece.key, piece.once, piece.path) == (KEY, "laptop/e/8", ("laptop", "claude", "one", "updated"))
    told = msgspec.json.decode(piece.value)
    assert (told["kind"], told["host"], told["session"]["host"], told["session"]["title"]) == (
        "updated",
        "laptop",
        "laptop",
        None,
    )


def test_a_removed_session_has_no_record_any_more() -> None:
    telling = Telling("laptop", "names")
    telling.event(updated(session()))
    gone = Removed(epoch="e", seq=9, source="claude", source_seq=4, id="one", version=3, at=NOW, session=session())
    piece = telling.event(gone)
    assert (telling.records, piece.path[3], telling.seq) == ({}, "removed", 9)


def test_health_has_a_path_without_a_session() -> None:
    telling = Telling("laptop", "minimal")
    state = HealthState(source="claude", reason="cannot read /home/me/.claude")
    piece = telling.event(HealthChanged(epoch="e", seq=4, source="claude", source_seq=1, at=NOW, health=state))
    assert piece.path == ("laptop", "claude", "-", "health")
    assert msgspec.json.decode(piece.value)["health"]["reason"] is None


def test_a_session_that_is_too_long_is_told_without_its_subagents() -> None:
    many = tuple({"id": f"{number}", "slug": "x" * 1000} for number in range(600))
    telling = Telling("laptop", "names")
    piece = telling.event(updated(session(subagents=many)))
    record = telling.records[KEY]
    assert isinstance(record, SessionRecord)
    assert record.session.subagents[0] == Subagent(id="0", slug="x" * 1000)
    assert max(len(piece.value), len(written(record))) < MOST_BYTES
