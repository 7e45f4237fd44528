import json
from datetime import UTC, datetime

from bellboard.protocol.event import Snapshot
from bellboard.protocol.session import Evidence, HealthState, SessionState, Subagent
from bellboard.supervisor.views.document import health_json, sessions_json

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def names(text: str) -> set[str]:
    return set(text.split())


SESSION_FIELDS = names("""
    id source slug title activity waiting_for evidence lifecycle end_reason model working_dir branch context_tokens
    max_context_tokens max_context_from context_utilization input_tokens cache_read_tokens cache_creation_tokens
    output_tokens token_estimated message_count tool_call_count compaction_count current_tool current_tool_started_at
    parent_id subagents client_version started_at last_activity_at last_data_received_at completed_at version
""")
SUBAGENT_FIELDS = names("""
    id parent_tool_use_id slug kind activity current_tool model context_tokens output_tokens message_count
    tool_call_count started_at last_activity_at completed_at
""")
HEALTH_FIELDS = names("""
    source status reason pid incarnation restarts last_error unknown_records quarantined discover_failures
    parse_failures updated_at rss_bytes cpu_percent lag_seconds unknown_since unknown_client traceback rebuilt rebuilt_at
    home home_from absent settled left_out
""")

SNAPSHOT = Snapshot(
    epoch="e",
    seq=7,
    source_seqs={"claude": 7},
    sessions=(
        SessionState(
            id="s",
            source="claude",
            title='a "title"\nwith 🙂',
            evidence=Evidence(kind="record", detail="said", since=AT),
            subagents=(Subagent(id="a"),),
            context_utilization=0.25,
            last_activity_at=AT,
        ),
    ),
    health=(HealthState(source="claude", pid=7, updated_at=AT),),
)


def test_the_sessions_document_has_the_contracts_fields_and_no_others() -> None:
    document = json.loads(sessions_json(SNAPSHOT))
    assert list(document) == ["schema_version", "epoch", "seq", "sessions", "health"]
    assert (document["schema_version"], document["epoch"], document["seq"]) == (1, "e", 7)
    (session,) = document["sessions"]
    assert set(session) == SESSION_FIELDS
    (subagent,) = session["subagents"]
    assert set(subagent) >= SUBAGENT_FIELDS
    (health,) = document["health"]
    assert set(health) == HEALTH_FIELDS


def test_absent_knowledge_is_null_and_times_are_utc() -> None:
    (session,) = json.loads(sessions_json(SNAPSHOT))["sessions"]
    assert session["title"] == 'a "title"\nwith 🙂'
    assert session["evidence"] == {"kind": "record", "detail": "said", "since": "2026-01-02T03:04:05Z"}
    assert session["last_activity_at"] == "2026-01-02T03:04:05Z"
    assert session["context_utilization"] == 0.25
    unknown = ("model", "context_tokens", "waiting_for", "started_at", "current_tool", "parent_id", "slug")
    assert [session[name] for name in unknown] == [None] * len(unknown)


def test_the_health_document_is_the_health_alone() -> None:
    document = json.loads(health_json(SNAPSHOT))
    assert list(document) == ["schema_version", "epoch", "health"]
    assert document["health"] == json.loads(sessions_json(SNAPSHOT))["health"]


def test_an_empty_board_is_a_document_too() -> None:
    empty = Snapshot(epoch="e", seq=0, source_seqs={}, sessions=(), health=())
    assert json.loads(sessions_json(empty)) == {
        "schema_version": 1,
        "epoch": "e",
        "seq": 0,
        "sessions": [],
        "health": [],
    }
    assert json.loads(health_json(empty)) == {"schema_version": 1, "epoch": "e", "health": []}


def test_documents_are_indented_for_people() -> None:
    assert sessions_json(SNAPSHOT).splitlines()[:3] == ["{", ' "schema_version": 1,', ' "epoch": "e",']
