"""Fold: rows change a state, and nothing else does.

The same rows come again and again, each time as they are by then. What a message adds is compared with what it has added
before, so that a row may grow, repeat itself or vanish, and nothing is counted twice or taken back. The counterparts are
`rows.py`, which brings the rows, and `state.py`, where it is remembered.
"""

from collections.abc import Mapping, Sequence

from ..text import tidy
from .rows import Message, Part
from .state import WINDOW, Counts, Seen, State

PART_TYPES = frozenset(
    (
        "text", "reasoning", "tool", "step-start", "step-finish", "file", "patch", "snapshot", "agent", "subtask",
        "retry", "compaction",
    )
)  # fmt: skip
"""What a part may be (1.1 to 1.18); another type is drift."""

LATEST = 4
"""Newest messages of a session: what they say is what the session is doing."""


def unread(state: State, page: Sequence[Message]) -> list[str]:
    """Return the messages of a page whose parts are not known yet, or may have changed."""
    settled = {seen.id for seen in state.window if seen.settled}
    return [message.id for message in page if message.id not in settled and message.key > state.floor]


def fold(state: State, page: Sequence[Message], parts: Mapping[str, Sequence[Part]]) -> Counts:
    """Take a page of messages, oldest first, and those of their parts that were read. Returns what they add."""
    counts = Counts()
    window = {seen.id: seen for seen in state.window}
    latest = {message.id for message in page[-LATEST:]}
    for message in page:
        if message.key <= state.floor:
            continue
        seen = window.get(message.id)
        if seen is None:
            seen = window[message.id] = Seen(message.at, message.id)
        if message.role:
            _take(state, seen, message, counts)
        elif message.id not in latest and not seen.counted and not seen.bad:
            # The newest ones may only be half written.
            seen.bad = 1
            counts.unknown += 1
        if message.id in parts:
            _take_parts(state, seen, parts[message.id], counts)
            seen.settled = int(bool(message.role) and not message.open)
    _slide(state, window)
    return counts


def _take(state: State, seen: Seen, message: Message, counts: Counts) -> None:
    counts.messages += 1 - seen.counted
    seen.counted = 1
    state.input += message.input - seen.input
    state.cached += message.cached - seen.cached
    state.written += message.written - seen.written
    state.output += message.output - seen.output
    seen.input, seen.cached = message.input, message.cached
    seen.written, seen.output = message.written, message.output
    if message.summary and message.completed is not None and message.error is None and not seen.compacted:
        seen.compacted = 1
        counts.compactions += 1
    state.newest = max(state.newest, message.created or 0, message.completed or 0)
    # Pages come in order, so what stays is what the newest message says.
    if message.held:
        state.held = held_after(message)
    if message.role == "assistant" and (model := tidy(message.model)):
        state.model = model


def held_after(message: Message) -> int | None:
    """Return what the model holds after this answer: unknown after a compaction, until the next one tells."""
    return None if message.summary else message.held


def _take_parts(state: State, seen: Seen, parts: Sequence[Part], counts: Counts) -> None:
    tools = sum(part.type == "tool" for part in parts)
    unknown = sum(part.type not in PART_TYPES for part in parts)
    # Fewer than before: parts vanish when a person takes a turn back.
    if tools > seen.tools:
        counts.tool_calls += tools - seen.tools
        seen.tools = tools
    if unknown > seen.unknown:
        counts.unknown += unknown - seen.unknown
        seen.unknown = unknown
    state.newest = max(state.newest, *(part.end or part.start or 0 for part in parts), 0)


def _slide(state: State, window: dict[str, Seen]) -> None:
    kept = sorted(window.values(), key=lambda seen: seen.key)
    if len(kept) > WINDOW:
        state.floor = kept[-WINDOW - 1].key
        kept = kept[-WINDOW:]
    state.window = kept
