"""Rows: one line of a rollout file, with the fields that are needed and no others.

Four generations of the client wrote four shapes (0.20 to 0.169), often mixed in one file, so one permissive row covers
all: an envelope with a payload, or, in the oldest files, the bare item itself. Long texts that nobody needs (tool
output, arguments, encrypted reasoning, replaced histories) are not declared and cost only their bytes. The
counterpart is `fold.py`, which gives the rows their meaning.
"""

import re
from typing import Any, cast

from msgspec import Struct


class Git(Struct, gc=False):
    """The repository as it was when the thread was made."""

    branch: Any = None


class HistoryBase(Struct, gc=False):
    """Where the records are that this file goes on from: nothing of them is copied."""

    thread_id: str | None = None


class Usage(Struct, gc=False):
    """Tokens; cached ones are part of the input, reasoning is part of the output."""

    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None


class TokenInfo(Struct, gc=False):
    """`total_token_usage` is the thread's lifetime, `last_token_usage` its newest request."""

    total_token_usage: Usage | None = None
    last_token_usage: Usage | None = None
    model_context_window: int | None = None


class Item(Struct, gc=False):
    """A finished item of a turn, as paginated files (0.150 and later) hold it."""

    type: str | None = None
    id: Any = None
    phase: Any = None
    content: Any = None


class Settings(Struct, gc=False):
    """The settings of a thread; they can change without a turn."""

    model: Any = None
    cwd: Any = None


class Payload(Struct, gc=False):
    """What an envelope carries, whatever its type.

    The frequent fields stand first, in the order in which they are written: the decoder looks for the next key behind
    the last one.
    """

    type: str | None = None
    # response items
    role: Any = None
    name: Any = None
    call_id: Any = None
    # events
    info: TokenInfo | None = None
    message: Any = None
    id: Any = None
    thread_id: str | None = None
    turn_id: str | None = None
    item: Item | None = None
    phase: Any = None
    kind: Any = None
    error: Any = None
    started_at: Any = None
    model_context_window: int | None = None
    thread_settings: Settings | None = None
    # usage records
    usage: Usage | None = None
    thread_token_usage: Usage | None = None
    # turn contexts and the header
    session_id: Any = None
    timestamp: Any = None
    cwd: Any = None
    model: Any = None
    cli_version: Any = None
    source: Any = None
    thread_source: Any = None
    agent_nickname: Any = None
    parent_thread_id: Any = None
    forked_from_id: Any = None
    history_mode: Any = None
    history_base: HistoryBase | None = None
    subagent_history_start_ordinal: int | None = None
    git: Git | None = None


class Row(Struct, gc=False):
    """One line. Without a payload it is bare: the item itself, or the header of 0.20 to 0.3x."""

    timestamp: str | None = None
    ordinal: int | None = None
    type: str | None = None
    payload: Payload | None = None
    record_type: Any = None
    id: Any = None
    role: Any = None
    name: Any = None
    call_id: Any = None
    content: Any = None
    git: Git | None = None


_HEAD = re.compile(
    rb'\s*\{"timestamp":"(?P<timestamp>[^"]{1,64})",(?:"ordinal":(?P<ordinal>\d{1,18}),)?'
    rb'"type":"(?P<type>\w+)","payload":\{(?:"type":"(?P<inner>\w+)")?'
)
_ITEM = re.compile(rb'"item":\{"type":"(\w+)"(?:,"id":"([^"\\]{1,200})")?')
# Inside a JSON text these quotes would be escaped, so a match is always a real key.
_FIELDS = {
    name: re.compile(rb'"' + name.encode() + rb'":"([^"\\]{1,200})"') for name in ("thread_id", "call_id", "name")
}


def glimpse(head: bytes) -> Row | None:
    """Read what the first bytes of an over-long line tell about it: its types, ids and time. None if nothing does.

    Such a line holds images or a replaced history. The client writes the types first (seen in 0.142 to 0.169).
    """
    seen = _HEAD.match(head)
    if seen is None:
        return None
    fields = {
        name: found[1].decode("utf-8", "replace") for name, shape in _FIELDS.items() if (found := shape.search(head))
    }
    item = _ITEM.search(head)
    return Row(
        type=seen["type"].decode(),
        timestamp=seen["timestamp"].decode("utf-8", "replace"),
        ordinal=int(seen["ordinal"]) if seen["ordinal"] else None,
        payload=Payload(
            type=seen["inner"].decode() if seen["inner"] else None,
            thread_id=fields.get("thread_id"),
            call_id=fields.get("call_id"),
            name=fields.get("name"),
            item=Item(type=item[1].decode(), id=(item[2] or b"").decode("utf-8", "replace")) if item else None,
        ),
    )


def text_of(content: Any) -> str | None:
    """Return the first text in a message's content: a text itself, or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    for part in cast("list[Any]", content):
        text = cast("dict[str, Any]", part).get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            return text
    return None
