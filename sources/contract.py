"""The source contract: how one agent's files become updates.

A source knows one agent. It answers two questions: which sessions are there (`discover`), and what is new in one of
them since a cursor (`parse`). Its counterpart is the worker's round (`workers/round.py`), which asks them.
Sources are run in a process of their own and may be wrong, slow or fatal without hurting anyone else.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from ..protocol.place import Place
from ..protocol.session import Evidence, Subagent
from ..protocol.update import SourceUpdate

Cursor: TypeAlias = str
"""Where a source has got to in one session: opaque outside the source, compared for equality only.

`""` is the beginning. It holds all that a parser needs to go on (identity of the file, offset, open tool calls, the last
message ids with their token counts, running sums), typically under 2 KiB and never above `CURSOR_LIMIT`.
"""

CURSOR_LIMIT = 64 * 1024
"""Bytes: a source that cannot go on from less starts again with `restart`."""

READ_LIMIT = 1024 * 1024
"""Bytes that one call of `parse` reads at most (one longer line excepted)."""


class SessionHandle(Struct, frozen=True, kw_only=True):
    """One session as `discover` sees it, without having parsed anything.

    `path` is its main artifact; `modified_at` (epoch seconds) is the newest change of any of its files, None where that
    is not known; `live` says that live evidence (a process, a lock) stands behind it; `stamp` is the source's own short
    description of all that `parse` would look at in its present shape, "" where there is none: a handle that `discover`
    gives with the stamp with which nothing was new is not parsed again.
    """

    id: str
    path: str
    source: str
    working_dir: str | None = None
    started_at: datetime | None = None
    modified_at: float | None = None
    live: bool = False
    stamp: str = ""


class Source(Protocol):
    """What every source offers. See also `Watching` for what a source may offer besides."""

    @property
    def name(self) -> str:
        """Stable, lower case; the key of health and of events."""
        ...

    def discover(self) -> Iterable[SessionHandle]:
        """List the sessions there are, cheaply: no parsing. Raises `SourceUnavailable` if the agent is not installed."""
        ...

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """Read on from `cursor`, at most `READ_LIMIT` bytes, and say what was found and where to go on.

        `(None, same cursor)`: nothing new. `(None, new cursor)`: consumed, nothing to report. An error is raised, never
        returned. The same artifact with the same cursor gives the same result.
        """
        ...


@runtime_checkable
class Watching(Protocol):
    """What a source may offer so that a change is seen at once and an idle machine stays idle."""

    def watch(self) -> Iterable[str]:
        """Folders in which a change matters; they need not exist yet. Called again after each `discover`."""
        ...

    def touched(self, paths: Sequence[str]) -> Iterable[SessionHandle]:
        """Handles of the sessions to which these changed paths belong, new ones included."""
        ...

    def pulse(self) -> Iterable[SessionHandle]:
        """Handles whose state may have changed without any file changing (a process that ended). Called once a second."""
        ...


@runtime_checkable
class Resting(Protocol):
    """What a watching source may offer so that it is not woken each second for nothing."""

    def rest(self) -> float:
        """Seconds for which no pulse is needed, as long as nothing is touched or parsed; `inf`: for good."""
        ...


@runtime_checkable
class Placed(Protocol):
    """What a source may offer so that `bellboard doctor` can say where it looks, and why there."""

    def where(self) -> Iterable[Place]:
        """Say in which folders sessions are looked for, whether they exist or not."""
        ...


Factory: TypeAlias = Callable[[], Source]


class Registry:
    """Which sources there are: name -> factory. Filled by each source module's `register(registry, **options)`."""

    def __init__(self) -> None:
        self._factories: dict[str, Factory] = {}

    def add(self, name: str, factory: Factory) -> None:
        """Make a source known. Raises ValueError if the name is not `[a-z0-9_-]+` or is taken."""
        if not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-"):
            raise ValueError(f"source name {name!r}: use lower-case letters, digits, - and _")
        if name in self._factories:
            raise ValueError(f"source name {name!r} is registered twice")
        self._factories[name] = factory

    def create(self, name: str) -> Source:
        """Make the source called `name`. Raises LookupError if nothing was registered under it."""
        if name not in self._factories:
            raise LookupError(f"no source called {name!r} is registered (known: {', '.join(self.names()) or 'none'})")
        return self._factories[name]()

    def names(self) -> list[str]:
        """Return the registered names, sorted."""
        return sorted(self._factories)


__all__ = [
    "CURSOR_LIMIT",
    "READ_LIMIT",
    "Cursor",
    "Evidence",
    "Factory",
    "Place",
    "Placed",
    "Registry",
    "Resting",
    "SessionHandle",
    "Source",
    "SourceUpdate",
    "Subagent",
    "Watching",
]
