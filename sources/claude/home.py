"""Home: one config folder of the client, with its transcripts, its register, and the handles of its sessions."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

from msgspec.structs import replace

from ..contract import SessionHandle
from ..files import Folders, look
from ..process import Processes
from .living import Register
from .presence import Presence
from .tree import Session, Tree
from .verdict import QUIET_SECONDS, SETTLE_SECONDS

NAME = "claude"

LOOKED_SECONDS = 0.05
"""What was looked at so short a time ago to make a handle is not looked at again to parse it: what happens in between is
told by the next change or sweep, as what happens a moment later is. Only that a session is over is not said without it."""

GOES_ON = frozenset(("alive", "silent"))
"""Judgements by which no session is over."""

RECENT_SECONDS = 3600.0
"""Sessions that changed within this time have their own folders watched, because subagents may begin there."""

PARTED_KEPT = 256
"""Sessions that never had a transcript and whose record is gone: remembered, so that their end can be told."""


class _Given(NamedTuple):
    """A handle that was given out, what it was made of, and from when until when (epoch seconds) its age says the same.

    `reading` is the number of the reading of the register by which its presence was judged.
    """

    session: Session
    presence: Presence
    reading: int
    since: float
    until: float
    handle: SessionHandle

    def holds(self, session: Session, presence: Presence, now: float) -> bool:
        """Whether it would be made the same again. In a sweep nearly all do, and are the very same values."""
        if self.session is not session or not self.since <= now < self.until:
            return False
        return self.presence is presence or self.presence == presence


class Home:
    """One config folder. It remembers only what makes looking again cheap."""

    def __init__(self, folder: str, processes: Processes, machine: str | None) -> None:
        folders = Folders()
        self.folder = folder
        self.tree = Tree(folder, folders)
        self.register = Register(folder, folders, processes, machine)
        self._folders = folders
        self._prefix, self._records = f"{folder}/", f"{self.register.folder}/"
        self._parted: dict[str, str] = {}
        self._untold: set[str] = set()
        self._given: dict[str, _Given] = {}
        self._recent: list[str] = []
        self._reading, self._read_at = 0, -math.inf

    def refresh(self, now: float) -> None:
        """Read the register again, and note which sessions it does not name any more."""
        self._reading, self._read_at = self._reading + 1, now
        before = self.register.sessions()
        self.register.refresh()
        for session in before.keys() - self.register.sessions().keys():
            self._parted[session] = before[session]
            self._untold.add(session)
            if len(self._parted) > PARTED_KEPT:
                del self._parted[next(iter(self._parted))]

    def handles(self, now: float) -> Iterator[SessionHandle]:
        """Find all sessions: those with a transcript, and those that are only in the register yet."""
        self.refresh(now)
        self._untold.clear()
        self._recent = []
        unseen = self._parted | self.register.sessions()
        for project in self.tree.projects():
            for session in self.tree.sessions(project):
                if unseen:
                    unseen.pop(session.id, None)
                handle = self.handle(session, now)
                if now - (handle.modified_at or 0.0) < RECENT_SECONDS:
                    self._recent.append(session.path.removesuffix(".jsonl"))
                yield handle
        for session, path in unseen.items():
            yield self.handle(unwritten(session, path), now)

    def handle(self, session: Session, now: float) -> SessionHandle:
        """Return the handle of one session as its files and the register are now."""
        presence = self.register.presence(session.id)
        known = self._given.get(session.path)
        if known is not None and known.holds(session, presence, now):
            return known.handle
        modified_at = session.newest
        if not session.stamp and modified_at is None:
            status = look(session.path)
            modified_at = status.st_mtime if status is not None else None
        handle = SessionHandle(
            id=session.id,
            path=session.path,
            source=NAME,
            modified_at=modified_at,
            live=presence.liveness == "alive",
            stamp=stamp(session.shape, session.newest, presence, now),
        )
        if not session.agents and session.stamp:
            self._given[session.path] = _Given(
                session, presence, self._reading, now, _next_step(session.newest, presence, now), handle
            )
        return handle

    def look(self, handle: SessionHandle, now: float) -> tuple[Session, Presence]:
        """Return the files of a session and what is known of its process, as they are now."""
        given = self._given.get(handle.path)
        if given is not None and given.handle is handle and 0.0 <= now - given.since < LOOKED_SECONDS:
            if given.presence.liveness in GOES_ON and self._just_read(given.reading, now):
                return given.session, given.presence
            session = given.session
        elif self.registered(handle.path):
            session = unwritten(handle.id, handle.path)
        else:
            session = self.tree.session(handle.path)
        self.refresh(now)
        return session, self.register.presence(handle.id)

    def _just_read(self, reading: int, now: float) -> bool:
        """Whether the register was read last by this reading, and a moment ago."""
        return reading == self._reading and 0.0 <= now - self._read_at < LOOKED_SECONDS

    def holds(self, path: str) -> bool:
        """Whether a path lies in this folder."""
        return path.startswith(self._prefix)

    def registered(self, path: str) -> bool:
        """Whether this is the path of a record in the register: that of a session without a transcript."""
        return path.startswith(self._records)

    def touched(self, paths: Sequence[str], now: float) -> Iterator[SessionHandle]:
        """Return the handles of the sessions to which these files or folders belong, whether they still exist or not."""
        if self.folder in paths or self.tree.folder in paths:
            yield from self.handles(now)
            return
        if any(path == self.register.folder or self.registered(path) for path in paths):
            self.refresh(now)
            # Also those that it had ceased to name when it was read for another one.
            named, self._untold = self._untold | self.register.sessions().keys(), set()
            yield from self.named(named, now)
        owners: dict[str, bool] = {}
        for path in paths:
            if os.path.dirname(path) == self.tree.folder:
                for session in self.tree.sessions(path):
                    yield self.handle(session, now)
            elif (owner := self.tree.owner(path)) is not None:
                # What lies beside a subagent's transcript is not part of any stamp: look at it in any case.
                owners[owner] = owners.get(owner, False) or path.endswith(".meta.json")
        for owner, unstamped in owners.items():
            handle = self.handle(self.tree.session(owner), now)
            yield replace(handle, stamp="") if unstamped else handle

    def named(self, sessions: Iterable[str], now: float) -> Iterator[SessionHandle]:
        """Return the handles of sessions of which only the id is known."""
        records = self._parted | self.register.sessions()
        for name in sessions:
            path = self.tree.find(name)
            if path is not None:
                yield self.handle(self.tree.session(path), now)
            elif name in records:
                yield self.handle(unwritten(name, records[name]), now)

    def watch(self) -> Iterator[str]:
        """Yield the folders in which something of interest may change."""
        yield self.folder
        yield self.register.folder
        yield self.tree.folder
        yield from self.tree.projects()
        for folder in self._recent:
            yield folder
            yield from (path for path, _ in self.tree.below(folder))


def unwritten(session: str, record: str) -> Session:
    """Return a session that has no transcript yet: its path is that of its record in the register."""
    return Session(id=session, path=record, stamp="", modified_at=None, agents=())


def stamp(shape: str, newest: float | None, presence: Presence, now: float) -> str:
    """Describe a session's files and presence. Where the rows alone speak, their age counts, too, in three steps."""
    return f"{shape}/{crc32(presence.word.encode()):x}{age_step(newest, presence, now)}"


def age_step(newest: float | None, presence: Presence, now: float) -> str:
    """Say how long nothing was written, in three steps; "" where that says nothing."""
    age = now - (newest or 0.0)
    return "" if presence.decides else "a" if age < SETTLE_SECONDS else "b" if age < QUIET_SECONDS else "c"


def _next_step(newest: float | None, presence: Presence, now: float) -> float:
    step = age_step(newest, presence, now)
    return (newest or 0.0) + (SETTLE_SECONDS if step == "a" else QUIET_SECONDS) if step in {"a", "b"} else math.inf
