"""Asking: what a subscriber or the control command asks of the board, and what it answers.

All of it is JSON. No command carries a program, a path or code.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from .history import History, Pulse
from .session import HealthState, SessionState

Verb: TypeAlias = Literal["restart", "pause", "resume", "reset", "release", "reload", "drain"]
"""What the control socket can be told to do. `pause` and `resume` are remembered over restarts of the supervisor."""


Number: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 53)]
"""What a client counts its questions with: no more than JSON can carry, because it is said back."""


class SnapshotRequest(Struct, frozen=True, kw_only=True):
    """Ask for the board's whole state; `sources` None means all of them. `request` is echoed on each page.

    `seen` is the highest sequence number that was heard when listening began: a picture that is at least as new will do, so
    that all who join together can share one. None asks for the present moment.

    `want` asks for something else: `history` of the session `source` and `id`, or the `pulses` of all sessions of `sources`,
    of which the first `after` are left out. The answer is a `HistoryAnswer` or a `PulsesAnswer` then.
    """

    request: Number
    sources: tuple[str, ...] | None = None
    seen: Number | None = None
    want: Literal["board", "history", "pulses"] = "board"
    source: str = ""
    id: str = ""
    after: Number = 0


class SnapshotPage(Struct, frozen=True, kw_only=True):
    """One page of a snapshot. All pages of a request show the same moment (`epoch`, `seq`); `last` ends them."""

    request: int
    page: int
    last: bool
    epoch: str
    seq: int
    source_seqs: dict[str, int]
    sessions: tuple[SessionState, ...] = ()
    health: tuple[HealthState, ...] = ()


class HistoryAnswer(Struct, frozen=True, kw_only=True):
    """What one session did in the last hour."""

    request: int
    history: History


class PulsesAnswer(Struct, frozen=True, kw_only=True):
    """How busy sessions were in the last hour; those in which nothing happened are left out.

    `after` is what to ask with for the next ones, None if there are no more.
    """

    request: int
    pulses: tuple[Pulse, ...] = ()
    after: int | None = None


class Command(Struct, frozen=True, kw_only=True):
    """Ask the supervisor to do something. `source` names the source where the verb needs one, `handle` the session."""

    request: Number
    verb: Verb
    source: str | None = None
    handle: str | None = None


class Reply(Struct, frozen=True, kw_only=True):
    """What became of a command, in a sentence for people."""

    request: int
    ok: bool
    message: str
