from datetime import UTC, datetime
from typing import Literal

import msgspec
import pytest

from bellboard.protocol import privacy
from bellboard.protocol.session import Evidence, HealthState, SessionState, Subagent
from bellboard.protocol.update import SourceUpdate

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HELPER = Subagent(id="a", slug="neon", kind="reviewer", current_tool="Bash", model="m", message_count=2, started_at=AT)
FULL = SessionState(
    id="s",
    source="claude",
    slug="neon-canyon",
    title="Deploy the secret thing",
    activity="waiting",
    waiting_for="permission",
    evidence=Evidence(kind="registry", detail="pid 7 in /home/you/secret/app.json says so", since=AT),
    end_reason="closed",
    model="opus",
    working_dir="/home/you/secret/app/",
    branch="secret",
    context_tokens=5,
    message_count=3,
    current_tool="Bash",
    current_tool_started_at=AT,
    parent_id="p",
    subagents=(HELPER,),
    client_version="1.2",
    version=9,
)
SICK = HealthState(
    source="claude",
    status="degraded",
    reason="not found: looked in ~/.claude/x, /opt/secret/agent",
    last_error="cannot read '/srv/secret/a b'",
    quarantined=("/home/you/secret/one.jsonl", "two"),
    unknown_client="1.2",
    rebuilt="why",
    rebuilt_at=AT,
    home="/home/you/.claude",
    home_from="CLAUDE_CONFIG_DIR",
    absent=("/opt/secret/agent", "~/.claude"),
)


def test_full_is_everything() -> None:
    assert (privacy.session(FULL, "full"), privacy.health(SICK, "full")) == (FULL, SICK)


def test_names_leaves_out_titles_branches_and_the_ways_to_folders() -> None:
    assert privacy.session(FULL, "names") == msgspec.structs.replace(
        FULL,
        title=None,
        branch=None,
        working_dir="app",
        evidence=Evidence(kind="registry", detail="pid 7 in app.json says so", since=AT),
    )
    assert privacy.health(SICK, "names") == msgspec.structs.replace(
        SICK,
        reason="not found: looked in x, agent",
        last_error="cannot read 'a b'",
        quarantined=("one.jsonl", "two"),
        home=".claude",
        absent=("agent", ".claude"),
    )


def test_a_folder_whose_name_has_spaces_is_told_by_its_last_name_too() -> None:
    state = HealthState(
        source="codex",
        reason="not found: looked in ~/Big Secret Merger/.codex, ~/Big Secret Merger/.codex/bin",
        last_error="cannot read ~/Big Secret/home/x: no",
        home="~/Big Secret/home",
        absent=("~/Big Secret Merger/.codex", "~/Big Secret Merger/.codex/bin"),
    )
    told = privacy.health(state, "names")
    assert (told.reason, told.last_error) == ("not found: looked in .codex, bin", "cannot read x: no")


def test_minimal_is_ids_states_and_numbers() -> None:
    assert privacy.session(FULL, "minimal") == SessionState(
        id="s",
        source="claude",
        activity="waiting",
        waiting_for="permission",
        evidence=Evidence(kind="registry", since=AT),
        context_tokens=5,
        message_count=3,
        current_tool_started_at=AT,
        parent_id="p",
        subagents=(Subagent(id="a", message_count=2, started_at=AT),),
        version=9,
    )
    assert privacy.health(SICK, "minimal") == HealthState(
        source="claude", status="degraded", quarantined=("one.jsonl", "two"), rebuilt_at=AT, absent=("", "")
    )


@pytest.mark.parametrize("level", ["full", "names", "minimal"])
def test_what_a_source_does_not_say_stays_unsaid(level: Literal["full", "names", "minimal"]) -> None:
    silent = SourceUpdate(session_id="s", message_count_delta=1)
    assert privacy.session(silent, level) == silent


def test_the_boards_own_reasons_are_told_at_any_level() -> None:
    for reason, told in (("stale", "stale"), ("ended", "ended"), ("closed by anna", None)):
        state = SessionState(id="s", source="x", end_reason=reason)
        assert privacy.session(state, "minimal").end_reason == told


def test_no_field_of_a_session_is_forgotten_here() -> None:
    """A new field is told at every level, unless somebody decides otherwise: so somebody has to look."""
    free = {name for name in SessionState.__struct_fields__ if name not in privacy._WITHHELD["minimal"]}
    told = """id source activity waiting_for evidence lifecycle context_tokens max_context_tokens max_context_from
        context_utilization input_tokens cache_read_tokens cache_creation_tokens output_tokens token_estimated message_count
        tool_call_count compaction_count current_tool_started_at parent_id subagents started_at last_activity_at
        last_data_received_at completed_at version host"""
    assert free == set(told.split())


@pytest.mark.parametrize(
    ("path", "name"), [("/a/b/", "b"), ("/", ""), ("", ""), ("b", "b"), ("C:\\work\\b", "b"), ("~/x", "x")]
)
def test_the_last_name_of_a_path(path: str, name: str) -> None:
    assert privacy.last_name(path) == name
