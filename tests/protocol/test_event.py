from datetime import UTC, datetime

import msgspec
import pytest

from bellboard.protocol.event import (
    SESSION_EVENTS,
    EventKind,
    HealthChanged,
    Heartbeat,
    Snapshot,
    Updated,
    topic_of,
)
from bellboard.protocol.session import HealthState, SessionState

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SESSION = SessionState(id="s.1", source="claude", version=7)
HEALTH = HealthState(source="claude")
UPDATED = Updated(epoch="e", seq=9, source="claude", source_seq=4, id="s.1", version=7, at=AT, session=SESSION)
HEALTH_CHANGED = HealthChanged(epoch="e", seq=9, source="claude", source_seq=4, at=AT, health=HEALTH)
HEARTBEAT = Heartbeat(epoch="e", seq=9, source_seqs={"claude": 4}, at=AT)


def test_topics_let_a_subscriber_choose_a_source_or_a_session() -> None:
    assert topic_of(UPDATED) == b"session.claude.s.1"
    assert topic_of(HEALTH_CHANGED) == b"health.claude"
    assert topic_of(HEARTBEAT) == b"heartbeat"


@pytest.mark.parametrize("kind", SESSION_EVENTS)
def test_an_event_says_its_kind_in_memory_and_on_the_wire(kind: EventKind) -> None:
    event = SESSION_EVENTS[kind](
        epoch="e", seq=9, source="claude", source_seq=4, id="s.1", version=7, at=AT, session=SESSION
    )
    assert event.kind == kind
    assert msgspec.to_builtins(event)["kind"] == kind
    assert topic_of(event) == b"session.claude.s.1"


def test_an_event_on_the_wire_is_plain_json_with_the_whole_state() -> None:
    assert msgspec.json.decode(msgspec.json.encode(UPDATED)) == {
        "kind": "updated",
        "v": 1,
        "epoch": "e",
        "seq": 9,
        "source": "claude",
        "source_seq": 4,
        "id": "s.1",
        "version": 7,
        "at": "2026-01-02T03:04:05Z",
        "session": {**msgspec.to_builtins(SESSION), "subagents": []},
    }


def test_health_and_heartbeat_on_the_wire() -> None:
    assert msgspec.json.decode(msgspec.json.encode(HEALTH_CHANGED)) == {
        "kind": "health",
        "v": 1,
        "epoch": "e",
        "seq": 9,
        "source": "claude",
        "source_seq": 4,
        "at": "2026-01-02T03:04:05Z",
        "health": {**msgspec.to_builtins(HEALTH), "quarantined": [], "absent": []},
    }
    assert msgspec.json.decode(msgspec.json.encode(HEARTBEAT)) == {
        "kind": "heartbeat",
        "v": 1,
        "epoch": "e",
        "seq": 9,
        "source_seqs": {"claude": 4},
        "at": "2026-01-02T03:04:05Z",
    }


def test_a_snapshot_says_its_kind_too() -> None:
    whole = Snapshot(epoch="e", seq=9, source_seqs={"claude": 4}, sessions=(SESSION,), health=(HEALTH,))
    assert whole.kind == "snapshot"
    assert msgspec.to_builtins(whole)["kind"] == "snapshot"
