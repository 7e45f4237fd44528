"""Document: what programs get as one JSON value; the public contract of `--json`. `schema.py` describes it."""

from typing import Any, Literal, TypeAlias

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


Verdict: TypeAlias = Literal["ok", "note", "problem"]
"""What `doctor` thinks of a thing: as it should be; worth knowing, and nothing has to be done; to be mended."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that `doctor` looked at. `about` is a source, or a part of the board; `mend` is what helps."""

    about: str
    what: str
    verdict: Verdict
    text: str
    mend: str | None = None


class DoctorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `bellboard doctor --json` prints."""

    schema_version: int
    version: str
    problems: int
    findings: tuple[Finding, ...]


Origin: TypeAlias = Literal["default", "file", "environment", "flag"]
"""Who set a value."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as it is in force. `value` and `default` are as they would be written into the file, null: not set."""

    key: str
    value: Any
    default: Any
    origin: Origin
    unit: str
    about: str


class ConfigDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `bellboard config show --json` prints. `file` is the file that was read, null if there is none."""

    schema_version: int
    file: str | None
    settings: tuple[Setting, ...]


def sessions_json(snapshot: Snapshot) -> str:
    """Return the sessions document of a picture, indented for people who read it all the same."""
    document = SessionsDocument(
        schema_version=SCHEMA_VERSION,
        epoch=snapshot.epoch,
        seq=snapshot.seq,
        sessions=snapshot.sessions,
        health=snapshot.health,
    )
    return pretty(document)


def health_json(snapshot: Snapshot) -> str:
    """Return the health document of a picture."""
    return pretty(HealthDocument(schema_version=SCHEMA_VERSION, epoch=snapshot.epoch, health=snapshot.health))


def pretty(document: Any) -> str:
    """Return a document as text."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode("utf-8")
