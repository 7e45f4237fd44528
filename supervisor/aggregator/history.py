"""History: what each session did in the last hour. The counterpart for those who ask is `protocol/history.py`.

Pure: states and the time go in, marks come out. Of what follows within ten seconds only the last is kept, unless somebody
waited for a person: so an hour fits into a bounded number of marks however busy a session is, and their sum has a bound.
"""

from datetime import datetime, timedelta
from itertools import islice

from msgspec import structs

from ...protocol.history import KEPT_MINUTES, History, Mark, Pulse, by_minute, mark_of
from ...protocol.session import NEEDS_YOU, SessionState

MOST_MARKS = 400
"""Of one session."""

MOST_ALL = 50_000
"""Of all sessions together, some 10 MB: beyond that, whatever has been quiet for longest is forgotten."""

JOIN = timedelta(seconds=10)
KEPT = timedelta(minutes=KEPT_MINUTES)

LATE = timedelta(minutes=1)
"""What is so much older than now was not just done, but just read."""

Key = tuple[str, str]
"""(source, session id)."""


class Histories:
    """The last hour of all sessions in which something happened; one that has only been seen costs nothing."""

    def __init__(self) -> None:
        self._marks: dict[Key, list[Mark]] = {}
        self._all = 0

    def note(self, before: SessionState, state: SessionState, now: datetime) -> None:
        """Take note of what a session was and what it has become."""
        key = state.origin, state.id
        # Taken out and put back at the end: the first one is the one that has been quiet for longest.
        marks = self._marks.pop(key, None)
        if marks is None:
            marks = [mark_of(before, min(now, before.last_activity_at or now))]
            self._all += 1
        self._marks[key] = marks
        last = marks[-1]
        mark = mark_of(state, last.at)
        if mark == last:
            return
        at = max(_happened(before, state, now), last.at)
        waits = last.waiting_for in NEEDS_YOU or mark.waiting_for in NEEDS_YOU
        # The first mark stays as it is: it says what was there before.
        if len(marks) > 1 and at - last.at < JOIN and not waits:
            marks[-1] = mark
            return
        marks.append(structs.replace(mark, at=at))
        self._all += 1
        self._shorten(marks, now)

    def _shorten(self, marks: list[Mark], now: datetime) -> None:
        """Let go what is older than an hour or too much, of one session and of all."""
        before = len(marks)
        while len(marks) > 1 and (marks[1].at <= now - KEPT or len(marks) > MOST_MARKS):
            del marks[0]
        self._all -= before - len(marks)
        while self._all > MOST_ALL:
            self.forget(next(iter(self._marks)))

    def forget(self, key: Key) -> None:
        """Know nothing of a session any more."""
        self._all -= len(self._marks.pop(key, ()))

    def history(self, source: str, name: str, now: datetime) -> History | None:
        """Return what one session did, None if nothing happened to it."""
        marks = self._recent((source, name), now)
        return History(source=source, id=name, marks=tuple(marks)) if marks else None

    def pulses(
        self, sources: tuple[str, ...] | None, after: int, most: int, now: datetime
    ) -> tuple[list[Pulse], int | None]:
        """Return how busy sessions were, at most `most` looked at behind the first `after`, and where to go on."""
        keys = list(islice(self._marks, after, after + most))
        found: list[Pulse] = []
        for key in keys:
            if sources is not None and key[0] not in sources:
                continue
            counts = by_minute(self._recent(key, now), now)
            if any(counts):
                found.append(Pulse(source=key[0], id=key[1], counts=counts))
        return found, after + most if after + most < len(self._marks) else None

    def _recent(self, key: Key, now: datetime) -> list[Mark]:
        """Return a session's marks of the last hour, and before them how the hour began."""
        marks = self._marks.get(key)
        if marks is None:
            return []
        since = now - KEPT
        first = max(0, sum(mark.at <= since for mark in marks) - 1)
        return [structs.replace(marks[first], at=max(marks[first].at, since)), *marks[first + 1 :]]


def _happened(before: SessionState, state: SessionState, now: datetime) -> datetime:
    """Return when a change happened: now, unless it was read late, as when a long file is read for the first time."""
    last = state.last_activity_at
    grown = state.message_count + state.tool_call_count > before.message_count + before.tool_call_count
    if not grown or last is None or last == before.last_activity_at or now - last < LATE:
        return now
    return last
