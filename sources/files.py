"""Files: find an agent's artifacts cheaply, again and again.

A folder is listed anew only when its own time of change says that something came or went; the files in it cost one
stat each. Whatever vanishes between two calls is ordinary here and never an error. The counterpart is `tail.py` and
`whole.py`, which read what was found.
"""

import os
import stat
import time
from collections.abc import Iterator

from msgspec import Struct

SETTLED_SECONDS = 2.0
"""A folder changed more recently than this may change again within the same tick of its file system's clock."""


class Listing(Struct, frozen=True):
    """Names in one folder, sorted: those of folders (links to folders left out) and all others."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


MISSING = Listing()
"""What a folder holds that is not there: compared with `is` by those who ask whether it is."""


class Folders:
    """Listings of folders, remembered while their folder has not changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int], Listing]] = {}

    def list(self, path: str) -> Listing:
        """List one folder. A missing folder is `MISSING`; raises OSError if it is there and cannot be read."""
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            self._known.pop(path, None)
            return MISSING
        key = (status.st_mtime_ns, status.st_ino)
        known = self._known.get(path)
        if known is not None and known[0] == key:
            return known[1]
        listing = _list(path)
        if time.time() - status.st_mtime > SETTLED_SECONDS:
            self._known[path] = (key, listing)
        else:
            self._known.pop(path, None)
        return listing

    def walk(self, path: str, depth: int) -> Iterator[tuple[str, Listing]]:
        """Yield the folder and those below it, at most `depth` levels down; links to folders are not followed."""
        listing = self.list(path)
        yield path, listing
        if depth > 0:
            for name in listing.folders:
                yield from self.walk(f"{path}/{name}", depth - 1)


def _list(path: str) -> Listing:
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    return Listing(tuple(sorted(files)), tuple(sorted(folders)))


def look(path: str) -> os.stat_result | None:
    """Return the status of a regular file, or None if there is none (any more) that may be looked at."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def why_of(option: object, variable: str | None) -> str:
    """Say who chose what `home_of` returns, as `Place.why` wants it."""
    return "setting" if option else variable if variable and os.environ.get(variable) else "default"


def home_of(option: str | None, variable: str | None, default: str) -> str:
    """Where an agent keeps its files: the setting, else the agent's own environment variable, else its default."""
    chosen = option or (os.environ.get(variable) if variable else None) or default
    return os.path.abspath(os.path.expanduser(chosen))
