"""An order goes down: what the supervisor tells a worker.

The counterpart is `update.py`, which comes up. The first `Order` is handed over through an inherited file descriptor, so
that nothing secret stands in argv or the environment; all later ones travel over the worker's socket.
"""

from typing import Any, Literal, TypeAlias

from msgspec import Struct

from .privacy import Level


class Order(Struct, frozen=True, kw_only=True):
    """All a worker needs to know to begin: which source, as which incarnation, and where the board is.

    `factory` is "package.module:callable" for a source that comes straight from the settings, None for a registered one.
    `since` (seconds) bounds how old a session without a cursor may be to be read at all; None reads everything.
    `sweep`, `pulse` and `beat` are seconds; `spool` is the folder into which agents' hooks write. `memory` (bytes) bounds
    what the worker may allocate, where the system can hold it to that; None: no bound. `privacy` says how much may leave
    the worker, and `seal` is the key that keeps cursors unreadable below level `full`.
    """

    source: str
    inc: int
    token: str
    endpoint: str
    parent_pid: int
    factory: str | None = None
    options: dict[str, Any] = {}
    since: float | None = None
    sweep: float = 2.0
    sweep_watched: float = 60.0
    pulse: float = 0.5
    beat: float = 2.0
    watch: bool = True
    spool: str | None = None
    memory: int | None = None
    privacy: Level = "full"
    seal: bytes = b""


class Grant(Struct, frozen=True, kw_only=True, tag="grant"):
    """Permission to work, in answer to Hello; comes in pages, the last of which has `more` false.

    `credit` is how many updates may be unacknowledged, `cursors` maps handles to stored cursors. `quarantined` are handles
    to leave alone, with the shape in which each was poisonous; `suspects` are handles to parse after all others.
    """

    inc: int
    epoch: str
    credit: int
    cursors: dict[str, str] = {}
    quarantined: dict[str, str] = {}
    suspects: tuple[str, ...] = ()
    more: bool = False


class Ack(Struct, frozen=True, kw_only=True, tag="ack", omit_defaults=True, gc=False):
    """The update with this number is stored for good, and so are those in `also`."""

    seq: int
    also: tuple[int, ...] = ()


class Nack(Struct, frozen=True, kw_only=True, tag="nack", gc=False):
    """The update with this number was not applied. For `stale_cursor`, `have` is the stored cursor to go on from."""

    seq: int
    code: Literal["stale_cursor", "too_big", "invalid", "quarantined"]
    handle: str = ""
    have: str = ""


class Release(Struct, frozen=True, kw_only=True, tag="release", gc=False):
    """This handle is not to be left alone any more."""

    handle: str


class Ping(Struct, frozen=True, kw_only=True, tag="ping", gc=False):
    """Answer with a Beat now."""


class Drain(Struct, frozen=True, kw_only=True, tag="drain", gc=False):
    """Stop reading, wait at most `deadline` seconds for the acknowledgements that are out, say Bye and end."""

    deadline: float


class Fenced(Struct, frozen=True, kw_only=True, tag="fenced", gc=False):
    """A newer incarnation works for this source: end, nothing you say counts any more."""


Downward: TypeAlias = Grant | Ack | Nack | Release | Ping | Drain | Fenced
"""Everything the board may say to a worker over the wire."""
