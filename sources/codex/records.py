"""Records: what each type of record means, one handler a type.

A type whose handler is None is documented and says nothing that the board needs; a type that is not here is drift and
is counted. The types are those that 0.44 to 0.169 write; the verbs are those of `thread.py`.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from .rows import Payload, Row
from .thread import SERVER_CALLS, Thread
from .tokens import take

Handler: TypeAlias = Callable[[Thread, Row, Payload], None]
Meanings: TypeAlias = dict[str | None, Handler | None]


def drift(thread: Thread, _row: Row, _payload: Payload) -> None:
    """Count a record that this program does not know."""
    thread.counts.unknown += 1


# response items: what the model sees. Its messages are not counted here: they repeat the events, and include injections.


def _call(thread: Thread, row: Row, payload: Payload) -> None:
    thread.called(row, payload.type, payload.name, payload.call_id or payload.id)


def _output(thread: Thread, row: Row, payload: Payload) -> None:
    thread.finished(payload.call_id)
    thread.busy(row)


def _reasoning(thread: Thread, row: Row, _payload: Payload) -> None:
    thread.busy(row)


def _message(thread: Thread, row: Row, payload: Payload) -> None:
    # The event before it does not tell a remark from an answer, this one does (0.98).
    if payload.phase == "commentary" and payload.role == "assistant":
        thread.busy(row)


# events: what a person sees


def _task_started(thread: Thread, row: Row, payload: Payload) -> None:
    state = thread.state
    state.eventful = True
    state.locking = state.born_locking
    thread.turn_begins(row)
    thread.window(payload.model_context_window)


def _task_complete(thread: Thread, row: Row, payload: Payload) -> None:
    thread.state.eventful = True
    thread.turn_ends(row, "failed" if payload.error else "ended")


def _turn_aborted(thread: Thread, row: Row, _payload: Payload) -> None:
    # Also written where turns are not marked otherwise, so it does not make a file eventful.
    thread.turn_ends(row, "interrupted")


def _user_message(thread: Thread, row: Row, payload: Payload) -> None:
    # Clients of 2025 said what kind of message it was; only a plain one is a person's.
    if payload.kind is None or payload.kind == "plain":
        thread.user_said(row, payload.message)


def _agent_message(thread: Thread, row: Row, payload: Payload) -> None:
    thread.agent_said(row, payload.phase)


def _item_completed(thread: Thread, row: Row, payload: Payload) -> None:
    item = payload.item
    if item is None:
        drift(thread, row, payload)
    elif item.type == "UserMessage":
        thread.user_said(row, item.content)
    elif item.type == "AgentMessage":
        thread.agent_said(row, item.phase)
    else:
        thread.finished(item.id)


def _token_count(thread: Thread, _row: Row, payload: Payload) -> None:
    info = payload.info
    if info is not None:
        take(thread.state, info.total_token_usage, info.last_token_usage)
        thread.holds(info.last_token_usage)
        thread.window(info.model_context_window)


def _settings_applied(thread: Thread, _row: Row, payload: Payload) -> None:
    if payload.thread_settings:
        thread.place(payload.thread_settings.model, payload.thread_settings.cwd)


# records of their own


def _turn_context(thread: Thread, _row: Row, payload: Payload) -> None:
    thread.place(payload.model, payload.cwd)


def _usage_record(thread: Thread, _row: Row, payload: Payload) -> None:
    take(thread.state, payload.thread_token_usage, payload.usage)
    thread.holds(payload.usage)
    thread.state.locking = True  # only clients that also lock write this record (0.155 and later)


def _compacted(thread: Thread, _row: Row, _payload: Payload) -> None:
    thread.counts.compactions += 1


def _table(
    silent: str, handlers: dict[str, Handler], calls: Iterable[str] = (), outputs: Iterable[str] = ()
) -> Meanings:
    table: Meanings = dict.fromkeys(silent.split())
    table.update(handlers)
    table.update(dict.fromkeys(calls, _call))
    table.update(dict.fromkeys(outputs, _output))
    return table


CALLS = frozenset(("function_call", "custom_tool_call", "local_shell_call", "tool_search_call")) | SERVER_CALLS
OUTPUTS = frozenset(
    ("function_call_output", "custom_tool_call_output", "local_shell_call_output", "tool_search_output")
)

ITEMS = _table(
    "agent_message additional_tools compaction compaction_trigger context_compaction ghost_snapshot other",
    {"message": _message, "reasoning": _reasoning},
    CALLS,
    OUTPUTS,
)

RECORDS = _table(
    "dynamic_tools_updated inter_agent_communication inter_agent_communication_metadata world_state"
    " security_risk_score realtime_item",
    {"turn_context": _turn_context, "token_usage_record": _usage_record, "compacted": _compacted},
)

# The silent ones include events that clients persist only in some settings, or no longer: known, not drift.
EVENTS = _table(
    "agent_reasoning_raw_content agent_reasoning_section_break context_compacted entered_review_mode"
    " exited_review_mode thread_rolled_back patch_apply_begin patch_apply_end patch_apply_updated mcp_tool_call_begin"
    " mcp_tool_call_end web_search_begin web_search_end image_generation_begin image_generation_end"
    " thread_goal_updated sub_agent_activity error exec_command_begin exec_command_end exec_command_output_delta"
    " view_image_tool_call collab_agent_spawn_begin collab_agent_spawn_end collab_agent_interaction_begin"
    " collab_agent_interaction_end collab_waiting_begin collab_waiting_end collab_close_begin collab_close_end"
    " collab_resume_begin collab_resume_end guardian_assessment guardian_warning dynamic_tool_call_request"
    " dynamic_tool_call_response exec_approval_request apply_patch_approval_request request_permissions"
    " request_user_input elicitation_request stream_error plan_update plan_delta turn_diff item_started hook_started"
    " hook_completed warning shutdown_complete session_configured background_event deprecation_notice model_reroute"
    " model_verification terminal_interaction raw_response_item undo_started undo_completed thread_name_updated"
    " mcp_startup_update mcp_startup_complete",
    {
        "task_started": _task_started,
        "turn_started": _task_started,
        "task_complete": _task_complete,
        "turn_complete": _task_complete,
        "turn_aborted": _turn_aborted,
        "user_message": _user_message,
        "agent_message": _agent_message,
        "agent_reasoning": _reasoning,
        "item_completed": _item_completed,
        "token_count": _token_count,
        "thread_settings_applied": _settings_applied,
    },
)
