"""Codex: threads of the Codex CLI as sessions.

One thread is one session, however many files it has; subagents are sessions of their own that name their parent.
Everything here looks at the disk and at locks; what it means is decided in `fold.py` and `facts.py`, which do not.
"""

import math
import os
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from ...protocol.update import SourceUpdate
from ..commands import Acting, Commands
from ..contract import Cursor, Place, Registry, SessionHandle
from ..cursors import Memo
from ..errors import SourceUnavailable
from ..files import home_of, why_of
from ..hearing import Hearing
from ..process import Processes, SystemProcesses
from ..spool import Spool
from .cold import Cold
from .facts import update_of
from .home import Home
from .naming import Rollout, born_of, rollout_of
from .openers import Opener, Openers
from .reading import Reading, read
from .state import Lock, State, compose, load, store
from .thread import Counts

NAME = "codex"

VARIABLE = "CODEX_HOME"

MARK = "CODEX_THREAD_ID"
"""What the environment of each command names that the client runs (seen in 0.142.5 and 0.169.0)."""


class _Sight(Struct):
    """What the disk shows of one thread at this moment."""

    rollouts: list[Rollout] = []
    lock: Lock = "unknown"
    name: str | None = None
    born: datetime | None = None


class CodexSource:
    """The source of one or more homes (`~/.codex`); `processes` is how the holders of locks are found."""

    name = NAME

    def __init__(
        self,
        *,
        home: str | Sequence[str] | None = None,
        processes: Processes | None = None,
        cold: Cold | None = None,
        commands: Acting | None = None,
    ) -> None:
        self._commands = commands or Commands(MARK)
        options = [home] if isinstance(home, str) or home is None else list(home)
        self._cold = cold or Cold()
        processes = processes or SystemProcesses()
        self._openers = Openers(processes)
        self._open: dict[str, tuple[Opener, SessionHandle]] = {}
        self._recalled: set[str] = set()
        self._memo: Memo[State] = Memo()
        self._homes = [
            Home(home_of(option, VARIABLE, "~/.codex"), processes, self._cold) for option in options or [None]
        ]
        self._why = why_of(home, VARIABLE)

    def discover(self) -> Iterable[SessionHandle]:
        """List all threads, by names and times only. Raises `SourceUnavailable` if no home exists."""
        homes = [home for home in self._homes if os.path.isdir(home.root)]
        if not homes:
            raise SourceUnavailable(tuple(home.root for home in self._homes))
        found: dict[str, SessionHandle] = {}
        for home in homes:
            for handle in home.discover():
                found.setdefault(handle.id, handle)
        return list(found.values())

    def where(self) -> list[Place]:
        """See `Placed.where`."""
        return [Place(path=home.root, why=self._why) for home in self._homes]

    def watch(self) -> Iterable[str]:
        """Name the folders in which files of recent and of open threads lie, and those in which new ones appear."""
        return [folder for home in self._homes for folder in home.watch()]

    def touched(self, paths: Sequence[str]) -> Iterable[SessionHandle]:
        """Return the threads to which changed files, locks or names belong."""
        return [handle for home in self._homes for handle in home.touched(paths)]

    def pulse(self) -> Iterable[SessionHandle]:
        """Return the threads that a process opened or let go."""
        handles = [handle for home in self._homes for handle in home.pulse()]
        left = [handle for opener, handle in self._open.values() if not self._openers.lives(opener)]
        return [*handles, *(replace(handle, stamp="") for handle in left)]

    def rest(self) -> float:
        """See `Resting.rest`: a lock that is there may change hands, and a process that has a thread open may end."""
        return 0.0 if self._open or any(home.locks.any for home in self._homes) else math.inf

    def acting(self, session: str, since: float) -> float | None:
        """See `Acting.acting`: that a person has given a permission is nowhere on disk before its command has ended."""
        return self._commands.acting(session, since)

    def close(self) -> None:
        """Let go of what is open."""
        self._cold.close()

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """See `Source.parse`. Raises OSError, and SourceError for a compressed file that is damaged."""
        if handle.stamp and cursor.startswith(f"{handle.stamp}|"):
            self._recall(handle, cursor)
            return None, cursor
        sight = self._see(handle)
        loaded = (self._memo.take(cursor) or load(cursor)) if cursor else State()
        restart, state = loaded is None, loaded or State()
        if not sight.rollouts and not (sight.lock == "held" or (state.shown and not state.begun)):
            return None, cursor
        before = update_of(state, handle.id, born=sight.born) if state.shown else None
        was_gone = state.gone
        try:
            reading = read(sight.rollouts, state, handle.id, self._cold)
            if reading is None:
                restart, state = restart or before is not None, State()
                reading = read(sight.rollouts, state, handle.id, self._cold) or Reading(complete=False)
        except FileNotFoundError:
            return None, cursor  # moved or deleted since it was found: the next discover knows more
        state.lock, state.name = sight.lock, sight.name
        if state.last is None and reading.modified is not None:
            state.modified = reading.modified
        if sight.lock == "held":
            state.alive_seen = True
            # Open again, and not one record since: the turn that was left open did not survive its process.
            state.dead = state.dead or (was_gone and not reading.rows and state.turn == "working")
        self._look_for_opener(state, handle, sight, moved=reading.rows > 0)
        update = _speak(state, handle.id, before, reading.counts, born=sight.born, restart=restart)
        stamp = compose(reading.stamps, sight.lock, sight.name) if reading.complete else ""
        after = store(stamp, state)
        self._memo.keep(after, state)
        return update, after

    def _look_for_opener(self, state: State, handle: SessionHandle, sight: _Sight, *, moved: bool) -> None:
        """Where no lock tells whether the thread is open, find the process that has its file open, or see that it went."""
        if sight.lock not in {"unknown", "absent"} or not sight.rollouts or state.hidden:
            state.opener, state.left = None, False
        elif moved:
            # Not being found is no proof, so who was found before is still the one.
            state.opener, state.left = self._openers.of(sight.rollouts[-1].path) or state.opener, False
            state.alive_seen = state.alive_seen or state.opener is not None
        if state.opener is not None and not self._openers.lives(state.opener):
            state.opener, state.left = None, True
        self._remember(handle, state)

    def _remember(self, handle: SessionHandle, state: State) -> None:
        self._recalled.add(handle.id)
        if state.opener is None:
            self._open.pop(handle.id, None)
        else:
            self._open[handle.id] = state.opener, handle

    def _recall(self, handle: SessionHandle, cursor: Cursor) -> None:
        """After a restart, learn from a thread's cursor which process had it open."""
        if handle.id not in self._recalled:
            self._remember(handle, load(cursor) or State())

    def _see(self, handle: SessionHandle) -> _Sight:
        for home in self._homes:
            if handle.path.startswith(f"{home.root}/"):
                rollouts = home.rollouts(handle)
                born = rollouts[0].born if rollouts else born_of(handle.id)
                return _Sight(rollouts, home.locks.state(handle.id), home.names.name(handle.id), born)
        # A file outside every home: nothing beside it is known.
        folder, _, name = handle.path.rpartition("/")
        rollout = rollout_of(folder, name)
        if rollout is None or rollout.thread != handle.id or not os.path.isfile(handle.path):
            return _Sight()
        return _Sight([rollout], born=rollout.born)


def _speak(
    state: State, thread: str, before: SourceUpdate | None, counts: Counts, *, born: datetime | None, restart: bool
) -> SourceUpdate | None:
    """Say what is new, if anything is; an internal reviewer never speaks unless it was taken for a session before."""
    if state.hidden:
        if before is None and not restart:
            return None
        counts = Counts()
    elif before is None and not (restart or state.begun or state.sealed or state.lock == "held" or counts.unknown):
        return None
    if not restart and counts == Counts() and update_of(state, thread, born=born) == before:
        return None
    state.shown = True
    return update_of(state, thread, born=born, counts=counts, restart=restart)


def register(registry: Registry, *, home: str | Sequence[str] | None = None) -> None:
    """Make the source known. `home`: the folder of `--source codex=FOLDER`; None is `$CODEX_HOME`, else `~/.codex`."""
    registry.add(NAME, lambda: Hearing(CodexSource(home=home), Spool(NAME)))
