"""An event goes out: what the board tells everybody who listens.

Events are JSON, so that any language with a ZeroMQ binding can attach. Each carries the whole last state, never a
difference, an `epoch` (random for each start of the supervisor) and sequence numbers, so that a subscriber notices what
it missed. The counterpart is `replica.py`, which turns events back into the board's state.
"""

from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from .session import HealthState, SessionState, origin

SCHEMA_VERSION = 1

HEARTBEAT_TOPIC = b"heartbeat"


class SessionEvent(Struct, frozen=True, kw_only=True, tag_field="kind", gc=False):
    """Something happened to a session. `seq` counts all events of this epoch, `source_seq` those of this source."""

    kind: ClassVar[str] = ""
    epoch: str
    seq: int
    source: str
    source_seq: int
    id: str
    version: int
    at: datetime
    session: SessionState
    host: str | UnsetType = UNSET
    v: int = SCHEMA_VERSION

    @property
    def origin(self) -> str:
        """The source, on the board of a fleet with its machine: the unit that `source_seq` counts."""
        return origin(self.source, self.host)


class Discovered(SessionEvent, frozen=True, kw_only=True, tag_field="kind", tag="discovered", gc=False):
    """A session was seen for the first time."""

    kind: ClassVar[str] = "discovered"


class Updated(SessionEvent, frozen=True, kw_only=True, tag_field="kind", tag="updated", gc=False):
    """A session moved."""

    kind: ClassVar[str] = "updated"


class Terminal(SessionEvent, frozen=True, kw_only=True, tag_field="kind", tag="terminal", gc=False):
    """A session ended; its `end_reason` says why."""

    kind: ClassVar[str] = "terminal"


class Stale(SessionEvent, frozen=True, kw_only=True, tag_field="kind", tag="stale", gc=False):
    """A session was silent for too long with no live evidence."""

    kind: ClassVar[str] = "stale"


class Resumed(SessionEvent, frozen=True, kw_only=True, tag_field="kind", tag="resumed", gc=False):
    """A session that had ended goes on."""

    kind: ClassVar[str] = "resumed"


class Removed(SessionEvent, frozen=True, kw_only=True, tag_field="kind", tag="removed", gc=False):
    """A session that had ended long ago left the board."""

    kind: ClassVar[str] = "removed"


class HealthChanged(Struct, frozen=True, kw_only=True, tag_field="kind", tag="health", gc=False):
    """A source's worker is doing better or worse."""

    kind: ClassVar[str] = "health"
    epoch: str
    seq: int
    source: str
    source_seq: int
    at: datetime
    health: HealthState
    host: str | UnsetType = UNSET
    v: int = SCHEMA_VERSION

    @property
    def origin(self) -> str:
        """The source, on the board of a fleet with its machine: the unit that `source_seq` counts."""
        return origin(self.source, self.host)


class Heartbeat(Struct, frozen=True, kw_only=True, tag_field="kind", tag="heartbeat"):
    """Each second and at each new subscription: the last sequence numbers, so that a lost last event is noticed."""

    kind: ClassVar[str] = "heartbeat"
    epoch: str
    seq: int
    source_seqs: dict[str, int]
    at: datetime
    v: int = SCHEMA_VERSION


class Snapshot(Struct, frozen=True, kw_only=True, tag_field="kind", tag="snapshot"):
    """The whole board as of one moment; what a subscriber yields when it has joined or found itself behind."""

    kind: ClassVar[str] = "snapshot"
    epoch: str
    seq: int
    source_seqs: dict[str, int]
    sessions: tuple[SessionState, ...]
    health: tuple[HealthState, ...]
    v: int = SCHEMA_VERSION


EventKind: TypeAlias = Literal["discovered", "updated", "terminal", "stale", "resumed", "removed"]

BoardEvent: TypeAlias = Discovered | Updated | Terminal | Stale | Resumed | Removed | HealthChanged
"""Everything that changes a board."""

Event: TypeAlias = BoardEvent | Heartbeat
"""Everything the PUB socket says."""

SESSION_EVENTS: dict[EventKind, type[Discovered | Updated | Terminal | Stale | Resumed | Removed]] = {
    "discovered": Discovered,
    "updated": Updated,
    "terminal": Terminal,
    "stale": Stale,
    "resumed": Resumed,
    "removed": Removed,
}


def session_event(
    kind: EventKind, session: SessionState, *, epoch: str, seq: int, source_seq: int, at: datetime
) -> Discovered | Updated | Terminal | Stale | Resumed | Removed:
    """Return the event that tells what became of a session."""
    return SESSION_EVENTS[kind](
        epoch=epoch,
        seq=seq,
        source=session.source,
        source_seq=source_seq,
        id=session.id,
        version=session.version,
        at=at,
        session=session,
        host=session.host,
    )


def topic_of(event: Event) -> bytes:
    """Return the topic under which an event goes out: `session.<source>.<id>`, `health.<source>` or `heartbeat`.

    On the board of a fleet <source> is `<source>@<host>`.
    """
    if isinstance(event, SessionEvent):
        return f"session.{event.origin}.{event.id}".encode()
    return f"health.{event.origin}".encode() if isinstance(event, HealthChanged) else HEARTBEAT_TOPIC
