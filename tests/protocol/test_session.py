import msgspec
import pytest

from bellboard.protocol.session import Activity, Evidence, HealthState, SessionState, Subagent, WaitingFor

# The public contract: a program that reads `sessions --json` relies on these names (a change needs a new schema version).
SESSION = """
    id source slug title activity waiting_for evidence lifecycle end_reason model working_dir branch context_tokens
    max_context_tokens max_context_from context_utilization input_tokens cache_read_tokens cache_creation_tokens
    output_tokens token_estimated message_count tool_call_count compaction_count current_tool current_tool_started_at
    parent_id subagents client_version started_at last_activity_at last_data_received_at completed_at version
    host
"""
SUBAGENT = """
    id parent_tool_use_id slug kind activity current_tool model context_tokens output_tokens message_count tool_call_count
    started_at last_activity_at completed_at input_tokens cache_read_tokens cache_creation_tokens
"""
HEALTH = """
    source status reason pid incarnation restarts last_error unknown_records quarantined discover_failures parse_failures
    updated_at rss_bytes cpu_percent lag_seconds unknown_since unknown_client traceback rebuilt rebuilt_at
    home home_from absent settled left_out host
"""


@pytest.mark.parametrize(
    ("kind", "names"),
    [(SessionState, SESSION), (Subagent, SUBAGENT), (HealthState, HEALTH)],
    ids=lambda it: str(it)[:20],
)
def test_the_fields_are_those_of_the_public_contract(kind: type[msgspec.Struct], names: str) -> None:
    assert set(kind.__struct_fields__) == set(names.split())


@pytest.mark.parametrize(
    ("activity", "waiting_for", "needs_you"),
    [
        ("waiting", "permission", True),
        ("waiting", "question", True),
        ("waiting", "plan", True),
        ("waiting", "prompt", False),
        ("waiting", None, False),
        ("working", None, False),
        ("working", "permission", False),
        ("terminal", "permission", False),
        ("idle", None, False),
    ],
)
def test_a_session_needs_you_only_when_it_stands_still_in_the_middle_of_a_turn(
    activity: Activity, waiting_for: WaitingFor | None, *, needs_you: bool
) -> None:
    session = SessionState(id="1", source="claude", activity=activity, waiting_for=waiting_for)
    assert session.needs_you is needs_you


def test_what_is_not_known_of_a_new_session_is_null() -> None:
    assert msgspec.to_builtins(SessionState(id="1", source="claude")) == {
        "id": "1",
        "source": "claude",
        "slug": None,
        "title": None,
        "activity": "idle",
        "waiting_for": None,
        "evidence": None,
        "lifecycle": "active",
        "end_reason": None,
        "model": None,
        "working_dir": None,
        "branch": None,
        "context_tokens": None,
        "max_context_tokens": None,
        "max_context_from": "unknown",
        "context_utilization": None,
        "input_tokens": None,
        "cache_read_tokens": None,
        "cache_creation_tokens": None,
        "output_tokens": None,
        "token_estimated": False,
        "message_count": 0,
        "tool_call_count": 0,
        "compaction_count": 0,
        "current_tool": None,
        "current_tool_started_at": None,
        "parent_id": None,
        "subagents": (),
        "client_version": None,
        "started_at": None,
        "last_activity_at": None,
        "last_data_received_at": None,
        "completed_at": None,
        "version": 0,
    }


def test_a_time_without_a_zone_is_refused() -> None:
    decoder = msgspec.json.Decoder(Evidence)
    decoder.decode(b'{"kind":"tool","since":"2026-01-02T03:04:05Z"}')
    with pytest.raises(msgspec.ValidationError, match="timezone"):
        decoder.decode(b'{"kind":"tool","since":"2026-01-02T03:04:05"}')
