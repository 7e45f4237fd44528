from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bellboard.protocol.session import Evidence, SessionState, Subagent
from bellboard.protocol.update import SourceUpdate
from bellboard.supervisor.aggregator.merge import merge

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=5)
LATER = NOW + timedelta(minutes=5)

FULL = SessionState(
    id="s",
    source="claude",
    slug="slug",
    title="title",
    activity="working",
    waiting_for="question",
    evidence=Evidence(kind="record", detail="said", since=EARLIER),
    lifecycle="terminal",
    end_reason="ended",
    model="model",
    working_dir="/tmp/x",
    branch="main",
    context_tokens=50,
    max_context_tokens=200,
    max_context_from="reported",
    context_utilization=0.25,
    input_tokens=1,
    cache_read_tokens=2,
    cache_creation_tokens=3,
    output_tokens=4,
    token_estimated=True,
    message_count=5,
    tool_call_count=6,
    compaction_count=7,
    current_tool="Bash",
    current_tool_started_at=EARLIER,
    parent_id="p",
    subagents=(Subagent(id="a"),),
    client_version="1.2",
    started_at=EARLIER,
    last_activity_at=EARLIER,
    last_data_received_at=EARLIER,
    completed_at=EARLIER,
    version=9,
)

COUNTED = ("message_count", "tool_call_count", "compaction_count")
"""Fields that a source adds to."""

CLAMPED = ("started_at", "last_activity_at", "current_tool_started_at")
"""Times that come from artifacts."""

DECIDED_ELSEWHERE = {"session_id", "terminal", "ended_at", "restart", "unknown_records_delta"}

SAID = set(SourceUpdate.__struct_fields__) - DECIDED_ELSEWHERE - {f"{name}_delta" for name in COUNTED}
"""Fields that a source says outright: set means replace."""

OTHER: dict[str, Any] = {
    "slug": "other",
    "title": "other",
    "activity": "waiting",
    "evidence": Evidence(kind="tool", since=EARLIER - timedelta(minutes=1)),
    "model": "other",
    "working_dir": "/tmp/other",
    "branch": "other",
    "context_tokens": 20,
    "output_tokens": 20,
    "max_context_tokens": 500,
    "max_context_from": "table",
    "token_estimated": False,
    "current_tool": "other",
    "current_tool_started_at": EARLIER - timedelta(minutes=1),
    "waiting_for": "plan",
    "input_tokens": 20,
    "cache_read_tokens": 20,
    "cache_creation_tokens": 20,
    "started_at": EARLIER - timedelta(minutes=1),
    "last_activity_at": EARLIER - timedelta(minutes=1),
    "subagents": (Subagent(id="b", started_at=EARLIER),),
    "parent_id": "other",
    "client_version": "other",
    "end_reason": "other",
}
"""For each field that a source says: something else than what `FULL` has."""

CLEARABLE = [name for name in sorted(SAID) if getattr(SessionState(id="s", source="x"), name) is None]


def facts(**fields: Any) -> SourceUpdate:
    return SourceUpdate(session_id="s", **fields)


def test_what_is_not_said_stays_as_it_was() -> None:
    assert merge(FULL, facts(), NOW) == structs.replace(FULL, last_data_received_at=NOW)


@pytest.mark.parametrize("field", CLEARABLE)
def test_none_is_knowledge_and_overwrites(field: str) -> None:
    merged = merge(FULL, facts(**{field: None}), NOW)
    utilization = None if field in {"context_tokens", "max_context_tokens"} else 0.25
    changes = {field: None, "context_utilization": utilization}
    assert merged == structs.replace(FULL, last_data_received_at=NOW, **changes)


def test_false_empty_and_zero_are_said_too() -> None:
    merged = merge(FULL, facts(token_estimated=False, subagents=(), output_tokens=0, activity="idle", title=""), NOW)
    assert merged == structs.replace(
        FULL,
        token_estimated=False,
        subagents=(),
        output_tokens=0,
        activity="idle",
        title="",
        last_data_received_at=NOW,
    )


def test_counts_add_and_everything_else_replaces() -> None:
    merged = merge(
        FULL,
        facts(message_count_delta=2, tool_call_count_delta=1, compaction_count_delta=1, output_tokens=10, model="m2"),
        NOW,
    )
    assert merged == structs.replace(
        FULL,
        message_count=7,
        tool_call_count=7,
        compaction_count=8,
        output_tokens=10,
        model="m2",
        last_data_received_at=NOW,
    )


def test_a_restart_counts_from_zero_again_in_the_same_step() -> None:
    merged = merge(FULL, facts(restart=True, message_count_delta=2), NOW)
    assert merged == structs.replace(
        FULL, message_count=2, tool_call_count=0, compaction_count=0, last_data_received_at=NOW
    )


@pytest.mark.parametrize("restart", [False, True])
def test_a_negative_delta_lowers_nothing(restart: bool) -> None:
    merged = merge(FULL, facts(restart=restart, message_count_delta=-3), NOW)
    assert merged.message_count == (0 if restart else 5)


@pytest.mark.parametrize("field", CLAMPED)
def test_a_time_in_the_future_is_now_and_one_in_the_past_stays(field: str) -> None:
    assert getattr(merge(FULL, facts(**{field: LATER}), NOW), field) == NOW
    assert getattr(merge(FULL, facts(**{field: EARLIER}), NOW), field) == EARLIER


@pytest.mark.parametrize(
    ("used", "most", "utilization"),
    [(None, 200, None), (50, None, None), (50, 0, None), (0, 200, 0.0), (1, 3, 0.3333), (250, 200, 1.25)],
)
def test_the_context_is_as_full_as_both_numbers_say(
    used: int | None, most: int | None, utilization: float | None
) -> None:
    merged = merge(FULL, facts(context_tokens=used, max_context_tokens=most), NOW)
    assert merged.context_utilization == utilization


def test_the_utilization_follows_a_change_of_one_of_its_numbers() -> None:
    first = merge(SessionState(id="s", source="x"), facts(context_tokens=50), NOW)
    assert first.context_utilization is None
    second = merge(first, facts(max_context_tokens=100), NOW)
    assert second.context_utilization == 0.5
    assert merge(second, facts(context_tokens=75), NOW).context_utilization == 0.75


@pytest.mark.parametrize("field", sorted(SAID))
def test_each_field_that_is_said_replaces_that_one_and_no_other(field: str) -> None:
    merged = merge(FULL, facts(**{field: OTHER[field]}), NOW)
    utilization = {"context_tokens": 0.1, "max_context_tokens": 0.1}.get(field, 0.25)
    changes = {field: OTHER[field], "context_utilization": utilization}
    assert merged == structs.replace(FULL, last_data_received_at=NOW, **changes)


def test_each_field_of_a_full_state_differs_from_one_of_which_nothing_is_known() -> None:
    # So that a field that merge forgets cannot pass for one that stayed as it was. Only a fleet's board says the host.
    empty = structs.asdict(SessionState(id="", source=""))
    assert [name for name, value in structs.asdict(FULL).items() if value == empty[name]] == ["host"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 50))))
def test_a_count_is_what_was_said_since_the_last_restart(steps: list[tuple[bool, int]]) -> None:
    state, expected = SessionState(id="s", source="x"), 0
    for restart, delta in steps:
        state = merge(state, facts(restart=restart, message_count_delta=delta), NOW)
        expected = max(0, delta) + (0 if restart else expected)
        assert state.message_count == expected
