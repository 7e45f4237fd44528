"""An update comes up: what a worker tells the board.

The counterpart is `order.py`, which goes down. `SourceUpdate` is what a source found out about one session; `Update`
carries it together with the two ends of the cursor step that it stands for, so that the board can apply each step
exactly once. All messages are msgspec tagged unions; fields may grow, names stay.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from .session import Activity, Evidence, Subagent, Time, WaitingFor, WindowFrom

PROTOCOL_VERSION = 1

Delta: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 40)]
"""What one step adds to a count: never negative, and never so much that sums could overflow what is stored."""


class SourceUpdate(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one `parse` found out about one session.

    A field left `UNSET` says nothing and overwrites nothing; `None` is knowledge ("no tool runs now") and does
    overwrite. Tokens are absolute totals, the four `*_delta` fields are what this step adds and never negative.
    `restart` says that the artifact was truncated or replaced: the deltas count from zero again. `ended_at` left unset
    on a terminal update means now.
    """

    session_id: str
    slug: str | UnsetType | None = UNSET
    title: str | UnsetType | None = UNSET
    activity: Activity | UnsetType = UNSET
    evidence: Evidence | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    working_dir: str | UnsetType | None = UNSET
    branch: str | UnsetType | None = UNSET
    context_tokens: int | UnsetType | None = UNSET
    output_tokens: int | UnsetType | None = UNSET
    max_context_tokens: int | UnsetType | None = UNSET
    max_context_from: WindowFrom | UnsetType = UNSET
    token_estimated: bool | UnsetType = UNSET
    message_count_delta: Delta = 0
    tool_call_count_delta: Delta = 0
    compaction_count_delta: Delta = 0
    unknown_records_delta: Delta = 0
    current_tool: str | UnsetType | None = UNSET
    current_tool_started_at: Time | UnsetType | None = UNSET
    waiting_for: WaitingFor | UnsetType | None = UNSET
    input_tokens: int | UnsetType | None = UNSET
    cache_read_tokens: int | UnsetType | None = UNSET
    cache_creation_tokens: int | UnsetType | None = UNSET
    started_at: Time | UnsetType | None = UNSET
    last_activity_at: Time | UnsetType | None = UNSET
    subagents: tuple[Subagent, ...] | UnsetType = UNSET
    parent_id: str | UnsetType | None = UNSET
    client_version: str | UnsetType | None = UNSET
    terminal: bool = False
    end_reason: str | UnsetType | None = UNSET
    ended_at: Time | UnsetType | None = UNSET
    restart: bool = False


class Hello(Struct, frozen=True, kw_only=True, tag="hello", gc=False):
    """First word of an incarnation; `token` proves that the supervisor itself started it."""

    v: int
    source: str
    inc: int
    token: str
    pid: int


class Update(Struct, frozen=True, kw_only=True, tag="update", omit_defaults=True, gc=False):
    """One cursor step of one handle: from the stored cursor whose hash is `before` to the cursor `after`.

    `facts` is None when bytes were consumed and nothing was to report; the cursor is stored all the same.
    `modified_at` is the artifact's own time of last change (epoch seconds), `live` whether live evidence stood behind
    the session when it was read.
    """

    inc: int
    seq: int
    handle: str
    before: str
    after: str
    facts: SourceUpdate | None = None
    modified_at: float | None = None
    live: bool = False


class Beat(Struct, frozen=True, kw_only=True, tag="beat", gc=False):
    """Proof of progress, every `beat` seconds and at the end of each pass over everything.

    `progress` only ever grows; `passes` counts completed passes (each handle parsed until nothing was new and every
    update of it acknowledged); `backlog` is the number of handles still to be parsed; `failing` how many handles raised
    at their last parse; `discover_failures` how often discover has failed in a row; `left_out` how many sessions are too
    old to be read.
    """

    progress: int
    phase: str
    backlog: int = 0
    passes: int = 0
    failing: int = 0
    discover_failures: int = 0
    lag_seconds: float | None = None
    left_out: int = 0


class Fault(Struct, frozen=True, kw_only=True, tag="fault", gc=False):
    """Something went wrong and work goes on. `detail` carries no conversation text and no path of the user's home."""

    scope: Literal["source", "discover", "handle", "record"]
    code: str
    detail: str
    handle: str | None = None


class Changed(Struct, frozen=True, kw_only=True, tag="changed", gc=False):
    """The file of a handle that is set aside is not what it was; the board answers with Release when it may be tried."""

    handle: str


class Bye(Struct, frozen=True, kw_only=True, tag="bye", gc=False):
    """Last word of an incarnation that ends by itself.

    `unavailable` means that the agent is not installed; `looked` are the paths whose appearance would change that.
    """

    reason: Literal["drained", "fenced", "unavailable", "failed"]
    looked: tuple[str, ...] = ()


Upward: TypeAlias = Hello | Update | Beat | Fault | Changed | Bye
"""Everything a worker may say."""
