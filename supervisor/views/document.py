"""Document: the board as one JSON value for programs; the public contract of `--json`."""

import msgspec

from ...protocol.event import SCHEMA_VERSION, Snapshot
from ...protocol.session import HealthState, SessionState


class SessionsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `bellboard sessions --json` prints."""

    schema_version: int
    epoch: str
    seq: int
    sessions: tuple[SessionState, ...]
    health: tuple[HealthState, ...]


class HealthDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `bellboard health --json` prints."""

    schema_version: int
    epoch: str
    health: tuple[HealthState, ...]


def sessions_json(snapshot: Snapshot) -> str:
    """Return the sessions document of a picture, indented for people who read it all the same."""
    document = SessionsDocument(
        schema_version=SCHEMA_VERSION,
        epoch=snapshot.epoch,
        seq=snapshot.seq,
        sessions=snapshot.sessions,
        health=snapshot.health,
    )
    return _text(document)


def health_json(snapshot: Snapshot) -> str:
    """Return the health document of a picture."""
    return _text(HealthDocument(schema_version=SCHEMA_VERSION, epoch=snapshot.epoch, health=snapshot.health))


def _text(document: msgspec.Struct) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode("utf-8")
