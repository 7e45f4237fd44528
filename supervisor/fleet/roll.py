"""Roll: what all machines said last, as one board. Pure: what an engine tells and the time go in, events come out.

Its counterpart is `entries.py`, which writes what is read here; `relay.py` is the shell. An event follows from comparing
what stands now with what stood before, so it does not matter whether a change was heard, or found when the engine was back.
A machine that is not heard keeps its sessions as they were said last; of its sources it is said that they are offline.
"""

from datetime import datetime

from msgspec import structs

from ...protocol.event import BoardEvent, EventKind, HealthChanged, Heartbeat, Snapshot, session_event
from ...protocol.history import History, still
from ...protocol.replica import Key
from ...protocol.session import HealthState, SessionState, origin
from ..aggregator.history import Histories
from ..clock import Moment
from .engine import Entry
from .keys import health_key, session_key, sound, token
from .machine import Absence, Machine
from .record import HealthRecord, Record, SessionRecord, decode, decode_presence


class Roll:
    """The board of a fleet, of which each machine is one part."""

    def __init__(self, epoch: str) -> None:
        self.seq = 0
        self.source_seqs: dict[str, int] = {}
        self.sessions: dict[Key, SessionState] = {}
        self.health: dict[str, HealthState] = {}
        self.histories = Histories()
        self.odd: set[str] = set()
        """Keys under which stands what is no record of ours, or none of this release: it is left out."""
        self._epoch, self._epochs = epoch, 0
        self._records: dict[str, Record] = {}
        self._machines: dict[str, Machine] = {}
        self._hosts: dict[str, str] = {}
        self._absent: dict[str, Absence] = {}
        self._unseen: set[str] = set()
        self._unmet: set[str] = set()
        self._catching_up = True

    @property
    def epoch(self) -> str:
        """Stands for a line of events without a gap."""
        return f"{self._epoch}-{self._epochs}"

    def begin(self) -> None:
        """All that stands is told anew: what is not told until `whole` is gone."""
        self.odd.clear()
        self._unseen, self._unmet = set(self._records), set(self._hosts)
        self._catching_up = True

    def whole(self, now: Moment) -> list[BoardEvent]:
        """All that stands, in both buckets, has been told; from now on there are only changes."""
        self._catching_up = False
        events = [event for key in sorted(self._unseen) for event in self._part(key, now.wall)]
        for key in self._unmet:
            self._machines[self._hosts[key]].expire()
        self._unseen, self._unmet = set(), set()
        return [*events, *self.tick(now)]

    def take(self, entry: Entry, now: Moment) -> list[BoardEvent]:
        """Take what stands, or stands no more, under a key of the bucket `state`."""
        self._unseen.discard(entry.key)
        record = None if entry.value is None else decode(entry.value)
        if record is not None and not _at_home(record, entry.key):
            record = None
        (self.odd.add if record is None and entry.value is not None else self.odd.discard)(entry.key)
        known = record or self._records.get(entry.key)
        if known is None:
            return []
        machine = self._machines.setdefault(known.host, Machine())
        machine.say(entry.at)
        if not self._catching_up:
            machine.stir(now)
        if record is None:
            return self._part(entry.key, entry.at)
        self._records[entry.key] = record
        if isinstance(record, SessionRecord):
            return self._session(record, now)
        return self._health(record.host, record.health.source, record.at, self._absent.get(record.host))

    def meet(self, entry: Entry, now: Moment) -> list[BoardEvent]:
        """Take a sign of life, or the end of one, from the bucket `hosts`."""
        self._unmet.discard(entry.key)
        if entry.value is None:
            self.odd.discard(entry.key)
            if (host := self._hosts.get(entry.key)) is None:
                return []
            self._machines[host].leave(entry.at)
        else:
            presence = decode_presence(entry.value)
            if presence is None or token(presence.host) != entry.key or not sound(presence.host):
                self.odd.add(entry.key)
                return []
            self.odd.discard(entry.key)
            host = self._hosts[entry.key] = presence.host
            self._machines.setdefault(host, Machine()).meet(presence, entry, now)
        return [] if self._catching_up else self._judge(host, now)

    def tick(self, now: Moment) -> list[BoardEvent]:
        """Tell of machines that the mere passing of time has made silent."""
        return [event for host in self._machines for event in self._judge(host, now)]

    def snapshot(self) -> Snapshot:
        """Return the board as it is now."""
        return Snapshot(
            epoch=self.epoch,
            seq=self.seq,
            source_seqs=dict(self.source_seqs),
            sessions=tuple(self.sessions.values()),
            health=tuple(sorted(self.health.values(), key=lambda state: (str(state.host), state.source))),
        )

    def heartbeat(self, now: Moment) -> Heartbeat:
        """Return the sequence numbers as of now."""
        return Heartbeat(epoch=self.epoch, seq=self.seq, source_seqs=dict(self.source_seqs), at=now.wall)

    def history(self, source: str, name: str, now: datetime) -> History:
        """Return what a session did in the last hour, as far as it was heard here; empty if it is not on the board."""
        state = self.sessions.get((source, name))
        if state is None:
            return History(source=source, id=name)
        return self.histories.history(source, name, now) or still(state, now)

    def _session(self, record: SessionRecord, now: Moment) -> list[BoardEvent]:
        after = structs.replace(record.session, host=record.host)
        key = after.origin, after.id
        before = self.sessions.get(key)
        if after == before:
            return []
        self.sessions[key] = after
        if before is not None:
            self.histories.note(before, after, now.wall)
        return [self._event(_kind(before, after), after, record.at)]

    def _health(self, host: str, source: str, at: datetime, absence: Absence | None) -> list[BoardEvent]:
        """Tell how a source is doing: what it said last, if its machine is heard."""
        record = self._records.get(health_key(host, source))
        if not isinstance(record, HealthRecord):
            return []
        state = structs.replace(record.health, host=host)
        if absence is not None:
            # What runs there, and what it takes, is not known any more.
            state = structs.replace(
                state,
                status="offline",
                reason=absence.reason,
                updated_at=absence.since,
                pid=None,
                rss_bytes=None,
                cpu_percent=None,
                lag_seconds=None,
            )
        if state == self.health.get(state.origin):
            return []
        self.health[state.origin] = state
        seq, source_seq = self._number(state.origin)
        return [
            HealthChanged(
                epoch=self.epoch, seq=seq, source=source, source_seq=source_seq, at=at, health=state, host=host
            )
        ]

    def _judge(self, host: str, now: Moment) -> list[BoardEvent]:
        """Tell of all sources of a machine that it is heard no more, or again."""
        absence = self._machines[host].absence(now)
        if absence == self._absent.get(host):
            return []
        if absence is None:
            del self._absent[host]
        else:
            self._absent[host] = absence
        sources = sorted(state.source for state in self.health.values() if state.host == host)
        return [event for source in sources for event in self._health(host, source, now.wall, absence)]

    def _part(self, key: str, at: datetime) -> list[BoardEvent]:
        """Let what a key stood for leave the board. No event tells that of health: another epoch makes all look anew."""
        self.odd.discard(key)
        record = self._records.pop(key, None)
        if isinstance(record, HealthRecord):
            self._epochs += 1
            del self.health[origin(record.health.source, record.host)]
            return []
        if record is None:
            return []
        state = self.sessions.pop((origin(record.session.source, record.host), record.session.id))
        self.histories.forget((state.origin, state.id))
        return [self._event("removed", state, at)]

    def _event(self, kind: EventKind, state: SessionState, at: datetime) -> BoardEvent:
        seq, source_seq = self._number(state.origin)
        return session_event(kind, state, epoch=self.epoch, seq=seq, source_seq=source_seq, at=at)

    def _number(self, of: str) -> tuple[int, int]:
        self.seq += 1
        self.source_seqs[of] = self.source_seqs.get(of, 0) + 1
        return self.seq, self.source_seqs[of]


def _kind(before: SessionState | None, after: SessionState) -> EventKind:
    if before is None:
        return "discovered"
    if before.lifecycle == after.lifecycle:
        return "updated"
    if after.lifecycle == "active":
        return "resumed"
    return "stale" if after.end_reason == "stale" else "terminal"


def _at_home(record: Record, key: str) -> bool:
    """Whether a record stands where its machine writes it: one machine must not speak for another.

    What a source is called is shown and asked for as it is, unlike all that people and agents write.
    """
    source = record.session.source if isinstance(record, SessionRecord) else record.health.source
    if not (sound(record.host) and sound(source)):
        return False
    if isinstance(record, SessionRecord):
        return key == session_key(record.host, source, record.session.id)
    return key == health_key(record.host, source)
