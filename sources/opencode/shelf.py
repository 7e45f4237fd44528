"""Shelf: the sessions of one database, in handles, kept up to date with as few questions as possible.

As long as the store's files look the same nothing is asked. Once they changed, only the sessions that were written lately
are asked about, because the client touches a session's own row with each prompt; all of them are asked about now and then,
and whenever one came or went. The counterpart is `database.py`, which asks.
"""

import time

from ..contract import SessionHandle
from ..files import SETTLED_SECONDS
from ..text import PATH_LIMIT, tidy
from .database import Database, Seen
from .facts import moment
from .tree import NAME

HOT_MILLISECONDS = 3_600_000
"""A session in which something happened this shortly before the newest change may change without its own row."""

MARGIN_MILLISECONDS = 5_000
"""Rows are written a little later than the times in them."""

WHOLE_SECONDS = 30.0
"""At most this often all sessions are asked about, while the store keeps changing."""


class Shelf:
    """The sessions of one database, as they were when last looked at."""

    def __init__(self, path: str) -> None:
        self.database = Database(path)
        self.handles: dict[str, SessionHandle] = {}
        self._seen: dict[str, Seen] = {}
        self._shape = ""
        self._whole_at: float | None = None

    def look(self, *, whole: bool) -> list[SessionHandle]:
        """Look again; returns the handles that changed. Raises SourceError if the store cannot be read now."""
        shape = self.database.shape()
        if shape == self._shape and shape:
            return []
        if not shape:
            self.handles, self._seen, self._shape, self._whole_at = {}, {}, "", None
            return []
        now = time.monotonic()
        if self._whole_at is None or (whole and now - self._whole_at >= WHOLE_SECONDS):
            changed = self._look_at_all(now)
        else:
            newest = max((seen.modified for seen in self._seen.values()), default=0)
            hot = [name for name, seen in self._seen.items() if newest - seen.modified <= HOT_MILLISECONDS]
            since = max((seen.session.updated for seen in self._seen.values()), default=0) - MARGIN_MILLISECONDS
            total, found = self.database.glance(since, hot)
            changed = self._take(found)
            if total != len(self._seen):
                changed += self._look_at_all(now)
        # Written a moment ago, it may be written again within the same tick of its file system's clock.
        self._shape = shape if self._is_settled(shape) else ""
        return changed

    def _look_at_all(self, now: float) -> list[SessionHandle]:
        _, found = self.database.glance()
        self._whole_at = now
        here = {seen.session.id for seen in found}
        for name in [name for name in self._seen if name not in here]:
            del self._seen[name], self.handles[name]
        return self._take(found)

    def _take(self, found: list[Seen]) -> list[SessionHandle]:
        changed: list[SessionHandle] = []
        for seen in found:
            session = seen.session
            known = self._seen.get(session.id)
            if known is not None and known.stamp == seen.stamp:
                continue
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
