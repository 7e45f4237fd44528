"""Tree: where Claude Code keeps its transcripts, and which files make up one session.

`projects/<folder>/<session>.jsonl` is a session; below `projects/<folder>/<session>/subagents/` lie those of its
subagents. 2.0.x put subagents beside the session, named only by a row's `sessionId`: the first bytes of such a file are
read once. The folder's name is no path (it cannot be turned back into one).
"""

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

from msgspec import Struct

from ..files import Folders, Listing, look
from ..tail import stamp_of

SUBAGENT_DEPTH = 3
"""Folders below `subagents/` that are looked into; workflows nest theirs."""

HEAD_BYTES = 8192

_SESSION_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl", re.IGNORECASE)
_AGENT_NAME = re.compile(r"agent-([A-Za-z0-9_-]{1,64})\.jsonl")
_SESSION_IN_ROW = re.compile(rb'"sessionId"\s*:\s*"([0-9a-fA-F-]{36})"')


class AgentFile(Struct, frozen=True):
    """One subagent's transcript as a stat call sees it; beside it may lie its meta file."""

    id: str
    path: str
    stamp: str
    modified_at: float

    @property
    def meta(self) -> str:
        """Where the meta file lies, if there is one."""
        return f"{self.path.removesuffix('.jsonl')}.meta.json"


class Session(Struct, frozen=True):
    """The files of one session: its own transcript (`stamp` is "" if it is not there) and those of its subagents."""

    id: str
    path: str
    stamp: str
    modified_at: float | None
    agents: tuple[AgentFile, ...]

    @property
    def shape(self) -> str:
        """All files in their present shape, as one short string."""
        return shape_of(self.stamp, self.agents)

    @property
    def newest(self) -> float | None:
        """When any of the files last changed."""
        if not self.agents:
            return self.modified_at
        times = [agent.modified_at for agent in self.agents]
        return max(times if self.modified_at is None else [self.modified_at, *times], default=None)


def shape_of(stamp: str, agents: Sequence[AgentFile]) -> str:
    """Describe the files of a session: its own transcript's stamp and those of its subagents."""
    below = crc32("".join([f"{agent.id} {agent.stamp} " for agent in agents]).encode()) if agents else 0
    return f"{stamp}/{below:x}"


class _Plan(NamedTuple):
    """What was made of the listing of a project folder: its sessions with their paths, and which have files of subagents."""

    listing: Listing
    legacy: dict[str, list[str]]
    names: list[tuple[str, str]]
    owners: set[str]


class Tree:
    """The transcripts of one config folder."""

    def __init__(self, home: str, folders: Folders) -> None:
        self.folder = f"{home}/projects"
        self._folders = folders
        self._parents: dict[tuple[str, int], str] = {}
        self._children: dict[str, tuple[Listing, dict[str, list[str]]]] = {}
        self._plans: dict[str, _Plan] = {}
        self._alone: dict[str, tuple[int, int, int, Session]] = {}

    def projects(self) -> list[str]:
        """Return the project folders; a link may stand for one."""
        listing = self._folders.list(self.folder)
        linked = [name for name in listing.files if os.path.isdir(f"{self.folder}/{name}")]
        return [f"{self.folder}/{name}" for name in (*listing.folders, *linked)]

    def sessions(self, project: str) -> Iterator[Session]:
        """Yield the sessions of one project folder; of one that cannot be read there are none."""
        plan = self._plan(project)
        for name, path in plan.names:
            status = look(path)
            if status is None:
                self._alone.pop(path, None)
            elif name in plan.owners:
                yield self._with_agents(project, name, path, status, plan)
            else:
                yield self._without_agents(name, path, status)

    def session(self, path: str) -> Session:
        """Return the session whose own transcript is, or was, at `path`."""
        project, name = os.path.split(path)
        session = name.removesuffix(".jsonl")
        plan = self._plan(project)
        status = look(path)
        if status is not None and session not in plan.owners:
            return self._without_agents(session, path, status)
        self._alone.pop(path, None)
        return self._with_agents(project, session, path, status, plan)

    def below(self, folder: str) -> Iterator[tuple[str, Listing]]:
        """Yield the folders in which the session that owns `folder` keeps its subagents."""
        try:
            yield from self._folders.walk(f"{folder}/subagents", SUBAGENT_DEPTH)
        except OSError:
            return  # as in _listing

    def find(self, session: str) -> str | None:
        """Return where the transcript of a session lies, looking into each project folder."""
        paths = (f"{project}/{session}.jsonl" for project in self.projects())
        return next((path for path in paths if look(path) is not None), None)

    def owner(self, path: str) -> str | None:
        """Return the path of the session's transcript to which a file or folder in this tree belongs, if to one."""
        parts = path.removeprefix(f"{self.folder}/").split("/")
        if len(parts) < 2:
            return None
        project, name = f"{self.folder}/{parts[0]}", parts[1]
        if len(parts) == 2 and _AGENT_NAME.fullmatch(name):
            parent = self._parent(path)
            return f"{project}/{parent}.jsonl" if parent else None
        name = name if len(parts) == 2 and name.endswith(".jsonl") else f"{name}.jsonl"
        return f"{project}/{name}" if _SESSION_NAME.fullmatch(name) else None

    def _listing(self, folder: str) -> Listing:
        try:
            return self._folders.list(folder)
        except OSError:
            return Listing()  # one closed folder does not hide the others

    def _plan(self, project: str) -> "_Plan":
        listing = self._listing(project)
        legacy = self._legacy(project, listing)
        plan = self._plans.get(project)
        if plan is None or plan.listing is not listing or plan.legacy is not legacy:
            found = [match[1] for name in listing.files if (match := _SESSION_NAME.fullmatch(name))]
            paths = [(name, f"{project}/{name}.jsonl") for name in found]
            plan = _Plan(listing, legacy, paths, {*legacy, *listing.folders})
            self._plans[project] = plan
        return plan

    def _without_agents(self, session: str, path: str, status: os.stat_result) -> Session:
        """Return a session that is one file: the same value as the last time, as long as the file is the same."""
        known = self._alone.get(path)
        if (
            known is not None
            and known[0] == status.st_mtime_ns
            and known[1] == status.st_size
            and known[2] == status.st_ino
        ):
            return known[3]
        made = Session(session, path, stamp_of(status), status.st_mtime, ())
        self._alone[path] = status.st_mtime_ns, status.st_size, status.st_ino, made
        return made

    def _with_agents(
        self, project: str, session: str, path: str, status: os.stat_result | None, plan: "_Plan"
    ) -> Session:
        nested = self._nested(f"{project}/{session}") if session in plan.listing.folders else ()
        paths = [*plan.legacy.get(session, ()), *nested]
        agents = {agent.id: agent for agent in map(_agent, paths) if agent is not None}
        return Session(
            id=session,
            path=path,
            stamp=stamp_of(status) if status is not None else "",
            modified_at=status.st_mtime if status is not None else None,
            agents=tuple(agents[name] for name in sorted(agents)),
        )

    def _nested(self, folder: str) -> Iterator[str]:
        for path, listing in self.below(folder):
            for name in listing.files:
                if _AGENT_NAME.fullmatch(name):
                    yield f"{path}/{name}"

    def _legacy(self, project: str, listing: Listing) -> dict[str, list[str]]:
        """Return the subagents that lie beside the sessions of one folder, by session."""
        known = self._children.get(project)
        if known is not None and known[0] is listing:
            return known[1]
        found: dict[str, list[str]] = {}
        settled = True
        for name in listing.files:
            if name.startswith("agent-") and _AGENT_NAME.fullmatch(name):
                parent = self._parent(f"{project}/{name}")
                settled = settled and parent is not None
                if parent is not None:
                    found.setdefault(parent, []).append(f"{project}/{name}")
        if settled:
            self._children[project] = listing, found
        return found

    def _parent(self, path: str) -> str | None:
        status = look(path)
        if status is None:
            return None
        key = (path, status.st_ino)
        if key not in self._parents:
            try:
                with open(path, "rb") as file:
                    match = _SESSION_IN_ROW.search(file.read(HEAD_BYTES))
            except OSError:
                return None
            if match is None:
                return None  # nothing written yet
            self._parents[key] = match[1].decode("ascii")
        return self._parents[key]


def _agent(path: str) -> AgentFile | None:
    status = look(path)
    if status is None:
        return None
    name = os.path.basename(path).removeprefix("agent-").removesuffix(".jsonl")
    return AgentFile(id=name, path=path, stamp=stamp_of(status), modified_at=status.st_mtime)
