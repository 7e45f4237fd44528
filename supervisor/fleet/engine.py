"""Engine: what carries a fleet's board from its machines to its viewers. The interface that a second engine has to offer.

An engine keeps two buckets of keys (`keys.py`) and a history. `state` keeps the last value of each key for ever; `hosts`
forgets what was not written again for `PRESENCE_SECONDS`. Each value has a revision, which grows with each write to the
bucket, and is only written over by whoever names the one that stands: that is all the order that exporters need
(`entries.py`). `NatsEngine` (`nats_engine.py`) is ours; tests have one in memory. An engine never blocks the loop, raises
only what stands in `errors.py`, and starts over by itself when told to `connect` again.
"""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Protocol, TypeAlias

from msgspec import Struct

PRESENCE_SECONDS = 30.0
"""After so long without a word a machine is offline, and another exporter may write for it."""


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """What stands under a key since `at` (the engine's time); `value` None: it was dropped."""

    key: str
    revision: int
    value: bytes | None
    at: datetime


class Whole(Struct, frozen=True):
    """A watch has told everything that stands; what comes from now on are changes."""


Told: TypeAlias = Entry | Whole


class Bucket(Protocol):
    """Keys with values."""

    async def get(self, key: str) -> Entry | None:
        """Return what stands under a key; None if nothing ever did, or nothing that is still known."""
        ...

    async def put(self, key: str, value: bytes, revision: int) -> int:
        """Write, if `revision` is what stands there (0: nothing does); returns the new revision. Raises Conflict."""
        ...

    async def drop(self, key: str, revision: int) -> int:
        """Take a value away, if `revision` is what stands there; returns the new revision. Raises Conflict."""
        ...

    def watch(self, prefix: str = "") -> AsyncGenerator[Told]:
        """Tell each key that stands below a token (`laptop`; "": all), then `Whole`, then each change. Close it after use.

        Dropped keys are told only as changes. Raises EngineLost as soon as something may have been missed.
        """
        ...


class Engine(Protocol):
    """The two buckets and the history. Every method may raise EngineLost and EngineRefused."""

    @property
    def state(self) -> Bucket:
        """What was said last of each session and source."""
        ...

    @property
    def hosts(self) -> Bucket:
        """Which machines are there (`Presence`), by `token(host)`."""
        ...

    async def connect(self) -> None:
        """Be connected, with both buckets there. It may be called again after EngineLost."""
        ...

    async def append(self, path: tuple[str, ...], value: bytes, once: str) -> None:
        """Add to the history: `path` is host, source, session and kind; what has the same `once` is kept once."""
        ...

    async def close(self) -> None:
        """Let go of everything. Never raises."""
        ...
