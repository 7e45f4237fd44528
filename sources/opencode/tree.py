"""Tree: read the store of the clients before 1.2, one JSON file for each session, message and part.

    storage/session/<project>/<session>.json   storage/message/<session>/<message>.json   storage/part/<message>/<part>.json

Files are rewritten in place, so one may be torn at the moment: it is passed over until it is whole again. A newer client
leaves the tree as it is. The counterpart for the newer store is `database.py`.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from ..contract import SessionHandle
from ..errors import ArtifactTooLarge, SourceError
from ..files import SETTLED_SECONDS, Folders, look
from ..tail import stamp_of
from ..whole import read_whole
from .fold import LATEST
from .rows import ID_LIMIT, Key, Message, Part, Session, at_of, message_in, part_in, session_in

NAME = "opencode"

SUFFIX = ".json"

FILE_LIMIT = 16 * 1024 * 1024
"""Bytes of one file; a larger one is passed over like one that makes no sense."""

WATCHED_ANSWERS = 2
"""Newest messages of a session whose files are looked at for changes."""

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
        return [self._message(*place) for place in self._places if place > floor][:limit]

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
        self._handles: dict[str, SessionHandle] = {}

    def discover(self) -> list[SessionHandle]:
        """Return the handles of all sessions. Raises OSError if the tree is there and cannot be read."""
        paths: dict[str, str] = {}
        for folder, listing in self._folders.walk(f"{self.root}/session", 1):
            for name in listing.files:
                if name.endswith(SUFFIX) and 0 < len(name) - len(SUFFIX) <= ID_LIMIT:
                    paths[name.removesuffix(SUFFIX)] = f"{folder}/{name}"
        self._paths = paths
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
            if kind == "session" and path.endswith(SUFFIX):
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
            folders += [f"{self.root}/part/{message}" for message in self.messages(name)[-WATCHED_ANSWERS:]]
        return folders

    def reading(self, session: str, path: str) -> TreeReading | None:
        """Read one session; None if it is not there, or just being written. Raises OSError and SourceError."""
        stamp = self._stamp(session, path)
        if not stamp:
            return None
        document = read_whole(path, "", FILE_LIMIT)
        assert document is not None  # noqa: S101 - for the type checker: no stamp was given
        found = session_in(document.data, session)
        if found is None:
            if time.time() - document.modified_at < SETTLED_SECONDS:
                return None
            raise SourceError("the file of a session makes no sense")
        return TreeReading(self, found, stamp)

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
        return [name.removesuffix(SUFFIX) for name in files if name.endswith(SUFFIX) and len(name) <= ID_LIMIT]

    def _recent(self) -> list[str]:
        handles = sorted(self._handles.values(), key=lambda handle: handle.modified_at or 0, reverse=True)
        return [handle.id for handle in handles[:RECENT_SESSIONS]]

    def _renew(self, sessions: Iterable[str]) -> list[SessionHandle]:
        found: list[SessionHandle] = []
        for session in sessions:
            path = self._paths.get(session)
            handle = self._handle(session, path) if path is not None else None
            if handle is None:
                self._handles.pop(session, None)
            else:
                self._handles[session] = handle
                found.append(handle)
        return found

    def _handle(self, session: str, path: str) -> SessionHandle | None:
        shape = list(self._shape(session, path))
        if not shape:
            return None
        stamp = _digest(shape)
        known = self._handles.get(session)
        if known is not None and known.stamp == stamp:
            return known
        modified = max(status.st_mtime for status in shape)
        return SessionHandle(id=session, path=path, source=NAME, modified_at=modified, stamp=stamp)

    def _stamp(self, session: str, path: str) -> str:
        shape = list(self._shape(session, path))
        return _digest(shape) if shape else ""

    def _shape(self, session: str, path: str) -> Iterator[os.stat_result]:
        """Yield the status of all that changes when the session does: a few files, however long it is."""
        own = look(path)
        if own is None:
            return
        yield own
        folder = self._message_folder(session)
        for message in self.messages(session)[-WATCHED_ANSWERS:]:
            parts = f"{self.root}/part/{message}"
            files = [f"{folder}/{message}{SUFFIX}", *(f"{parts}/{part}{SUFFIX}" for part in self.parts(message)[-LATEST:])]
            for file in files:
                status = look(file)
                if status is not None:
                    yield status


def _digest(shape: Iterable[os.stat_result]) -> str:
    return blake2b("+".join(map(stamp_of, shape)).encode(), digest_size=12).hexdigest()


def _read(path: str) -> bytes:
    try:
        document = read_whole(path, "", FILE_LIMIT)
    except (OSError, ArtifactTooLarge):
        return b""
    return document.data if document is not None else b""
