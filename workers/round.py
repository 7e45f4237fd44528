"""Round: what a worker has to parse next, and what came of it.

It touches the world only through the Source it was given; failures become values. Fresh sessions come first, and a large
file takes its turn with the others piece by piece, so that nobody waits for it. The counterpart is `outbox.py`, which
carries the results to the board.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from ..protocol.cursor import digest
from ..protocol.recorder import Note, Recorder, unread
from ..protocol.update import Fault, SourceUpdate
from ..sources.contract import CURSOR_LIMIT, Cursor, SessionHandle, Source
from ..sources.errors import CursorTooLarge, SourceError, SourceUnavailable
from .faults import describe, of_discover, of_handle, sayable


class Parsed(Struct, frozen=True, gc=False):
    """One step of one session: from one cursor to the next, with what was found on the way."""

    handle: SessionHandle
    before: Cursor
    after: Cursor
    facts: SourceUpdate | None


class Round:
    """The worker's knowledge of its sessions: cursors, what is queued, which of them fail, and how many stay asleep."""

    def __init__(self, source: Source, *, since: float | None = None, recorder: Recorder | None = None) -> None:
        self.failing: set[str] = set()
        self.discover_failures = 0
        self.left_out = 0
        self.steps = 0
        self._source = source
        self._recorder = recorder or unread()
        self._since = since
        self._cursors: dict[str, Cursor] = {}
        self._still: dict[str, SessionHandle] = {}
        self._quarantined: dict[str, str] = {}
        self._suspects: set[str] = set()
        self._changed: list[str] = []
        self._handles: dict[str, SessionHandle] = {}
        self._ahead: list[SessionHandle] | Exception | None = None
        self._queue: deque[str] = deque()
        self._queued: set[str] = set()

    @property
    def backlog(self) -> int:
        """How many sessions are queued."""
        return len(self._queue)

    def grant(
        self, cursors: Mapping[str, Cursor], quarantined: Mapping[str, str], suspects: Iterable[str] = ()
    ) -> None:
        """Take over what the board has stored: cursors, which handles to leave alone, and which to parse last."""
        self._cursors.update(cursors)
        self._quarantined.update(quarantined)
        self._suspects.update(suspects)

    def release(self, handle: str) -> None:
        """Leave a handle alone no more."""
        if self._quarantined.pop(handle, None) is None:
            return
        self._suspects.add(handle)
        for name in [name for name in self._handles if sayable(name) == handle]:
            self.queue(name)

    def changed(self) -> list[str]:
        """Return the handles that are left alone and whose files have changed, each change once."""
        found, self._changed = self._changed, []
        return found

    def look_ahead(self) -> None:
        """Ask the source for all its sessions while the grant is on its way; the next `discover` goes on from there."""
        self._recorder.note(Note("discover"))
        try:
            self._ahead = list(self._source.discover())
        except Exception as error:  # noqa: BLE001 - whatever it is, `discover` meets it and says it
            self._ahead = error
        finally:
            self._recorder.rest()

    def discover(self, now: float) -> Fault | None:
        """Ask the source for all its sessions and queue them; `now` is epoch seconds. Raises SourceUnavailable."""
        fault = self.ask(self._listed, now, everything=True)
        self.discover_failures = 0 if fault is None else self.discover_failures + 1
        return fault

    def _listed(self) -> Iterable[SessionHandle]:
        ahead, self._ahead = self._ahead, None
        if isinstance(ahead, Exception):
            raise ahead
        return self._source.discover() if ahead is None else ahead

    def ask(
        self, question: Callable[[], Iterable[SessionHandle]], now: float, *, everything: bool = False
    ) -> Fault | None:
        """Ask the source which sessions to look at, and queue them. Raises SourceUnavailable.

        `everything`: what is not in the answer is there no more, and so fails no more.
        """
        self.steps += 1
        self._recorder.note(Note("discover"))
        try:
            found = self._news(question()) if everything else [_checked(handle) for handle in question()]
        except SourceUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a source may raise anything, and each error becomes a Fault
            return of_discover(error)
        finally:
            self._recorder.rest()
        asleep = self.schedule(found, now)
        self.left_out = asleep if everything else self.left_out
        return None

    def _news(self, handles: Iterable[SessionHandle]) -> list[SessionHandle]:
        """Return what does not stand as it did when nothing was new in it. All handles are given: others fail no more."""
        news: list[SessionHandle] = []
        here: set[str] = set()
        still = self._still
        for handle in handles:
            # The very handle of the last time has been checked, and is what most of a sweep consists of.
            if handle.__class__ is SessionHandle and handle.id.__class__ is str and still.get(handle.id) is handle:
                continue
            known = still.get(_checked(handle).id)
            if known is None or known.stamp != handle.stamp:
                news.append(handle)
            here.add(handle.id)
        self.failing &= here  # what stands still does not fail
        return news

    def schedule(self, handles: Iterable[SessionHandle], now: float) -> int:
        """Queue sessions, the most recently changed first; those older than `since` that were never read stay asleep.

        On suspects a worker has died before: they come last, so that all others are read whatever becomes of them.
        Returns how many stay asleep.
        """
        wanted: list[SessionHandle] = []
        asleep = 0
        for handle in handles:
            if self._set_aside(handle):
                continue
            if self._sleeps(handle, now):
                asleep += 1
            else:
                wanted.append(handle)
        wanted.sort(key=lambda handle: handle.modified_at or 0.0)
        for handle in wanted:
            self._handles[handle.id] = handle
            self.queue(handle.id, first=not self._suspects or sayable(handle.id) not in self._suspects)
        return asleep

    def queue(self, name: str, *, first: bool = False) -> None:
        """Queue a session unless it is queued already."""
        if name not in self._queued:
            self._queued.add(name)
            if first:
                self._queue.appendleft(name)
            else:
                self._queue.append(name)

    def _set_aside(self, handle: SessionHandle) -> bool:
        if self._quarantined and (name := sayable(handle.id)) in self._quarantined:
            self._handles[handle.id] = handle
            if _shape(handle) != self._quarantined[name]:
                self._quarantined[name] = _shape(handle)
                self._changed.append(name)
            return True
        return False

    def _sleeps(self, handle: SessionHandle, now: float) -> bool:
        if self._since is None or handle.live or handle.modified_at is None or handle.id in self._cursors:
            return False
        return now - handle.modified_at > self._since

    def rewind(self, handle: str, cursor: Cursor) -> None:
        """Go on from the cursor that the board has: what was read beyond it never counted."""
        self._cursors[handle] = cursor
        self._still.pop(handle, None)
        if handle in self._handles:
            self.queue(handle)

    def step(self) -> Parsed | Fault | None:
        """Parse one piece of the next session. None: that session has nothing new."""
        name = self._queue.popleft()
        self._queued.discard(name)
        handle = self._handles[name]
        before = self._cursors.get(name, "")
        self.steps += 1
        self._recorder.note(Note("parse", sayable(name), digest(before), _shape(handle)))
        try:
            facts, after = self._source.parse(handle, before)
            if len(after) * 4 > CURSOR_LIMIT and (size := len(after.encode("utf-8", "replace"))) > CURSOR_LIMIT:
                raise CursorTooLarge(f"a cursor of {size:,} bytes, the limit is {CURSOR_LIMIT:,}")
        except Exception as error:  # noqa: BLE001 - a source may raise anything, and each error becomes a Fault
            self.failing.add(name)
            self._still.pop(name, None)
            return of_handle(name, type(error).__name__, describe(error))
        finally:
            self._recorder.rest()
        self.failing.discard(name)
        if after == before:
            if handle.stamp:
                self._still[name] = handle
            return None
        self._still.pop(name, None)
        self._cursors[name] = after
        self.queue(name)
        return Parsed(handle, before, after, facts)

    def refuse(self, handle: str, before: Cursor) -> None:
        """Take back a step that cannot be sent; the session is not queued again before it is discovered again."""
        self._cursors[handle] = before
        self._still.pop(handle, None)
        self.failing.add(handle)
        if handle in self._queued:
            self._queued.discard(handle)
            self._queue.remove(handle)


def _shape(handle: SessionHandle) -> str:
    """Describe a session's files as far as a change of them may cure what was poisonous."""
    return sayable(handle.stamp) if handle.modified_at is None else repr(handle.modified_at)


def _checked(handle: object) -> SessionHandle:
    """Return a handle whose fields are what the contract says. Raises SourceError that names what is not."""
    if not isinstance(handle, SessionHandle):
        raise SourceError(f"discover gave a {type(handle).__name__} instead of a SessionHandle")
    if not isinstance(handle.id, str) or not handle.id or not isinstance(handle.path, str):  # pyright: ignore[reportUnnecessaryIsInstance] - foreign code
        raise SourceError("discover gave a handle whose id or path is no text")
    if handle.modified_at is not None and not isinstance(handle.modified_at, (int, float)):  # pyright: ignore[reportUnnecessaryIsInstance] - foreign code
        raise SourceError("discover gave a handle whose modified_at is no number of seconds")
    return handle
