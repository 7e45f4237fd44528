"""Rows: a session, its messages and their parts, whichever store they lie in.

The database keeps what the client's files kept before: one JSON text a message and a part, beside a few columns. Both
stores build the same rows, out of the few fields that are needed. All times are milliseconds since 1970. The counterparts
are `database.py` and `tree.py`, which read the stores.
"""

import json
import re
from typing import Any, TypeAlias, cast

import msgspec
from msgspec import Raw, Struct

from ..rows import clean

Key: TypeAlias = tuple[int, str]
"""The place of a message in its session: when it was made, then its id."""

ID_LIMIT = 64
"""Characters of an id; a longer one is none of the client's."""

TEXT_LIMIT = 16 * 1024 * 1024
"""Bytes of one row's text; a larger one is passed over like one that makes no sense."""

MOST = 1 << 53
"""A number above this is neither a time nor a count of tokens."""


class Session(Struct, frozen=True, kw_only=True):
    """What a store says of a session itself. `reverted`: the last turns were taken back, but are still there."""

    id: str
    parent: Any = None
    slug: Any = None
    directory: Any = None
    title: Any = None
    version: Any = None
    created: int = 0
    updated: int = 0
    compacting: int | None = None
    archived: int | None = None
    reverted: bool = False


class Message(Struct, frozen=True, kw_only=True):
    """One message. `at` orders the messages of a session; without a role its text could not be understood.

    `error` is the name of what went wrong; `summary` says that it is what a compaction left; tokens do not overlap
    (`input` is without the cached ones, `output` without reasoning).
    """

    id: str
    at: int
    role: str = ""
    created: int | None = None
    completed: int | None = None
    finish: str | None = None
    error: str | None = None
    summary: bool = False
    model: Any = None
    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0

    @property
    def key(self) -> Key:
        """Its place in the session."""
        return self.at, self.id

    @property
    def open(self) -> bool:
        """Whether the model, or a tool that it called, has still to end this answer."""
        return self.role == "assistant" and self.completed is None and self.error is None

    @property
    def held(self) -> int:
        """Tokens that went into the call."""
        return self.input + self.cached + self.written


class Part(Struct, frozen=True, kw_only=True):
    """One part of a message. Without a type its text could not be understood."""

    id: str
    type: str = ""
    tool: Any = None
    status: Any = None
    start: int | None = None
    end: int | None = None

    @property
    def open(self) -> bool:
        """Whether this is a tool call without a result."""
        return self.type == "tool" and self.status in ("pending", "running")


def number(value: object) -> int | None:
    """Return a time or a count; None if it is none."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MOST else None


def dig(value: object, *names: str) -> Any:
    """Return what stands at these names, one inside the other; None if there is nothing."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, Any]", value).get(name)
    return value


class _MessageText(Struct):
    role: Any = None
    time: Any = None
    finish: Any = None
    error: Any = None
    summary: Raw = Raw()
    modelID: Any = None  # noqa: N815 - the client's spelling
    model: Any = None
    tokens: Any = None


class _State(Struct):
    status: Any = None
    time: Any = None


class _PartText(Struct):
    type: Any = None
    tool: Any = None
    state: _State | None = None


class _SessionText(Struct, rename={"parent": "parentID"}):
    parent: Any = None
    slug: Any = None
    directory: Any = None
    title: Any = None
    version: Any = None
    time: Any = None
    revert: Any = None


_message_decoder = msgspec.json.Decoder(_MessageText)
_part_decoder = msgspec.json.Decoder(_PartText)
_session_decoder = msgspec.json.Decoder(_SessionText)


def message_in(text: bytes, name: str, at: int) -> Message:
    """Read the text of a message; one that cannot be understood, or has an unknown role, comes without a role."""
    fields: _MessageText | None = _decode(_message_decoder, text)
    if fields is None or fields.role not in ("user", "assistant"):
        return Message(id=name, at=at)
    created, completed = number(dig(fields.time, "created")), number(dig(fields.time, "completed"))
    if fields.role == "user":
        return Message(id=name, at=at, role="user", created=created, model=dig(fields.model, "modelID"))
    error = dig(fields.error, "name")
    return Message(
        id=name,
        at=at,
        role="assistant",
        created=created,
        completed=completed,
        finish=fields.finish if isinstance(fields.finish, str) else None,
        error=error if isinstance(error, str) else None if fields.error is None else "unknown",
        summary=bytes(fields.summary) == b"true",
        model=fields.modelID,
        input=number(dig(fields.tokens, "input")) or 0,
        cached=number(dig(fields.tokens, "cache", "read")) or 0,
        written=number(dig(fields.tokens, "cache", "write")) or 0,
        output=number(dig(fields.tokens, "output")) or 0,
    )


def part_in(text: bytes, name: str) -> Part:
    """Read the text of a part; one that cannot be understood comes without a type."""
    fields: _PartText | None = _decode(_part_decoder, text)
    if fields is None or not isinstance(fields.type, str):
        return Part(id=name)
    state = fields.state or _State()
    start, end = number(dig(state.time, "start")), number(dig(state.time, "end"))
    return Part(id=name, type=fields.type, tool=fields.tool, status=state.status, start=start, end=end)


def session_in(text: bytes, name: str) -> Session | None:
    """Read the text of a session; None if it cannot be understood."""
    fields: _SessionText | None = _decode(_session_decoder, text)
    if fields is None:
        return None
    return Session(
        id=name,
        parent=fields.parent,
        slug=fields.slug,
        directory=fields.directory,
        title=fields.title,
        version=fields.version,
        created=number(dig(fields.time, "created")) or 0,
        updated=number(dig(fields.time, "updated")) or 0,
        compacting=number(dig(fields.time, "compacting")),
        archived=number(dig(fields.time, "archived")),
        reverted=bool(fields.revert),
    )


def _decode(decoder: "msgspec.json.Decoder[Any]", text: bytes) -> Any:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # the second, more patient reader below decides
    try:
        # The standard library takes lone surrogates, which a cut text may end in.
        value = json.loads(text.decode("utf-8", "replace"))
        return decoder.decode(msgspec.json.encode(clean(value))) if isinstance(value, dict) else None
    except (ValueError, OverflowError, msgspec.MsgspecError, RecursionError):
        return None


_TICKS = re.compile(r"[a-z]+_([0-9a-f]{12})")
_WRAP = 1 << 48


def at_of(name: str, since: int) -> int:
    """Return when a message was made, by its id, in the client's ticks (4096 a millisecond); 0 if the id does not tell.

    An id holds the low 48 bits of the ticks, so ids begin again from zero every 795 days (as on 14 August 2026). `since`,
    the time of the session, says which round it is.
    """
    seen = _TICKS.match(name)
    if seen is None:
        return 0
    begin = max(0, since - 86_400_000) * 4096
    return begin + (int(seen[1], 16) - begin) % _WRAP
