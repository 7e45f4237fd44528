"""Source: Claude Code's sessions, found and read on.

The shell around the fold. A cursor is `<stamp>|<state>`: the stamp describes the session's files and its place in the
register as they were when all of it had been taken in, and is empty while there may be more; the state is JSON. While a
long transcript is read for the first time nothing is reported, so that nobody sees the middle of it as the present.
"""

import math
import os
import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from ...protocol.update import SourceUpdate
from ..contract import CURSOR_LIMIT, Cursor, Place, Registry, SessionHandle
from ..cursors import Memo
from ..errors import CursorTooLarge, SourceUnavailable
from ..files import home_of, why_of
from ..hearing import Hearing
from ..process import Processes, SystemProcesses
from ..spool import Spool
from .facts import digest, report
from .home import NAME, Home, stamp
from .keeping import remark
from .living import machine_id
from .reader import read
from .state import Counts, State, dump, fresh, lighten, load
from .verdict import finished

VARIABLE = "CLAUDE_CONFIG_DIR"


class ClaudeSource:
    """Claude Code, in one config folder or several. See `Source` and `Watching` (contract.py)."""

    name = NAME

    def __init__(
        self,
        *,
        home: str | Sequence[str] | None = None,
        processes: Processes | None = None,
        clock: Callable[[], float] = time.time,
        machine: str | None = None,
    ) -> None:
        """Look in the folders `home`, by default where the client itself does. `machine`: see `machine_id`."""
        chosen = [home] if isinstance(home, str) else [*(home or ())]
        folders = [home_of(one, None, one) for one in chosen] or [home_of(None, VARIABLE, "~/.claude")]
        self._why = why_of(chosen, VARIABLE)
        self._clock = clock
        self._processes = processes or SystemProcesses()
        self._machine = machine or machine_id()
        self._homes = {folder: Home(folder, self._processes, self._machine) for folder in folders}
        self._due: dict[str, tuple[str, float]] = {}
        self._memo: Memo[State] = Memo()

    def discover(self) -> list[SessionHandle]:
        """See `Source.discover`."""
        there = [home for home in self._homes.values() if os.path.isdir(home.folder)]
        if not there:
            raise SourceUnavailable(tuple(self._homes))
        now = self._clock()
        found: dict[str, SessionHandle] = {}
        for home in there:
            for handle in home.handles(now):
                known = found.get(handle.id)
                # A moved project can leave a copy behind: the one that still changes counts.
                if known is None or (known.modified_at or 0.0) < (handle.modified_at or 0.0):
                    found[handle.id] = handle
        return list(found.values())

    def where(self) -> list[Place]:
        """See `Placed.where`."""
        return [remark(Place(path=folder, why=self._why)) for folder in self._homes]

    def watch(self) -> list[str]:
        """See `Watching.watch`."""
        return [folder for home in self._homes.values() for folder in home.watch()]

    def touched(self, paths: Sequence[str]) -> list[SessionHandle]:
        """See `Watching.touched`."""
        now = self._clock()
        found: dict[str, SessionHandle] = {}
        for home in self._homes.values():
            mine = [path for path in paths if path == home.folder or home.holds(path)]
            for handle in home.touched(mine, now) if mine else ():
                found[handle.id] = handle
        return list(found.values())

    def pulse(self) -> list[SessionHandle]:
        """See `Watching.pulse`: ended processes, and sessions whose silence has lasted long enough to mean something."""
        now = self._clock()
        found: dict[str, SessionHandle] = {}
        for home in self._homes.values():
            for handle in home.named(home.register.changed(), now):
                found[handle.id] = handle
        for session in [session for session, (_, due) in self._due.items() if due <= now]:
            path, _ = self._due.pop(session)
            home = self._home_of(path)
            found[session] = replace(home.handle(home.tree.session(path), now), stamp="")
        return list(found.values())

    def rest(self) -> float:
        """See `Resting.rest`: a process that is registered may end, and a silence may begin to mean something."""
        if any(home.register.sessions() for home in self._homes.values()):
            return 0.0
        return min((due for _, due in self._due.values()), default=math.inf) - self._clock()

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """See `Source.parse`. Files, register and process are looked at anew, unless they were a moment ago."""
        if handle.stamp and cursor.startswith(f"{handle.stamp}|"):
            return None, cursor
        home, now = self._home_of(handle.path), self._clock()
        session, presence = home.look(handle, now)
        bare = not session.stamp
        if bare and not home.registered(handle.path):
            return None, cursor
        try:
            state, shape = read(session, self._state(cursor))
        except FileNotFoundError:
            return None, cursor
        if not shape:
            return None, self._cursor("", state)
        if bare and not state.told and presence.liveness not in {"alive", "unknown"}:
            return None, cursor  # it ended before there was anything to say
        told = report(handle.id, state, presence, now, modified_at=session.newest)
        self._due.pop(handle.id, None)
        if told.due is not None and not bare:
            self._due[handle.id] = handle.path, told.due
        update = _news(told.update, state)
        return update, self._cursor(stamp(shape, session.newest, presence, now), state)

    def _state(self, cursor: Cursor) -> State:
        """Return the state that a cursor holds, to be changed by the caller."""
        if not cursor:
            return fresh()
        return self._memo.take(cursor) or load(cursor.partition("|")[2]) or fresh(restart=True)

    def _cursor(self, shape: str, state: State) -> Cursor:
        """Return the cursor that stands for a state, which may not change any more."""
        cursor = _cursor(shape, state)
        self._memo.keep(cursor, state)
        return cursor

    def _home_of(self, path: str) -> Home:
        """Return the config folder in which a session lies; a handle may name one that nobody told of."""
        for home in self._homes.values():
            if home.holds(path):
                return home
        parent = os.path.dirname(path)
        folder = os.path.dirname(parent if os.path.basename(parent) == "sessions" else os.path.dirname(parent))
        return Home(folder, self._processes, self._machine)


def _news(update: SourceUpdate, state: State) -> SourceUpdate | None:
    """Return the update with its deltas, or None if it says nothing new; the state remembers what was said."""
    counts, told, restart = state.counts, digest(update), state.restart
    deltas = counts.since(state.counted)
    if deltas == Counts() and told == state.told and not restart:
        return None
    state.counted, state.told, state.restart = counts, told, False
    return replace(
        update,
        message_count_delta=deltas.messages,
        tool_call_count_delta=deltas.calls,
        compaction_count_delta=deltas.compactions,
        unknown_records_delta=deltas.unknown,
        restart=restart,
    )


def _cursor(shape: str, state: State) -> Cursor:
    """Return the cursor that stands for a state. Raises CursorTooLarge if it cannot be made small enough."""
    body = dump(state)
    limit = CURSOR_LIMIT - len(shape) - 1
    if len(body) > limit:
        for agent in state.agents.values():
            if finished(state, agent):
                lighten(agent)
        body = dump(state)
    if len(body) > limit:
        raise CursorTooLarge(f"a session's state needs {len(body):,} bytes")
    return f"{shape}|{body.decode()}"


def register(registry: Registry, *, home: str | Sequence[str] | None = None) -> None:
    """Make Claude Code known; `home` is its config folder, or several of them."""
    registry.add(NAME, lambda: Hearing(ClaudeSource(home=home), Spool(NAME)))
