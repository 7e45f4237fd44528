"""Tree: read the store of the clients before 1.2, one JSON file for each session, message and part.

    storage/session/<project>/<session>.json   storage/message/<session>/<message>.json   storage/part/<message>/<part>.json

Files are rewritten in place, so one may be torn at the moment: it is passed over until it is whole again. A newer client
leaves the tree as it is. The counterpart for the newer store is `database.py`.
"""

import os
import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from ..contract import SessionHandle
from ..errors import ArtifactTooLarge, SourceError
from ..files import SETTLED_SECONDS, Folders, look
from ..tail import stamp_of
from ..whole import read_whole
from .fold import LATEST
from .rows import ID_LIMIT, TEXT_LIMIT, Key, Message, Part, Session, at_of, message_in, part_in, session_in

NAME = "opencode"

SUFFIX = ".json"

WATCHED_MESSAGES = 2
"""Newest messages of a session whose files are looked at for changes."""

WATCHED_PARTS = 16
"""Newest parts of each of them."""

RECENT_SESSIONS = 16
"""Sessions whose folders are watched because of what was last written in them."""


class TreeReading:
    """One session at one moment. Each file is read once; what changes meanwhile changes the next stamp."""

    def __init__(self, tree: "Tree", session: Session, stamp: str) -> None:
        self._tree = tree
        self.session = session
        self.stamp = stamp
        names = tree.messages(session.id)
        self._places = sorted((at_of(name, session.created), name) for name in names)

    def latest(self) -> list[Message]:
        """Return the newest messages, oldest first."""
        return [self._message(*place) for place in self._places[-LATEST:]]

    def page(self, floor: Key, limit: int) -> list[Message]:
        """Return the next messages after `floor`, oldest first."""
        begin = bisect_right(self._places, floor)
        return [self._message(*place) for place in self._places[begin : begin + limit]]

    def parts(self, messages: Iterable[str]) -> dict[str, list[Part]]:
        """Return the parts of each of these messages."""
        return {name: [self._tree.part(name, part) for part in self._tree.parts(name)] for name in messages}

    def _message(self, at: int, name: str) -> Message:
        return self._tree.message(self.session.id, name, at)


class Tree:
    """The `storage` folder of one home."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._folders = Folders()
        self._paths: dict[str, str] = {}
        self.handles: dict[str, SessionHandle] = {}

    def discover(self) -> list[SessionHandle]:
        """Return the handles of all sessions. Raises OSError if the tree is there and cannot be read."""
        paths: dict[str, str] = {}
        for folder, listing in self._folders.walk(f"{self.root}/session", 1):
            for name in listing.files:
                if _is_row(name):
                    paths[name.removesuffix(SUFFIX)] = f"{folder}/{name}"
        self._paths = paths
        self.handles = {name: handle for name, handle in self.handles.items() if name in paths}
        return self._renew(paths)

    def touched(self, paths: Sequence[str]) -> list[SessionHandle]:
        """Return the handles of the sessions to which changed files belong."""
        if not self._paths and any(path.startswith(f"{self.root}/") for path in paths):
            return self.discover()
        found: dict[str, None] = {}
        for path in paths:
            kind, _, rest = path.removeprefix(f"{self.root}/").partition("/")
            if not path.startswith(f"{self.root}/") or not rest:
                continue
            if kind == "session" and _is_row(os.path.basename(path)):
                name = os.path.basename(path).removesuffix(SUFFIX)
                self._paths.setdefault(name, path)
                found[name] = None
            elif kind == "message":
                found[rest.partition("/")[0]] = None
            elif kind == "part":
                message = rest.partition("/")[0]
                owners = (name for name in self._recent() if message in self.messages(name)[-LATEST:])
                found.update(dict.fromkeys(owners))
        return self._renew(found)

    def watch(self) -> list[str]:
        """Return the folders worth watching: they may not exist yet."""
        folders = [f"{self.root}/session", f"{self.root}/message", f"{self.root}/part"]
        for name in self._recent():
            folders += [os.path.dirname(self._paths[name]), self._message_folder(name)]
            folders += [f"{self.root}/part/{message}" for message in self.messages(name)[-WATCHED_MESSAGES:]]
        return folders

    def reading(self, session: str, path: str) -> TreeReading | None:
        """Read one session; None if it is not there, or just being written. Raises OSError and SourceError."""
        shape = self._shape(session, path)
        if shape is None:
            return None
        document = read_whole(path, "", TEXT_LIMIT)
        assert document is not None  # noqa: S101 - for the type checker: no stamp was given
        found = session_in(document.data, session)
        if found is None:
            if time.time() - document.modified_at < SETTLED_SECONDS:
                return None
            raise SourceError("the file of a session makes no sense")
        return TreeReading(self, found, shape[0])

    def messages(self, session: str) -> list[str]:
        """Return the ids of a session's messages, sorted."""
        return self._names(self._message_folder(session))

    def parts(self, message: str) -> list[str]:
        """Return the ids of a message's parts, sorted."""
        return self._names(f"{self.root}/part/{message}")

    def message(self, session: str, name: str, at: int) -> Message:
        """Read one message; without a role if it cannot be understood, or no longer read."""
        return message_in(_read(f"{self._message_folder(session)}/{name}{SUFFIX}"), name, at)

    def part(self, message: str, name: str) -> Part:
        """Read one part; without a type if it cannot be understood, or no longer read."""
        return part_in(_read(f"{self.root}/part/{message}/{name}{SUFFIX}"), name)

    def _message_folder(self, session: str) -> str:
        return f"{self.root}/message/{session}"

    def _names(self, folder: str) -> list[str]:
        try:
            files = self._folders.list(folder).files
        except OSError:
            return []
        return [name.removesuffix(SUFFIX) for name in files if _is_row(name)]

    def _recent(self) -> list[str]:
        handles = sorted(self.handles.values(), key=lambda handle: handle.modified_at or 0, reverse=True)
        return [handle.id for handle in handles[:RECENT_SESSIONS]]

    def _renew(self, sessions: Iterable[str]) -> list[SessionHandle]:
        found: list[SessionHandle] = []
        for session in sessions:
            path = self._paths.get(session)
            handle = self._handle(session, path) if path is not None else None
            if handle is None:
                self.handles.pop(session, None)
            else:
                self.handles[session] = handle
                found.append(handle)
        return found

    def _handle(self, session: str, path: str) -> SessionHandle | None:
        shape = self._shape(session, path)
        if shape is None:
            return None
        stamp, modified = shape
        known = self.handles.get(session)
        if known is not None and (known.stamp, known.path) == (stamp, path):
            return known
        return SessionHandle(id=session, path=path, source=NAME, modified_at=modified, stamp=stamp)

    def _shape(self, session: str, path: str) -> tuple[str, float] | None:
        """Describe what changes when the session does, and when it last did: a few files, however long it is."""
        messages = self.messages(session)
        files = [path]
        for message in messages[-WATCHED_MESSAGES:]:
            files.append(f"{self._message_folder(session)}/{message}{SUFFIX}")
            files += [f"{self.root}/part/{message}/{part}{SUFFIX}" for part in self.parts(message)[-WATCHED_PARTS:]]
        found = [status for file in files if (status := look(file)) is not None]
        if not found or look(path) is None:
            return None
        text = "+".join((str(len(messages)), *map(stamp_of, found)))
        return blake2b(text.encode(), digest_size=12).hexdigest(), max(status.st_mtime for status in found)


def _is_row(name: str) -> bool:
    """Whether this may be the name of a file of the client's: an id, which has none but plain characters."""
    return name.endswith(SUFFIX) and len(SUFFIX) < len(name) <= ID_LIMIT + len(SUFFIX) and name.isascii()


def _read(path: str) -> bytes:
    try:
        document = read_whole(path, "", TEXT_LIMIT)
    except (OSError, ArtifactTooLarge):
        return b""
    return document.data if document is not None else b""
