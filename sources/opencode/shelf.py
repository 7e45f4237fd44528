"""Shelf: the sessions of one database, in handles, kept up to date with as few questions as possible.

As long as nothing was committed nothing is asked. Once something was, only the sessions to which rows were added and those
that changed last are asked about, so that a change costs the same however many sessions there are. A word in the row of
another session (a new title, an archiving) is looked for once a second while the store changes, and all sessions are asked
about now and then. The counterparts are `commits.py`, which knows whether anything happened, and `database.py`, which asks.
"""

import time
from itertools import islice

from ..contract import SessionHandle
from ..files import SETTLED_SECONDS
from ..text import PATH_LIMIT, tidy
from .commits import Commits
from .database import Database, Tops
from .facts import moment
from .reading import Seen
from .tree import NAME

HOT = 16
"""Sessions that changed last: rows of them may change in their place, which only asking about them shows."""

HOTTEST = 4
"""As many of them are asked about at once, the others when nothing was added, or with the rows of all sessions."""

MARGIN_MILLISECONDS = 5_000
"""Rows are written a little later than the times in them."""

ROWS_SECONDS = 1.0
"""At most this often the rows of all sessions are looked at."""

ROWS_SHARE = 50
"""Nor does that take more than this part of the time, however many there are."""

WHOLE_SECONDS = 30.0
"""At most this often all sessions are asked about, while the store keeps changing."""


class Shelf:
    """The sessions of one database, as they were when last looked at."""

    def __init__(self, path: str) -> None:
        self.database = Database(path)
        self.handles: dict[str, SessionHandle] = {}
        self._commits = Commits(path)
        self._commit = b""
        self._tops: Tops = (0, 0, 0)
        # The one that changed last is the last one.
        self._seen: dict[str, Seen] = {}
        self._shape = ""
        self._whole_at: float | None = None
        self._rows_at = 0.0
        self._rows_due = False

    def look(self) -> list[SessionHandle]:
        """Look at everything; returns the handles that changed. Raises SourceError if the store cannot be read now."""
        try:
            return self._look(self._commits.newest(), rows=True, whole=True)
        finally:
            self.database.expect(())

    def listen(self) -> list[SessionHandle]:
        """Look at what a change may concern that was just told of, see `look`; its sessions are expected to be read."""
        commit = self._commits.after(self._commit)
        changed = self._look(commit) if commit != self._commit or not commit else []
        self.database.expect(handle.id for handle in changed)
        return changed

    def pulse(self) -> list[SessionHandle]:
        """Look at what was told of and not found yet, see `listen`."""
        self.database.expect(())
        commit = self._commits.newest()
        rows = self._rows_due and time.monotonic() >= self._rows_at
        # Without an index no client is there, and whoever asked would make a log and an index of his own.
        if self._whole_at is None or not commit or not (rows or commit != self._commit):
            return []
        changed = self._look(commit, rows=rows)
        self.database.expect(handle.id for handle in changed)
        return changed

    def _look(self, commit: bytes, *, rows: bool = False, whole: bool = False) -> list[SessionHandle]:
        shape = self.database.shape()
        if shape == self._shape and shape and not (rows and self._rows_due):
            return []
        if not shape:
            self.handles, self._seen, self._shape, self._whole_at = {}, {}, "", None
            self._commit = b""
            return []
        now = time.monotonic()
        whole = self._whole_at is None or (whole and now - self._whole_at >= WHOLE_SECONDS)
        changed = self._look_at_all(now) if whole else self._look_at_some(now, rows=rows)
        # Written a moment ago, it may be written again within the same tick of its file system's clock.
        self._shape = shape if self._is_settled(shape) else ""
        self._commit = commit
        return changed

    def _look_at_some(self, now: float, *, rows: bool) -> list[SessionHandle]:
        hot = list(islice(reversed(self._seen), HOT))
        now_hot = hot if rows else hot[:HOTTEST]
        news = self.database.news(self._tops, now_hot, hot)
        if news is None or not {seen.session.id for seen in news[1]}.issuperset(now_hot):
            return self._look_at_all(now)  # too much is new, or one is gone
        tops, found = news
        changed = self._take(found)
        self._rows_due = not rows
        if rows:
            since = max((seen.session.updated for seen in self._seen.values()), default=0) - MARGIN_MILLISECONDS
            total, found = self.database.written(since)
            changed += self._take(found)
            took = time.monotonic() - now
            self._rows_at = now + max(ROWS_SECONDS, took * ROWS_SHARE)
            self._tops = tops
            if total != len(self._seen):
                changed += self._look_at_all(now)
        else:
            self._tops = tops
        return changed

    def _look_at_all(self, now: float) -> list[SessionHandle]:
        self._tops, found = self.database.everything()
        self._whole_at, self._rows_due = now, False
        here = {seen.session.id for seen in found}
        for name in [name for name in self._seen if name not in here]:
            del self._seen[name], self.handles[name]
        return self._take(sorted(found, key=lambda seen: seen.modified))

    def _take(self, found: list[Seen]) -> list[SessionHandle]:
        changed: list[SessionHandle] = []
        for seen in found:
            session = seen.session
            known = self._seen.get(session.id)
            if known is not None and known.stamp == seen.stamp:
                continue
            self._seen.pop(session.id, None)
            self._seen[session.id] = seen
            handle = self.handles[session.id] = SessionHandle(
                id=session.id,
                path=self.database.path,
                source=NAME,
                working_dir=tidy(session.directory, PATH_LIMIT),
                started_at=moment(session.created),
                modified_at=seen.modified / 1000,
                stamp=seen.stamp,
            )
            changed.append(handle)
        return changed

    def _is_settled(self, shape: str) -> bool:
        written = max(int(part.partition(".")[0], 16) for part in shape.split("+") if part)
        return time.time() - written / 1e9 > SETTLED_SECONDS
