"""Sight: what a look at a source shows, for `bellboard doctor`: a question goes down, a sight comes up.

Asked of a process of its own (`python -m bellboard.workers.look`), so that a source that cannot be imported, hangs or
crashes spoils one line of the answer and nothing else. It is no part of the board: nothing here is counted or published.
"""

from typing import Any

from msgspec import Struct

from .place import Place


class Question(Struct, frozen=True, kw_only=True):
    """Which source to look at, as an `Order` says it, whether to try inotify, and from when on sessions count as old."""

    source: str
    factory: str | None = None
    options: dict[str, Any] = {}
    spool: str | None = None
    watch: bool = True
    oldest: float | None = None


class Sight(Struct, frozen=True, kw_only=True):
    """What was seen. `error` says in which step what went wrong, None if nothing did.

    `installed` is false where the agent is not; `newest` is in epoch seconds; `old` sessions moved before the question's
    `oldest` for the last time. The newest sessions were read, too: `tried` of them, in which `unknown` records were not
    understood; `unreadable` are the errors that were raised. `unwatched` says why not every folder that matters is watched,
    None if each is.
    """

    version: str
    error: str | None = None
    installed: bool = True
    places: tuple[Place, ...] = ()
    sessions: int = 0
    live: int = 0
    newest: float | None = None
    old: int = 0
    tried: int = 0
    unknown: int = 0
    client: str | None = None
    unreadable: tuple[str, ...] = ()
    folders: int = 0
    unwatched: str | None = None
