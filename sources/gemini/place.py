"""Place: what the path of a file says about the session in it. Pure: no file is looked at.

A session's file is named after its start and the first eight characters of its id, in the folder of its project:
`tmp/<project>/chats/session-2026-01-02T03-04-1f0c24aa.jsonl` (`.json` before April 2026). A subagent's file is
`tmp/<project>/chats/<id of its parent>/<its own id>.jsonl`. The counterpart is `catalog.py`, which looks.
"""

import re
from datetime import UTC, datetime

from msgspec import Struct

PROJECTS = "tmp"
"""The folder of a home in which each project has its own."""

NO_PROJECT = "bin"
"""A folder among the projects that is none: programs that the client fetched."""

ID_CHARACTERS = 8
"""How much of a session's id its file name shows."""

_SESSION = re.compile(r"session-(\d{4}-\d\d-\d\dT\d\d-\d\d)-(.{1,8})\.jsonl?")
_SUBAGENT = re.compile(r"(.+)\.jsonl?")


class Place(Struct, frozen=True, gc=False):
    """Where a file lies: `id` is what its name says of its session, `parent` the id of a subagent's parent, else ""."""

    home: str
    project: str
    id: str
    minute: str = ""
    parent: str = ""

    @property
    def folder(self) -> str:
        """The project's folder."""
        return f"{self.home}/{PROJECTS}/{self.project}"

    @property
    def key(self) -> str:
        """The same for all files that may belong to one session."""
        return f"{self.parent}/{self.id}" if self.parent else self.id

    @property
    def family(self) -> str:
        """The key of the session itself, of a subagent's parent."""
        return self.parent[:ID_CHARACTERS] or self.id


def place_of(home: str, path: str) -> Place | None:
    """Read a path below `home`; None if no session's file has such a one."""
    within = path.removeprefix(f"{home}/{PROJECTS}/")
    project, *rest = within.split("/")
    # Names that cannot be shown (or not even be written as UTF-8) are none of the client's.
    if within == path or project == NO_PROJECT or not within.isprintable():
        return None
    match rest:
        case ["chats", name] if found := _SESSION.fullmatch(name):
            return Place(home, project, found[2], minute=found[1])
        case ["chats", parent, name] if found := _SUBAGENT.fullmatch(name):
            return Place(home, project, found[1], parent=parent)
        case _:
            return None


def started_at(minute: str) -> datetime | None:
    """Read the minute in a file's name, in UTC."""
    try:
        return datetime.fromisoformat(f"{minute[:13]}:{minute[14:]}").replace(tzinfo=UTC)
    except ValueError:
        return None
