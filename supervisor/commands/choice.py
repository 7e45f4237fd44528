"""Choice: which sessions were asked for, by the filters that `sessions` and `watch` share. Pure but for paths.

What they do can be said by the words of the board and by those of the JSON.
"""

import argparse
import os
from collections.abc import Callable

from msgspec import Struct, structs

from ...protocol.event import HealthChanged, Snapshot
from ...protocol.session import HealthState, SessionState
from ...protocol.subscriber import Item
from ..views.board.standing import ENDED, WAITING, standing

SHOWN: dict[str, Callable[[SessionState], bool]] = {
    "prompt": lambda session: standing(session) == WAITING,
    "ended": lambda session: standing(session).rank == ENDED.rank,
}
"""Words that people see; every other word is an activity as the JSON has it."""


class Choice(Struct, frozen=True, kw_only=True):
    """The filters; a session is chosen if it passes all of them. `oldest` is in epoch seconds; nothing set lets all pass."""

    id: str | None = None
    sources: frozenset[str] = frozenset()
    activity: str | None = None
    projects: tuple["Project", ...] = ()
    needs_you: bool = False
    oldest: float | None = None

    def takes(self, session: SessionState) -> bool:
        """Whether a session was asked for. Who needs somebody is never too old."""
        last = None if session.needs_you else session.last_activity_at
        return (
            (self.id is None or session.id.startswith(self.id))
            and self.takes_source(session)
            and (self.activity is None or self.does(session, self.activity))
            and (not self.projects or any(project.holds(session.working_dir) for project in self.projects))
            and (not self.needs_you or session.needs_you)
            and (self.oldest is None or last is None or last.timestamp() >= self.oldest)
        )

    @staticmethod
    def does(session: SessionState, activity: str) -> bool:
        """Whether a session does what a word means."""
        return SHOWN[activity](session) if activity in SHOWN else session.activity == activity

    def takes_source(self, said: SessionState | HealthState | HealthChanged) -> bool:
        """Whether the source of what is said was asked for, on the board of a fleet with or without its machine."""
        return not self.sources or said.source in self.sources or said.origin in self.sources

    def of(self, item: Item) -> Item | None:
        """Return what of an item was asked for: of a snapshot its sessions and sources, of an event all or nothing."""
        if isinstance(item, Snapshot):
            sessions = tuple(session for session in item.sessions if self.takes(session))
            health = tuple(state for state in item.health if self.takes_source(state))
            return structs.replace(item, sessions=sessions, health=health)
        if isinstance(item, HealthChanged):
            return item if self.takes_source(item) else None
        return item if self.takes(item.session) else None


class Project(Struct, frozen=True):
    """A folder that sessions work in: by its last name, or by its paths (as it was said, and with links followed)."""

    name: str
    paths: tuple[str, ...] = ()

    def holds(self, folder: str | None) -> bool:
        """Whether a session with this working folder is one of the project."""
        folder = (folder or "").rstrip("/")
        if not self.paths:
            return bool(folder) and folder.rpartition("/")[2] == self.name
        return any(folder == path or folder.startswith(f"{path.rstrip('/')}/") for path in self.paths)


def project(word: str) -> Project:
    """Read what was said: a name, or a path if it looks like one."""
    if "/" not in word and word not in {".", "..", "~"}:
        return Project(word)
    path = os.path.abspath(os.path.expanduser(word))
    return Project(word, tuple(dict.fromkeys((path, os.path.realpath(path)))))


def choice(options: argparse.Namespace) -> Choice:
    """Read the filters that both commands have."""
    return Choice(
        sources=frozenset(word.partition("=")[0] for word in options.source or ()),
        activity=options.activity,
        projects=tuple(project(word) for word in options.project or ()),
        needs_you=options.needs_you,
    )
