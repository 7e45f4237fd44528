"""Rows: what one line of a Claude Code transcript may say, as far as anyone here asks.

A row is either part of the conversation (type user, assistant, system, attachment, progress: it has a time and a place)
or a note about the session that is written again and again (titles, modes, costs): the last one counts. The counterpart
is `fold.py`, which makes a state of them. Shapes seen in files of 1.0.128, 2.0.37, 2.1.50, 2.1.197 and 2.1.330.
"""

from typing import Any

from msgspec import Raw, Struct

from ..rows import Rows


class Usage(Struct, gc=False):
    """Tokens of one model answer, as the API counted them; the three kinds of input do not overlap."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None


class Block(Struct, gc=False):
    """One piece of a message: text, thinking, tool_use (`id`, `name`, `input`) or tool_result (`tool_use_id`)."""

    type: str | None = None
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = Raw()
    tool_use_id: str | None = None


class Message(Struct, gc=False):
    """What a person or the model said. A row holds one block of an answer; its rows share `id` and mostly `usage`."""

    id: str | None = None
    model: str | None = None
    content: list[Block] | str | None = None
    stop_reason: str | None = None
    usage: Usage | None = None


class Row(Struct, gc=False):
    """One line. Key order is free and unknown fields are many; only `type` decides what a row is.

    Fields stand in the order in which 2.x writes them: the decoder looks for the next key behind the last one.
    Rows of other types carry a `message`, too (api-request-blob): it means nothing there.
    """

    isSidechain: bool | None = None  # noqa: N815 - the client's own names, here and below
    cwd: str | None = None
    version: str | None = None
    gitBranch: str | None = None  # noqa: N815
    message: Message | str | None = None
    requestId: str | None = None  # noqa: N815
    requestedModel: str | None = None  # noqa: N815
    type: str | None = None
    uuid: str | None = None
    timestamp: str | int | float | None = None
    toolUseResult: Raw = Raw()  # noqa: N815
    origin: Any = None
    slug: str | None = None
    subtype: str | None = None
    isMeta: bool | None = None  # noqa: N815
    isCompactSummary: bool | None = None  # noqa: N815
    isVisibleInTranscriptOnly: bool | None = None  # noqa: N815
    isApiErrorMessage: bool | None = None  # noqa: N815
    compactMetadata: Any = None  # noqa: N815
    customTitle: str | None = None  # noqa: N815
    agentName: str | None = None  # noqa: N815
    aiTitle: str | None = None  # noqa: N815
    summary: str | None = None
    modelUsage: dict[str, Raw] | None = None  # noqa: N815
    attachment: Raw = Raw()


READER = Rows(Row)

QUIET_TYPES = frozenset((
    "agent-color", "agent-setting", "api-request", "api-request-blob", "api-request-resumed", "api-request-shape",
    "artifact-autoreact-ledger", "artifact-comment-monitor", "atis-latch", "attribution-snapshot", "bridge-session",
    "content-replacement", "continued-in", "data-flow-incomplete", "data-flow-records", "derived-from", "dev-mods",
    "file-history-delta", "file-history-snapshot", "fork-context-ref", "frame-link", "history-suppression", "host-row",
    "hybrid-organization", "isolation-latch", "last-prompt", "memory-mode", "mode", "observer-ref", "permission-mode",
    "pr-link", "queue-operation", "relocated", "repl-mode", "resume-head-vouch", "session-owner", "tag", "tools-used",
    "worktree-state",
))  # fmt: skip
"""Notes that are known and change nothing here. Any other unknown type is drift and is counted."""


class Queued(Struct, gc=False):
    """A prompt that a person typed while the model worked: where it reaches the model within the turn, it has no other row.

    Seen in 2.1.197 and 2.1.330; what was typed is not looked at beyond its beginning.
    """

    type: str | None = None
    prompt: Any = None
    commandMode: str | None = None  # noqa: N815
    origin: Any = None


class AgentResult(Struct, gc=False):
    """The structured twin of an Agent's (or Task's) tool result; 2.0.37 and later name the agent in it."""

    agentId: str | None = None  # noqa: N815
    isAsync: bool | None = None  # noqa: N815
    status: str | None = None


class AgentInput(Struct, gc=False):
    """What a subagent was started with; `prompt` is only ever compared with the first words of an agent's file."""

    prompt: str | None = None
    subagent_type: str | None = None


class AgentMeta(Struct, gc=False):
    """`agent-<id>.meta.json`, beside an agent's file since some release after 2.1.50."""

    agentType: str | None = None  # noqa: N815
    toolUseId: str | None = None  # noqa: N815
    finished: bool | None = None
