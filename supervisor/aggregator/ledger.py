"""Ledger: each cursor step counts exactly once.

A worker says "from the cursor whose hash is `before` to the cursor `after`"; the step is applied only if `before` is what
is stored. That compare-and-swap is what keeps every number exact through crashes, repeats, losses and zombies: anything
weaker was measured to over-count. Cursors are compared by equality only, never looked into. The counterpart on the
worker's side is `workers/outbox.py`.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from ...protocol.cursor import digest
from ...protocol.update import Update

HandleKey: TypeAlias = tuple[str, str]
"""(source, handle id)."""


class Entry(Struct, frozen=True, gc=False):
    """What is stored for one handle: its cursor, the cursor's digest, and the session it belongs to.

    `inc` and `seq` name the update that was taken last; they are not stored, because a restart changes the incarnation.
    """

    session_id: str
    cursor: str
    digest: str
    inc: int = 0
    seq: int = 0


UNKNOWN = Entry("", "", "")
"""What is known of a handle nobody has spoken of: its cursor is the beginning."""


class Verdict(Struct, frozen=True, gc=False):
    """What becomes of an update. `have` is the stored cursor, for a worker that has to go back to it.

    `duplicate`: this very number was taken already. `reached`: another step has led to where this one ends, so that only its
    number is to be noted: cursors may come back to where they were (a process that goes and returns), and then an older
    step that is said again must not apply once more.
    """

    kind: Literal["apply", "duplicate", "reached", "stale", "fenced"]
    have: str = ""


class Ledger:
    """Stored cursors by handle, and the incarnation of each source whose word counts."""

    def __init__(self) -> None:
        self._entries: dict[HandleKey, Entry] = {}
        self._current: dict[str, int] = {}

    def load(self, source: str, handle: str, session_id: str, cursor: str) -> None:
        """Take over what a store holds."""
        self._entries[source, handle] = Entry(session_id, cursor, digest(cursor))

    def admit(self, source: str, inc: int) -> None:
        """From now on only this incarnation's updates count."""
        self._current[source] = inc

    def current(self, source: str) -> int | None:
        """Return the incarnation whose word counts."""
        return self._current.get(source)

    def cursors(self, source: str) -> dict[str, str]:
        """Return the stored cursors of one source by handle: what its next incarnation goes on from."""
        return {handle: entry.cursor for (name, handle), entry in self._entries.items() if name == source}

    def part(self, source: str) -> None:
        """Forget all of a source; it comes back with `load`."""
        self._entries = {key: entry for key, entry in self._entries.items() if key[0] != source}

    def entries(self) -> dict[HandleKey, Entry]:
        """Return all that is to be stored."""
        return dict(self._entries)

    def handles(self, source: str, session_id: str) -> list[HandleKey]:
        """Return the handles whose steps were counted for one session."""
        return [key for key, each in self._entries.items() if key[0] == source and each.session_id == session_id]

    def forget(self, handles: list[HandleKey]) -> None:
        """Know nothing of these handles any more: whoever speaks of one begins at its beginning."""
        for key in handles:
            self._entries.pop(key, None)

    def judge(self, source: str, update: Update, staged: dict[HandleKey, Entry]) -> Verdict:
        """Decide about one update, with `staged` as what this transaction has changed already."""
        if update.inc != self._current.get(source):
            return Verdict("fenced")
        entry = self._known((source, update.handle), staged)
        if update.inc == entry.inc and update.seq <= entry.seq:
            return Verdict("duplicate", entry.cursor)
        if update.after == entry.cursor:
            return Verdict("reached", entry.cursor)
        if update.before == entry.digest:
            return Verdict("apply", entry.cursor)
        return Verdict("stale", entry.cursor)

    def entry(self, source: str, update: Update, staged: dict[HandleKey, Entry]) -> Entry:
        """Return the entry that taking `update` makes."""
        facts = update.facts
        session_id = self._known((source, update.handle), staged).session_id if facts is None else facts.session_id
        return Entry(session_id, update.after, digest(update.after), update.inc, update.seq)

    def _known(self, key: HandleKey, staged: dict[HandleKey, Entry]) -> Entry:
        """Return what is known of a handle, with what this transaction has changed already."""
        return staged.get(key) or self._entries.get(key, UNKNOWN)

    def adopt(self, staged: dict[HandleKey, Entry]) -> None:
        """Take over what a committed transaction changed."""
        self._entries.update(staged)
