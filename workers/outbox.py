"""Outbox: updates on their way to the board, and the credit that bounds them.

Pure. An update stays here until the board has stored it; what is not acknowledged is said again, which costs nothing
because the board applies each cursor step once. The counterpart is `supervisor/aggregator/ledger.py`.
"""

from msgspec import Struct

from ..protocol.codec import UPWARD, DecodeFault
from ..protocol.cursor import digest
from ..protocol.update import Update
from .round import Parsed

RESEND_SECONDS = 5.0


class Waiting(Struct, gc=False):
    """An update that the board has not yet stored: which session's, as bytes, and when to say it (monotonic seconds)."""

    handle: str
    data: bytes
    due: float = 0.0


class Outbox:
    """Unacknowledged updates of one incarnation, by their number, oldest first."""

    def __init__(self, inc: int, credit: int) -> None:
        self._inc = inc
        self._credit = credit
        self._seq = 0
        self._waiting: dict[int, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def free(self) -> int:
        """How many more updates may go out now."""
        return self._credit - len(self._waiting)

    def put(self, parsed: Parsed) -> DecodeFault | None:
        """Number an update and keep it until it is acknowledged; it is due at once.

        What the board could not read is not kept; returned is what is wrong with it.
        """
        update = Update(
            inc=self._inc,
            seq=self._seq + 1,
            handle=parsed.handle.id,
            before=digest(parsed.before),
            after=parsed.after,
            facts=parsed.facts,
            modified_at=parsed.handle.modified_at,
            live=parsed.handle.live,
        )
        data = UPWARD.encode(update)
        understood = UPWARD.decode(data)
        if isinstance(understood, DecodeFault):
            return understood
        self._seq += 1
        self._waiting[self._seq] = Waiting(update.handle, data)
        return None

    def due(self, now: float) -> list[bytes]:
        """Return what is to be said now, oldest first; without an answer it is due again in five seconds."""
        ready = [each for each in self._waiting.values() if each.due <= now]
        for each in ready:
            each.due = now + RESEND_SECONDS
        return [each.data for each in ready]

    def ack(self, *seqs: int) -> None:
        """Forget updates that the board has stored; a number that is not known is an old answer."""
        for seq in seqs:
            self._waiting.pop(seq, None)

    def drop(self, seq: int) -> str | None:
        """Forget a refused update and all later ones of its session; returns the session's handle if it was known."""
        refused = self._waiting.get(seq)
        if refused is None:
            return None
        self._waiting = {each: kept for each, kept in self._waiting.items() if kept.handle != refused.handle}
        return refused.handle
