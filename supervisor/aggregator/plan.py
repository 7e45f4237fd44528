"""Plan: what the aggregator has decided and nobody has done yet: what to store, to publish and to answer.

The counterpart is `intake.py`, which performs it: stored first, then taken into memory, published, answered.
"""

from msgspec import Struct, field

from ...protocol.event import BoardEvent
from ...protocol.order import Downward
from .ledger import Entry, HandleKey
from .tracked import SessionKey, Tracked


class Plan(Struct, kw_only=True):
    """What is to be stored and published. `answers` has one answer for each update, in order."""

    entries: dict[HandleKey, Entry] = field(default_factory=dict)
    sessions: dict[SessionKey, Tracked] = field(default_factory=dict)
    forgotten: list[SessionKey] = field(default_factory=list)
    events: list[BoardEvent] = field(default_factory=list)
    answers: list[Downward] = field(default_factory=list)
    unknown_records: dict[str, int] = field(default_factory=dict)
    unknown_clients: dict[str, str] = field(default_factory=dict)
    seq: int = 0
    source_seqs: dict[str, int] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether there is anything to store."""
        return bool(self.entries or self.sessions or self.forgotten)

    def number(self, source: str) -> tuple[int, int]:
        """Return the sequence numbers of the next event: of all events, and of those of its source."""
        self.seq += 1
        self.source_seqs[source] = self.source_seqs.get(source, 0) + 1
        return self.seq, self.source_seqs[source]
