"""Rows: one line of a session file, with the fields that are needed and no others.

An entry hangs on the one that its `parentId` names, so the lines of a file are a tree. Long texts that nobody needs
(answers, tool output, the system prompt) are passed over. The counterpart is `fold.py`, which gives the rows their
meaning.
"""

import json
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct


class Block(Struct, gc=False):
    """One piece of a message's content; `text` stays undecoded, because hardly any is ever looked at."""

    type: Any = None
    id: Any = None
    name: Any = None
    text: Raw = Raw()


class Usage(Struct, gc=False, rename="camel"):
    """Tokens of one model call; `input` does not hold the cached ones."""

    input: Any = None
    output: Any = None
    cache_read: Any = None
    cache_write: Any = None


class Message(Struct, gc=False, rename="camel"):
    """What an entry of type `message` carries, whatever its role."""

    role: Any = None
    content: list[Block | None] | str | None = None
    usage: Usage | None = None
    stop_reason: Any = None
    model: Any = None
    tool_call_id: Any = None


class Row(Struct, gc=False, rename="camel"):
    """One line: the header (`session`), or an entry. Files of version 1 have neither ids nor parents."""

    type: Any = None
    id: Any = None
    parent_id: Any = UNSET
    timestamp: Any = None
    message: Message | None = None
    usage: Usage | None = None
    # the header
    cwd: Any = None
    parent_session: Any = None
    # model_change, session_info
    model_id: Any = None
    name: Any = None


def text_of(content: list[Block | None] | str | None) -> str | None:
    """Return the first text in a message's content."""
    if not isinstance(content, list):
        return content
    for block in content:
        if block is not None and block.type == "text" and block.text:
            return _decode(block.text)
    return None


def _decode(text: Raw) -> str | None:
    try:
        return msgspec.json.decode(text, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass  # the standard library takes lone surrogates, which a cut text may end in
    try:
        value = json.loads(bytes(text).decode("utf-8", "replace"))
    except ValueError:
        return None
    return value if isinstance(value, str) else None
