"""What a session is: the one noun that the whole house talks about.

A session is one conversation of one agent. `SessionState` is its whole last state, as every event carries it and every
subscriber holds it; its counterpart is `SourceUpdate` (update.py), which says only what changed. `None` always means
"not known": a guess is never stored here.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

Activity: TypeAlias = Literal["idle", "working", "waiting", "terminal"]
"""What the session is doing: the source's word."""

WaitingFor: TypeAlias = Literal["permission", "question", "plan", "prompt"]
"""Whom a waiting session waits for. The first three stop a turn in the middle; `prompt` is the end of one."""

Lifecycle: TypeAlias = Literal["active", "terminal"]
"""Whether the board still follows the session: the board's word, never the source's."""

WindowFrom: TypeAlias = Literal["reported", "observed", "table", "unknown"]
"""Where the size of the context window is from. Only `reported` is the client's own number for this session."""

EvidenceKind: TypeAlias = Literal["hook", "registry", "lock", "process", "record", "tool", "age", "none"]
"""How a state is known, best first; `none` says that nothing decides between the possible states."""

Status: TypeAlias = Literal["healthy", "degraded", "failed", "paused", "offline"]
"""How a source is doing. `offline` only on the board of a fleet: its machine is not heard; `updated_at` is its last word."""

Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""A moment. One without a time zone cannot be compared with others, so it is refused where bytes become messages."""


def origin(source: str, host: str | UnsetType) -> str:
    """Return by what a source is known on a board: its name, on the board of a fleet with its machine (`claude@laptop`)."""
    return source if host is UNSET else f"{source}@{host}"


NEEDS_YOU: frozenset[str] = frozenset(("permission", "question", "plan"))
"""The values of `waiting_for` in which a turn stands still until a person acts."""


class Evidence(Struct, frozen=True, kw_only=True, gc=False):
    """Why a session is said to be in its state: what was seen, and since when."""

    kind: EvidenceKind
    detail: str = ""
    since: Time | None = None


class Subagent(Struct, frozen=True, kw_only=True, gc=False):
    """A helper that a session started and that has no session row of its own.

    Counts and tokens are totals of the helper alone; they are not part of the parent's.
    """

    id: str
    parent_tool_use_id: str | None = None
    slug: str | None = None
    kind: str | None = None
    activity: Activity = "idle"
    current_tool: str | None = None
    model: str | None = None
    context_tokens: int | None = None
    output_tokens: int | None = None
    message_count: int = 0
    tool_call_count: int = 0
    started_at: Time | None = None
    last_activity_at: Time | None = None
    completed_at: Time | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_creation_tokens: int | None = None


class SessionState(Struct, frozen=True, kw_only=True, gc=False):
    """The whole last state of one session.

    Tokens are totals over the session's own records as its client counts them, `context_tokens` is what the model
    holds now. `message_count`, `tool_call_count` and `compaction_count` are what was ever said: they never go down
    unless the artifact itself was replaced. Times are UTC. `host` is its machine; only the board of a
    fleet says it.
    """

    id: str
    source: str
    slug: str | None = None
    title: str | None = None
    activity: Activity = "idle"
    waiting_for: WaitingFor | None = None
    evidence: Evidence | None = None
    lifecycle: Lifecycle = "active"
    end_reason: str | None = None
    model: str | None = None
    working_dir: str | None = None
    branch: str | None = None
    context_tokens: int | None = None
    max_context_tokens: int | None = None
    max_context_from: WindowFrom = "unknown"
    context_utilization: float | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_creation_tokens: int | None = None
    output_tokens: int | None = None
    token_estimated: bool = False
    message_count: int = 0
    tool_call_count: int = 0
    compaction_count: int = 0
    current_tool: str | None = None
    current_tool_started_at: Time | None = None
    parent_id: str | None = None
    subagents: tuple[Subagent, ...] = ()
    client_version: str | None = None
    started_at: Time | None = None
    last_activity_at: Time | None = None
    last_data_received_at: Time | None = None
    completed_at: Time | None = None
    version: int = 0
    host: str | UnsetType = UNSET

    @property
    def origin(self) -> str:
        """Its source, on the board of a fleet with its machine."""
        return origin(self.source, self.host)

    @property
    def needs_you(self) -> bool:
        """Whether a turn of this session stands still until a person acts."""
        return self.lifecycle == "active" and self.activity == "waiting" and self.waiting_for in NEEDS_YOU


class HealthState(Struct, frozen=True, kw_only=True, gc=False):
    """How one source's worker is doing. Texts carry no paths of the user's home and nothing of a conversation.

    `quarantined` are the handles of sessions that are set aside because they ended workers; `traceback` is where the last
    hung worker stood, innermost frame first.
    `rebuilt` says why the board had to make its stored knowledge anew, and from what; None if it never had to.
    `home` is the folder in which the agent's files are read, `home_from` why that one: `default`, the name of a variable of
    the environment, `configuration` or `--source`. `absent` are the paths in which the agent was looked for, if it is not
    installed. `settled` says that all there was to read has been read since the worker began. `left_out` is how many
    sessions are not read because they did not move within `board.since`. `host` is its machine; only the board of a fleet
    says it.
    """

    source: str
    status: Status = "healthy"
    reason: str | None = None
    pid: int | None = None
    incarnation: int = 0
    restarts: int = 0
    last_error: str | None = None
    unknown_records: int = 0
    quarantined: tuple[str, ...] = ()
    discover_failures: int = 0
    parse_failures: int = 0
    updated_at: Time | None = None
    rss_bytes: int | None = None
    cpu_percent: float | None = None
    lag_seconds: float | None = None
    unknown_since: Time | None = None
    unknown_client: str | None = None
    traceback: str | None = None
    rebuilt_at: Time | None = None
    rebuilt: str | None = None
    home: str | None = None
    home_from: str | None = None
    absent: tuple[str, ...] = ()
    settled: bool = False
    left_out: int = 0
    host: str | UnsetType = UNSET

    @property
    def origin(self) -> str:
        """The source, on the board of a fleet with its machine."""
        return origin(self.source, self.host)
