"""Roots: the folders in which the client keeps session files.

`sessions` of its own folder has one folder for each project. A folder that somebody chose instead, by environment or
settings, has the files of all projects side by side. The counterpart is `shelf.py`, which looks for the files.
"""

import os
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ..errors import SourceError
from ..files import home_of
from ..whole import read_whole

AGENT_VARIABLE = "PI_CODING_AGENT_DIR"
SESSION_VARIABLE = "PI_CODING_AGENT_SESSION_DIR"

SETTINGS_LIMIT = 1024 * 1024
"""Bytes of settings that are read."""


class Root(Struct, frozen=True):
    """A folder with session files, and the beginning of the names of those folders in it that have some, too."""

    path: str
    inner: str = ""


class _Settings(Struct, rename="camel"):
    session_dir: Any = None


class Roots:
    """The roots of one home: a folder that was named, else where the client itself would look."""

    def __init__(self, home: str | None) -> None:
        if home is not None:
            self.home = home_of(home, None, "")
            agents = (f"{self.home}/agent", self.home)
            # A folder of session files may be named directly, as well.
            self._fixed = [*(Root(f"{agent}/sessions") for agent in agents), Root(self.home, "--")]
        else:
            self.home = home_of(None, AGENT_VARIABLE, "~/.pi/agent")
            agents = (self.home,)
            self._fixed = [Root(f"{self.home}/sessions")]
            chosen = os.environ.get(SESSION_VARIABLE)
            if chosen:
                self._fixed.append(Root(home_of(chosen, None, "")))
        self.settings = tuple(f"{agent}/settings.json" for agent in agents)
        self._read: dict[str, tuple[str, str | None]] = {}

    def exist(self) -> bool:
        """Whether the client has ever been here."""
        return os.path.isdir(self.home) or any(os.path.isdir(root.path) for root in self.list())

    def list(self) -> Sequence[Root]:
        """Return the roots as they are set now."""
        chosen = [folder for path in self.settings if (folder := self._chosen(path)) is not None]
        known = {root.path for root in self._fixed}
        return [*self._fixed, *(Root(folder) for folder in dict.fromkeys(chosen) if folder not in known)]

    def _chosen(self, path: str) -> str | None:
        """Return the folder that settings name, if it can be told without knowing where the client was started."""
        stamp, folder = self._read.get(path, ("", None))
        try:
            document = read_whole(path, stamp, SETTINGS_LIMIT)
        except (OSError, SourceError):
            return None  # without settings the client keeps to its own folder
        if document is not None:
            folder = _session_dir(document.data)
            self._read[path] = (document.stamp, folder)
        return folder


def _session_dir(text: bytes) -> str | None:
    try:
        folder = msgspec.json.decode(text, type=_Settings).session_dir
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if not isinstance(folder, str) or "\0" in folder or not folder.startswith(("/", "~")):
        return None
    return os.path.abspath(os.path.expanduser(folder))
