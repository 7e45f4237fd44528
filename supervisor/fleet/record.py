"""Record: what stands in the fleet's bucket under one key, and which of two is newer. Pure.

The value of a key is the whole last state with its durable `version`, and where it was heard: `epoch` is that of the board,
`seq` its number there. Whoever writes compares first: older never overwrites newer. The counterparts are `entries.py`, which
writes, and `roll.py`, which makes a board of them.
"""

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from ...protocol.session import HealthState, SessionState, Time

RECORD_VERSION = 1


class SessionRecord(Struct, frozen=True, kw_only=True, tag_field="kind", tag="session", gc=False):
    """One session of one machine; `at` is when its board said so."""

    host: str
    epoch: str
    seq: int
    at: Time
    session: SessionState
    v: int = RECORD_VERSION


class HealthRecord(Struct, frozen=True, kw_only=True, tag_field="kind", tag="health", gc=False):
    """One source of one machine; `at` is when its board said so."""

    host: str
    epoch: str
    seq: int
    at: Time
    health: HealthState
    v: int = RECORD_VERSION


Record: TypeAlias = SessionRecord | HealthRecord

Order: TypeAlias = Literal["newer", "same", "older", "unlike"]
"""How one record stands to another. `unlike`: they are of two lives of a board, whose numbers say nothing of each other."""


class Presence(Struct, frozen=True, kw_only=True, gc=False):
    """A machine's sign of life, kept by the engine for some seconds only, and the right to write for the machine.

    `exporter` is random for each start of one: two that write for the same machine by mistake tell each other apart.
    `heard` is whether the machine's board is heard by its exporter, since `since`; `lost` counts what of the history was
    given up because the outbox was full.
    """

    host: str
    exporter: str
    bellboard: str
    privacy: str
    at: Time
    since: Time
    heard: bool = True
    lost: int = 0
    v: int = RECORD_VERSION


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What bytes of others can raise: the last one, what is nested without end."""

_ENCODER = msgspec.json.Encoder()
_RECORD = msgspec.json.Decoder(Record)
_PRESENCE = msgspec.json.Decoder(Presence)


def encode(what: Record | Presence) -> bytes:
    """Return a record or a presence as JSON."""
    return _ENCODER.encode(what)


def decode(data: bytes) -> Record | None:
    """Return the record that bytes stand for, None if they do not: somebody else's, or of a release to come."""
    try:
        found = _RECORD.decode(data)
    except UNREADABLE:
        return None
    return found if found.v == RECORD_VERSION else None


def decode_presence(data: bytes) -> Presence | None:
    """Return the presence that bytes stand for, None if they do not."""
    try:
        found = _PRESENCE.decode(data)
    except UNREADABLE:
        return None
    return found if found.v == RECORD_VERSION else None


def order(one: Record, other: Record) -> Order:
    """Say how `one` stands to `other`, which is kept under the same key.

    A session's version is durable: it goes on through restarts of the board, unless its stored knowledge was lost. So it
    decides as long as both are of the same epoch, or the later epoch has counted on; anything else is `unlike`.
    """
    if isinstance(one, SessionRecord) and isinstance(other, SessionRecord):
        if one.session == other.session:
            return "same"
        if one.session.version != other.session.version:
            if one.epoch == other.epoch:
                return "newer" if one.session.version > other.session.version else "older"
            return "unlike" if one.session.version < other.session.version else "newer"
        return _by_number(one, other)
    if isinstance(one, HealthRecord) and isinstance(other, HealthRecord):
        if one.health == other.health:
            return "same"
        return _by_number(one, other)
    return "unlike"


def _by_number(one: Record, other: Record) -> Order:
    """Compare two that differ. With the same number they were told differently: at another privacy level."""
    if one.epoch != other.epoch or one.seq == other.seq:
        return "unlike"
    return "newer" if one.seq > other.seq else "older"
