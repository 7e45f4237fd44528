"""What engines tell in tests of a fleet's viewer: records and signs of life as entries, and the time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bellboard.protocol.session import HealthState, SessionState
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.fleet.engine import Entry
from bellboard.supervisor.fleet.keys import health_key, session_key, token
from bellboard.supervisor.fleet.record import HealthRecord, Presence, SessionRecord, encode

START = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)


def now(seconds: float = 0.0) -> Moment:
    """So many seconds after the start."""
    return Moment(START + timedelta(seconds=seconds), 1000.0 + seconds)


def session_record(host: str, name: str, *, source: str = "claude", **facts: Any) -> SessionRecord:
    """What a machine says of a session."""
    base: dict[str, Any] = {"version": 1}
    state = SessionState(id=name, source=source, **{**base, **facts})
    return SessionRecord(host=host, epoch="e", seq=state.version, at=START, session=state)


def health_record(host: str, *, source: str = "claude", **facts: Any) -> HealthRecord:
    """What a machine says of a source."""
    base: dict[str, Any] = {"pid": 41, "settled": True, "updated_at": START}
    state = HealthState(source=source, **{**base, **facts})
    return HealthRecord(host=host, epoch="e", seq=1, at=START, health=state)


def presence(host: str, **facts: Any) -> Presence:
    """A machine's sign of life."""
    base: dict[str, Any] = {"exporter": "x", "bellboard": "0", "privacy": "names", "at": START, "since": START}
    return Presence(host=host, **{**base, **facts})


def entry(what: SessionRecord | HealthRecord | Presence, seconds: float = 0.0, revision: int = 1) -> Entry:
    """The same as it stands in an engine, written so many seconds after the start."""
    return Entry(key=key(what), revision=revision, value=encode(what), at=now(seconds).wall)


def dropped(what: SessionRecord | HealthRecord | Presence, seconds: float = 0.0) -> Entry:
    """That it was taken away."""
    return Entry(key=key(what), revision=9, value=None, at=now(seconds).wall)


def key(what: SessionRecord | HealthRecord | Presence) -> str:
    """Where it stands."""
    if isinstance(what, SessionRecord):
        return session_key(what.host, what.session.source, what.session.id)
    return health_key(what.host, what.health.source) if isinstance(what, HealthRecord) else token(what.host)
