"""Rows: what Gemini CLI writes, reduced to the fields that matter here.

One struct stands for every record of a `.jsonl` file and for a whole `.json` document, because the client puts the same
names into all of them. Everything is optional and may be null: what a field means is decided in `fold.py`. The shapes
were seen in files of 0.22.4 to 0.61.0.
"""

import json
from typing import Any, TypeAlias, cast

import msgspec
from msgspec import Struct, field

from ..rows import Rows, clean

Number: TypeAlias = int | float | None


class Outcome(Struct, gc=False):
    """`functionResponse.response`: only whether it is an error is of interest, never the output."""

    error: Any = None


class Response(Struct, gc=False):
    """`functionResponse` of a part: the result of one tool call, as it is sent to the model."""

    response: Outcome | str | list[Any] | int | float | bool | None = None


class Media(Struct, gc=False):
    """`inlineData` or `fileData` of a part; that it is there is enough."""


class Piece(Struct, gc=False, rename="camel"):
    """One part of a message's content."""

    text: str | None = None
    function_response: Response | None = None
    inline_data: Media | None = None
    file_data: Media | None = None


Content: TypeAlias = str | list[Piece | str | None] | Piece | int | float | bool | None


class Tokens(Struct, gc=False):
    """`tokens` of a model message, in the client's counting: `cached` is a part of `input`, `thoughts` stand apart."""

    input: Number = None
    output: Number = None
    cached: Number = None


class ToolCall(Struct, gc=False):
    """One entry of `toolCalls`: it is written when the whole batch has ended, with its final status."""

    id: str | None = None
    name: str | None = None
    status: str | None = None


class Message(Struct, gc=False, rename="camel"):
    """A message: a line of its own, or an entry of a list of messages."""

    id: str | None = None
    timestamp: str | None = None
    type: str | None = None
    content: Content = None
    display_content: Content = None
    tokens: Tokens | None = None
    model: str | None = None
    tool_calls: list[ToolCall | None] | None = None


class Settings(Struct, gc=False, rename="camel"):
    """`$set`: what changes in the metadata; `messages` replaces the whole list."""

    session_id: str | None = None
    last_updated: str | None = None
    summary: str | None = None
    directories: list[str | None] | None = None
    messages: list[Message | None] | None = None


class Row(Message, gc=False, rename="camel"):
    """Any line of a `.jsonl` file, or a whole `.json` document."""

    session_id: str | None = None
    project_hash: str | None = None
    start_time: str | None = None
    last_updated: str | None = None
    kind: str | None = None
    summary: str | None = None
    directories: list[str | None] | None = None
    messages: list[Message | None] | None = None
    settings: Settings | None = field(default=None, name="$set")
    rewind_to: str | None = field(default=None, name="$rewindTo")


LINES = Rows(Row)
_DOCUMENT = msgspec.json.Decoder(Row)


def read_document(data: bytes) -> Row | None:
    """Decode a whole `.json` document; None if it is none (yet): its client may be writing it at this moment."""
    data = data.strip(b"\0\r\n\t ").removeprefix(b"\xef\xbb\xbf")
    try:
        return _DOCUMENT.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # the second, more patient reader below decides
    try:
        value = clean(json.loads(data.decode("utf-8", "replace")))
        if not isinstance(value, dict):
            return None
        messages: Any = cast("dict[str, Any]", value).pop("messages", None)
        row = msgspec.convert(value, Row, strict=False)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return None
    row.messages = [_fit(message) for message in cast("list[Any]", messages)] if isinstance(messages, list) else None
    return row


def _fit(value: Any) -> Message:
    """Take what fits; a message that does not is one of no known type, but keeps its place."""
    try:
        return msgspec.convert(value, Message, strict=False)
    except msgspec.MsgspecError:
        return Message(id=str(cast("dict[str, Any]", value).get("id")) if isinstance(value, dict) else "")
