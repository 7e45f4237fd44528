"""Files that the real client wrote (0.87.1), told to the last field."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pi_home import Home, copied

from bellboard.protocol.session import Evidence
from bellboard.protocol.update import SourceUpdate

BOTH = "01a202e3-0d07-7475-821a-bc2b186957af"


def moment(minute: int, second: float) -> datetime:
    return datetime(2026, 11, 22, 10, minute, int(second), round(second % 1 * 1e6), tzinfo=UTC)


def told(case: str, tmp_path: Path) -> SourceUpdate:
    home = Home(copied(case, tmp_path))
    home.read()
    (update,) = home.updates
    return update


def test_tools_and_a_second_turn_with_another_model(tmp_path: Path) -> None:
    assert told("tools", tmp_path) == SourceUpdate(
        session_id=BOTH,
        title="Read notes and run a command",
        activity="waiting",
        waiting_for="prompt",
        evidence=Evidence(kind="record", detail="the turn ended", since=moment(52, 52.23)),
        model="mock-2",
        working_dir="/tmp/demo-pi/project-a",
        context_tokens=3600,
        input_tokens=3600,
        cache_read_tokens=13100,
        cache_creation_tokens=0,
        output_tokens=96,
        message_count_delta=7,
        tool_call_count_delta=4,
        current_tool=None,
        current_tool_started_at=None,
        started_at=moment(52, 44.168),
        last_activity_at=moment(52, 52.23),
    )


def test_two_tools_of_which_the_first_runs(tmp_path: Path) -> None:
    assert told("tool_running", tmp_path) == SourceUpdate(
        session_id=BOTH,
        title="Read notes and run a command",
        activity="working",
        waiting_for=None,
        evidence=Evidence(kind="tool", detail="bash has no result yet", since=moment(52, 47.068)),
        model="mock-1",
        working_dir="/tmp/demo-pi/project-a",
        context_tokens=3200,
        input_tokens=3200,
        cache_read_tokens=3000,
        cache_creation_tokens=0,
        output_tokens=71,
        message_count_delta=3,
        tool_call_count_delta=3,
        current_tool="bash",
        current_tool_started_at=moment(52, 47.068),
        started_at=moment(52, 44.168),
        last_activity_at=moment(52, 47.068),
    )


def test_a_call_that_failed(tmp_path: Path) -> None:
    update = told("api_error", tmp_path)

    assert (update.activity, update.waiting_for) == ("waiting", "prompt")
    assert update.evidence == Evidence(kind="record", detail="the last call failed", since=moment(52, 47.037))
    assert (update.message_count_delta, update.output_tokens, update.model) == (2, 0, "mock-1")


@pytest.mark.parametrize("case", ["tools", "tool_running", "api_error"])
def test_nothing_in_them_is_unknown(case: str, tmp_path: Path) -> None:
    assert told(case, tmp_path).unknown_records_delta == 0
