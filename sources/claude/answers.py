"""Answers: what the model said, and the tools it called.

Pure part of the fold. An answer is a distinct `message.id` however many rows it has; they need not be neighbours, and
2.1.50 writes the final number of tokens only into the last of them. A tool call is a distinct id.
"""

from zlib import crc32

import msgspec

from ..text import LABEL_LIMIT, tidy
from .rows import AgentInput, Block, Message, Row, Usage
from .state import (
    AGENT_CALLS_KEPT,
    AGENT_MESSAGES_KEPT,
    AGENT_OPEN_KEPT,
    CALLS_KEPT,
    MESSAGES_KEPT,
    OPEN_KEPT,
    TASKS_KEPT,
    Call,
    Phase,
    State,
    Task,
    Transcript,
)
from .turn import ID_LENGTH, TOKENS_LIMIT, decoded, keep, turn

AGENT_TOOLS = frozenset(("Agent", "Task"))
"""The tools that start a subagent: `Task` until some release after 2.1.50, `Agent` later."""

ONGOING = frozenset(("tool_use", "pause_turn"))
"""Stop reasons after which the model's turn goes on."""

_AGENT_INPUT = msgspec.json.Decoder(AgentInput)


def answer(state: State, transcript: Transcript, row: Row, stamp: str, own: bool) -> None:
    """Take in one row of an answer; `own` says that it is the session's, not a subagent's."""
    message = row.message
    if not isinstance(message, Message):
        return
    model = message.model
    if model != transcript.model and model:
        if model[0] == "<":  # the client's own words, such as an API error
            turn(transcript, "failed" if row.isApiErrorMessage else "over", stamp, begins=True)
            return
        transcript.model, transcript.peak = tidy(model), 0
    key = (message.id or row.requestId or row.uuid or "")[-ID_LENGTH:]
    known = transcript.recent.get(key) if key else None
    if known is None:
        known = [0, 0, 0, 0]
        transcript.messages += 1
        transcript.open.clear()  # the calls of an earlier answer are over, with or without a result
        keep(transcript.recent, key, known, MESSAGES_KEPT if own else AGENT_MESSAGES_KEPT)
    if row.requestedModel and own and row.requestedModel != transcript.asked:
        transcript.asked = tidy(row.requestedModel)
    if message.usage is not None:
        _tokens(transcript, known, message.usage)
    content, last = message.content, "text"
    if isinstance(content, list):
        for block in content:
            last = block.type
            if last == "tool_use":
                _call(state, transcript, block, stamp, own)
    turn(transcript, _phase(message.stop_reason, last), stamp)


def _phase(stop: str | None, last: str | None) -> Phase:
    """Say where an answer leaves the turn; 2.1.50 and an interrupted answer have no stop reason."""
    if stop is None:
        return "said" if last == "text" else "busy"
    return "busy" if stop in ONGOING else "over"


def _tokens(transcript: Transcript, known: list[int], usage: Usage) -> None:
    """Add what this row's numbers exceed the earlier ones of the same answer by."""
    fresh = usage.input_tokens or 0
    created = usage.cache_creation_input_tokens or 0
    cached = usage.cache_read_input_tokens or 0
    output = usage.output_tokens or 0
    context = fresh + created + cached
    if context + output > TOKENS_LIMIT:
        return
    if fresh > known[0]:
        transcript.input += fresh - known[0]
        known[0] = fresh
    if created > known[1]:
        transcript.created += created - known[1]
        known[1] = created
    if cached > known[2]:
        transcript.cached += cached - known[2]
        known[2] = cached
    if output > known[3]:
        transcript.output += output - known[3]
        known[3] = output
    if context > 0:
        transcript.context = context
        transcript.estimated = False
        if context > transcript.peak:  # noqa: PLR1730 - a call of max() for each row costs more than all the rest here
            transcript.peak = context


def _call(state: State, transcript: Transcript, block: Block, stamp: str, own: bool) -> None:
    key = (block.id or "")[-ID_LENGTH:]
    seen = transcript.seen
    if key in seen:
        return
    transcript.calls += 1
    if not key:
        return
    seen[key] = 0
    if len(seen) > (CALLS_KEPT if own else AGENT_CALLS_KEPT):
        del seen[next(iter(seen))]
    if key in transcript.early:
        del transcript.early[key]  # 2.1.50 sometimes writes a result before its call
        return
    name = (block.name or "tool")[:LABEL_LIMIT]
    keep(transcript.open, key, Call(name, stamp), OPEN_KEPT if own else AGENT_OPEN_KEPT)
    if name in AGENT_TOOLS:
        asked = decoded(_AGENT_INPUT, block.input)
        kind = tidy(asked.subagent_type) if asked else None
        opening = crc32(asked.prompt.encode()) if asked and asked.prompt else 0
        keep(state.tasks, key, Task(kind, opening), TASKS_KEPT)
