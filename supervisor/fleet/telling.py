"""Telling: what an exporter tells of its board: the last record of each key, and each event, as private as asked for. Pure.

What the board says goes in, and nothing behind this file ever sees more than may be told. The counterparts are `export.py`,
which puts it in and keeps each event, and `entries.py`, which lets the records stand in the engine.
"""

from datetime import datetime

import msgspec
from msgspec import Struct, structs

from ...protocol import privacy
from ...protocol.event import BoardEvent, HealthChanged, Removed, Snapshot
from .keys import health_key, session_key
from .record import HealthRecord, Record, SessionRecord, encode

MOST_BYTES = 500 << 10
"""Of a record and of an event: an engine takes some more (`MOST_VALUE`). Past it a session is told without its subagents."""

HEALTH = "-"
"""Stands in the history where the session would, for what is said of a source."""

_EVENT = msgspec.json.Encoder()


class Piece(Struct, frozen=True, kw_only=True):
    """One event for the history: which key it changed, what makes it one of a kind, its path, and its bytes."""

    key: str
    once: str
    path: tuple[str, str, str, str]
    value: bytes


class Telling:
    """The records of one machine's board, `records`, by key; `epoch` and `seq` say as of when."""

    def __init__(self, host: str, level: privacy.Level) -> None:
        self.host = host
        self.level: privacy.Level = level
        self.records: dict[str, Record] = {}
        self.epoch = ""
        self.seq = 0

    def whole(self, board: Snapshot, at: datetime) -> None:
        """Take the whole board in place of what was known."""
        self.epoch, self.seq = board.epoch, board.seq
        records: dict[str, Record] = {}
        for session in board.sessions:
            records[session_key(self.host, session.source, session.id)] = SessionRecord(
                host=self.host,
                epoch=board.epoch,
                seq=board.seq,
                at=at,
                session=privacy.session(session, self.level),
            )
        for state in board.health:
            records[health_key(self.host, state.source)] = HealthRecord(
                host=self.host, epoch=board.epoch, seq=board.seq, at=at, health=privacy.health(state, self.level)
            )
        self.records = records

    def event(self, event: BoardEvent) -> Piece:
        """Take one change; returns what the history is told of it."""
        self.epoch, self.seq = event.epoch, max(self.seq, event.seq) if event.epoch == self.epoch else event.seq
        told: BoardEvent
        if isinstance(event, HealthChanged):
            key, name = health_key(self.host, event.source), HEALTH
            state = privacy.health(event.health, self.level)
            self.records[key] = HealthRecord(
                host=self.host, epoch=event.epoch, seq=event.seq, at=event.at, health=state
            )
            told = structs.replace(event, host=self.host, health=structs.replace(state, host=self.host))
        else:
            key, name = session_key(self.host, event.source, event.id), event.id
            session = privacy.session(event.session, self.level)
            if isinstance(event, Removed):
                self.records.pop(key, None)
            else:
                self.records[key] = SessionRecord(
                    host=self.host, epoch=event.epoch, seq=event.seq, at=event.at, session=session
                )
            told = structs.replace(event, host=self.host, session=structs.replace(session, host=self.host))
        return Piece(
            key=key,
            once=f"{self.host}/{event.epoch}/{event.seq}",
            path=(self.host, event.source, name, event.kind),
            value=_fitting(told),
        )


def written(record: Record) -> bytes:
    """Return a record as it is put: one that is too long without its subagents."""
    value = encode(record)
    if len(value) > MOST_BYTES and isinstance(record, SessionRecord):
        return encode(structs.replace(record, session=structs.replace(record.session, subagents=())))
    return value


def _fitting(event: BoardEvent) -> bytes:
    value = _EVENT.encode(event)
    if len(value) > MOST_BYTES and not isinstance(event, HealthChanged):
        return _EVENT.encode(structs.replace(event, session=structs.replace(event.session, subagents=())))
    return value
