"""State: all that is known of a thread between two readings; the cursor is nothing but this.

A thread is one or more physical files (a rewind starts a new one), so there is one `Part` a file with its `Mark` (the
byte offset and what the file looked like there), and one set of facts, which is that of the newest file. The
counterpart is `facts.py`, which says to the board what stands here.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from ..cursors import Cursors
from ..tail import Mark
from .openers import Opener

FORM = 1
"""The shape of the cursor: another number is another program's, and the thread is read anew."""

CHAIN_LIMIT = 64
"""Files of one thread that are remembered; older ones were read whole and are never looked at again."""

OPEN_LIMIT = 32
"""Tool calls without a result that are remembered; the oldest goes first."""

Lock: TypeAlias = Literal["held", "free", "present", "absent", "unknown"]
"""What the client's lock file says: held by a process; there but free; there, and this system cannot say more;
not there; no folder of locks (clients before 0.150)."""

Turn: TypeAlias = Literal["none", "working", "over"]


class Totals(Struct, array_like=True, frozen=True):
    """Tokens of a thread's lifetime, as its client counts them."""

    input: int | None = None
    cached: int | None = None
    written: int | None = None
    output: int | None = None


class Call(Struct, array_like=True, frozen=True):
    """A tool call that has no result yet."""

    name: str
    since: str | None = None


class Part(Struct, array_like=True):
    """How far one physical file has been read, and what is known about its beginning.

    `stage`: 0 no row yet, 1 rows but no header, 2 only the header, 3 going on. `floor`: records with a lower ordinal are
    a copied history. `copying`: 1 inside a copied history, 2 and its turns carry ids or times, 0 not.
    """

    mark: Mark = Mark()
    stage: int = 0
    floor: int = 0
    copying: int = 0

    @property
    def plain(self) -> bool:
        """Whether all that follows is the thread's own, unless it names another."""
        return self.stage == 3 and not self.floor and not self.copying


class State(Struct, omit_defaults=True):
    """One thread. Times are kept as they were written; None is not known."""

    form: int = FORM
    parts: dict[str, Part] = field(default_factory=dict[str, Part])
    settled: str | None = None
    # what the board was told, and what was seen beside the files
    shown: bool = False
    hidden: bool = False
    sealed: bool = False
    lock: Lock = "unknown"
    name: str | None = None
    alive_seen: bool = False
    dead: bool = False
    opener: Opener | None = None
    left: bool = False
    # the header
    started: str | None = None
    version: str | None = None
    branch: str | None = None
    parent: str | None = None
    nickname: str | None = None
    born_locking: bool = False
    locking: bool = False
    # the records
    title: str | None = None
    cwd: str | None = None
    model: str | None = None
    window: int | None = None
    context: int | UnsetType | None = UNSET
    totals: Totals | None = None
    inherited: Totals | None = None
    copied: Totals | None = None
    fork: Literal["", "reference", "copy"] = ""
    turn: Turn = "none"
    why: str = ""
    since: str | None = None
    eventful: bool = False
    open: dict[str, Call] = field(default_factory=dict[str, Call])
    last: str | None = None
    modified: float | None = None

    @property
    def begun(self) -> bool:
        """Whether any record was read."""
        return any(part.stage for part in self.parts.values())

    @property
    def gone(self) -> bool:
        """Whether no process has the thread open: the lock proves it, or the process that was seen with its file is gone.

        A missing lock file proves it only if the client that wrote last is one that locks (0.150 and later).
        """
        closed = self.lock == "absent" and (self.locking or self.sealed or not self.begun)
        return self.left or self.lock == "free" or closed


CURSORS = Cursors(State)
"""How a state travels: `load` and `store`."""

load = CURSORS.load
store = CURSORS.store
copy = CURSORS.copy


def compose(stamps: Sequence[str], lock: Lock, name: str | None) -> str:
    """Describe a thread's present shape: its files in order, its lock and its name. Never holds a `|`."""
    files = "+".join(stamps)
    if len(stamps) > 2:
        files = f"{stamps[-1]}+{blake2b(files.encode(), digest_size=12).hexdigest()}"
    title = blake2b(name.encode(), digest_size=6).hexdigest() if name else ""
    return f"{files}/{lock}{title}"
