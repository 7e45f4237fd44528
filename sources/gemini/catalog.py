"""Catalog: which sessions there are, and in which files each of them lies.

One session may have several files: a copy in its project's new folder, an older `.json` beside its `.jsonl`, a stub for
each resume in a later minute. They are found by their names (`place.py`); only where several share a name are their
first bytes looked at. The counterpart is `projects.py`, which knows the folders worked in.
"""

import os
import re
from collections.abc import Iterable, Iterator
from zlib import crc32

from msgspec import Struct

from ..contract import SessionHandle
from ..files import Folders, look
from ..tail import stamp_of
from .place import NO_PROJECT, PROJECTS, Place, place_of, started_at
from .projects import Projects

NAME = "gemini"

FILES_PER_SESSION = 8
"""Files that are read for one session: the largest. What is left out are stubs of old resumes, which hold no message."""

PEEK_BYTES = 2048

_SESSION_ID = re.compile(rb'"sessionId"\s*:\s*"([^"\\]{1,200})"')
_STARTED = re.compile(rb'"startTime"\s*:\s*"([0-9TZ:.+-]{1,40})"')


class Artifact(Struct, frozen=True):
    """One file of a session, as it was when it was looked at."""

    path: str
    place: Place
    stamp: str
    inode: tuple[int, int]
    size: int
    modified_at: float


class Group(Struct, frozen=True):
    """One session: its files, the folder it worked in, its parent, and when its newest subagent began ("": unknown).

    `evidence` is a digest of what stands around the files.
    """

    handle: SessionHandle
    files: tuple[Artifact, ...]
    folder: str
    parent: str
    subagent_since: str
    evidence: str


class Catalog:
    """The sessions below some homes (`.gemini` folders)."""

    def __init__(self, homes: Iterable[str]) -> None:
        self._projects = {home: Projects(home) for home in homes}
        self._folders = Folders()
        self._keys: dict[str, dict[str, Place]] = {}
        self._subagents: dict[str, dict[str, Place]] = {}
        self._peeked: dict[tuple[str, tuple[int, int]], tuple[str, str]] = {}

    def scan(self) -> Iterator[Group]:
        """List the folders again and yield every session.

        A project that cannot be read does not hide the others: OSError is raised only if there is nothing else.
        """
        self._keys, self._subagents = {}, {}
        problem: OSError | None = None
        for home, projects in self._projects.items():
            projects.look()
            for project in self._folders_of(home):
                projects.visit(project)
                try:
                    self._list(f"{project}/chats")
                except OSError as error:
                    problem = error
        if problem is not None and not self._keys:
            raise problem
        for key in list(self._keys):
            yield from self._groups(key)

    def at(self, paths: Iterable[str]) -> Iterator[Group]:
        """Yield the sessions to which these files belong, the parents of subagents included."""
        places = [place for place in map(self._add, paths) if place is not None]
        for key in dict.fromkeys(key for place in places for key in (place.key, place.family)):
            yield from self._groups(key)

    def find(self, handle: SessionHandle) -> Group | None:
        """Return the session of a handle as it is now, None if it has no file (any more)."""
        place = self._place(handle.path)
        if place is None:
            return None
        if handle.path not in self._keys.get(place.key, {}):
            for _ in self.scan():
                pass
            self._add(handle.path)
        groups = list(self._groups(place.key))
        named = (group for group in groups if group.handle.id == handle.id)
        holding = (group for group in groups if any(file.path == handle.path for file in group.files))
        return next(named, None) or next(holding, None)

    def folder_with(self, project_hash: str) -> str:
        """Return the known folder whose hash a session carries, "" if there is none."""
        folders = (projects.folder_with(project_hash) for projects in self._projects.values())
        return next((folder for folder in folders if folder), "")

    def watched(self) -> Iterator[str]:
        """Yield the folders in which something new may appear."""
        for home in self._projects:
            yield home
            yield f"{home}/{PROJECTS}"
            try:
                projects = self._folders_of(home)
            except OSError:
                continue  # the next scan says so
            for project in projects:
                chats = f"{project}/chats"
                # Until the folder of the sessions appears, its own folder says when.
                yield chats if os.path.isdir(chats) else project
                yield from self._subfolders(chats)

    def _folders_of(self, home: str) -> list[str]:
        tmp = f"{home}/{PROJECTS}"
        return [f"{tmp}/{name}" for name in self._folders.list(tmp).folders if name != NO_PROJECT]

    def _subfolders(self, chats: str) -> list[str]:
        try:
            return [f"{chats}/{name}" for name in self._folders.list(chats).folders]
        except OSError:
            return []

    def _list(self, chats: str) -> None:
        for folder, listing in self._folders.walk(chats, 1):
            for name in listing.files:
                self._add(f"{folder}/{name}")

    def _place(self, path: str) -> Place | None:
        places = (place_of(home, path) for home in self._projects)
        return next((place for place in places if place is not None), None)

    def _add(self, path: str) -> Place | None:
        place = self._place(path)
        if place is not None:
            self._keys.setdefault(place.key, {})[path] = place
            if place.parent:
                self._subagents.setdefault(place.family, {})[path] = place
        return place

    def _artifacts(self, known: dict[str, Place]) -> list[Artifact]:
        """Look at files, in the order of their names, and forget those that are gone."""
        found: list[Artifact] = []
        for path in sorted(known, key=lambda path: (os.path.basename(path), path)):
            status = look(path)
            if status is None:
                del known[path]
                continue
            inode = status.st_dev, status.st_ino
            found.append(Artifact(path, known[path], stamp_of(status), inode, status.st_size, status.st_mtime))
        return found

    def _groups(self, key: str) -> Iterator[Group]:
        """Yield the sessions of one key: one, unless the ids of several begin alike."""
        files = self._artifacts(self._keys.get(key, {}))
        if not files:
            return
        place = files[0].place
        if place.parent:
            # A subagent that is called like a session goes by its full name.
            yield self._group(key if place.id in self._keys else place.id, files)
            return
        sessions: dict[str, list[Artifact]] = {}
        for artifact in files:
            sessions.setdefault(self._peek(artifact)[0] if len(files) > 1 else "", []).append(artifact)
        nameless = sessions.pop("", [])  # no header yet: they go with the first
        first, *others = list(sessions.items()) or [("", [])]
        yield self._group(key, [*nameless, *first[1]])
        for session, members in others:
            yield self._group(session, members)

    def _group(self, name: str, files: list[Artifact]) -> Group:
        place = files[0].place
        folders = (self._projects[artifact.place.home].folder_of(artifact.place.folder) for artifact in files)
        folder = next((found for found in folders if found), "")
        around = folder or " ".join(projects.version for projects in self._projects.values())
        since = "" if place.parent else self._newest_subagent(place.family)
        evidence = f"{crc32(f'{around} {since}'.encode()):x}"
        largest = sorted(files, key=lambda file: (-file.size, not file.path.endswith("l"), file.path))[
            :FILES_PER_SESSION
        ]
        read = sorted(largest, key=lambda file: file.path)
        handle = SessionHandle(
            id=name,
            path=largest[0].path,
            source=NAME,
            working_dir=folder or None,
            started_at=started_at(min(artifact.place.minute for artifact in files)),
            modified_at=max(artifact.modified_at for artifact in files),
            stamp=describe([artifact.stamp for artifact in read], evidence),
        )
        return Group(handle, tuple(read), folder, place.parent, since, evidence)

    def _newest_subagent(self, family: str) -> str:
        """Return when the subagent that wrote last began, as it says itself; "" if there is none."""
        found = self._artifacts(self._subagents.get(family, {}))
        newest = max(found, key=lambda artifact: artifact.modified_at, default=None)
        return self._peek(newest)[1] if newest is not None else ""

    def _peek(self, artifact: Artifact) -> tuple[str, str]:
        """Return the session id and the start that a file's header names; it is read only once."""
        known = self._peeked.get((artifact.path, artifact.inode))
        if known is not None:
            return known
        try:
            with open(artifact.path, "rb") as file:
                head = file.read(PEEK_BYTES)
        except OSError:
            return "", ""  # whoever reads the file will meet the error
        session, started = _SESSION_ID.search(head), _STARTED.search(head)
        found = session[1].decode("utf-8", "replace") if session else "", started[1].decode() if started else ""
        if all(found):
            self._peeked[artifact.path, artifact.inode] = found
        return found


def describe(stamps: Iterable[str], evidence: str) -> str:
    """Make the stamp of a session out of those of its files and of what stands around them."""
    return f"{'+'.join(stamps)},{evidence}"
