"""Facts: from what is remembered of a session to what is said of it. Pure.

The files cannot say two things: whether a tool runs or waits for approval (nothing is written until the whole batch has
ended, not even its name), and whether the client still lives. So a session is never called `permission` or `terminal`
from its file; only a subagent that has handed in its result is known to have ended.
"""

from typing import TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ...protocol.session import Activity, Evidence, EvidenceKind, WaitingFor
from ...protocol.update import SourceUpdate
from .state import Chat, Part, State, Totals, Turn
from .text import when

DEFAULT_WINDOW = 1_048_576
"""Tokens: the client's own table has this for each Gemini model and for models that it does not know (0.61.0)."""

GEMMA_4_WINDOW = 256_000

_MEANING: dict[Turn, tuple[Activity, EvidenceKind, str]] = {
    "": ("idle", "record", "no turn has begun"),
    "asked": ("working", "record", "a prompt was sent and has no answer yet"),
    "tools": ("working", "tool", "a tool has no result yet; it may wait for approval"),
    "ran": ("working", "record", "the tools have ended and the model goes on"),
    "answered": ("waiting", "record", "the model has answered; a tool that it called along with that may still run"),
    "cancelled": ("waiting", "record", "the turn was cancelled"),
    "rewound": ("waiting", "record", "the conversation was rewound"),
    "rebuilt": ("waiting", "record", "the conversation was loaded again or shortened"),
    "finished": ("terminal", "record", "the task was handed in"),
}

Known = TypeVar("Known")


def leading(state: State) -> Part | None:
    """Return the file that speaks for the session: the one with the most messages, the `.jsonl` if it is one of them."""
    rank = {
        name: (part.chat.messages, name.endswith(".jsonl"), part.chat.newest, name)
        for name, part in state.files.items()
    }
    return state.files[max(rank, key=lambda name: rank[name])] if rank else None


def totals(state: State) -> Totals:
    """Return the counts of the session. The files of one session repeat each other: the highest counts, never the sum."""
    chats = [part.chat for part in state.files.values()]
    return Totals(
        max([state.told.messages, *(chat.messages for chat in chats)]),
        max([state.told.tools, *(chat.tools for chat in chats)]),
        max([state.told.compactions, *(chat.compactions for chat in chats)]),
        max(state.told.unknown, sum(chat.unknown for chat in chats)),
    )


def facts(state: State, *, restart: bool = False) -> SourceUpdate | None:
    """Say all that is known of a session, without counts; None if it has no name yet.

    With `restart` what is unknown is said, too, as None: it overwrites what was known before.
    """
    part = leading(state)
    if part is None or not state.name:
        return None
    chat = part.chat
    missing = None if restart else UNSET

    def known(value: Known) -> Known | UnsetType | None:
        return value if value not in {None, ""} else missing

    activity, waiting_for, evidence = _activity(state, chat)
    spent = chat.context is not None
    return SourceUpdate(
        session_id=state.name,
        title=known(chat.summary or chat.prompt),
        activity=activity,
        waiting_for=waiting_for,
        evidence=evidence,
        model=known(chat.model),
        working_dir=known(state.folder or chat.workspace or chat.directory),
        context_tokens=known(chat.context),
        input_tokens=chat.input if spent else missing,
        cache_read_tokens=chat.cached if spent else missing,
        output_tokens=chat.output if spent else missing,
        max_context_tokens=_window(chat.model) if chat.model else missing,
        max_context_from="table" if chat.model else "unknown" if restart else UNSET,
        current_tool=None,
        current_tool_started_at=None,
        started_at=known(when(state.started)),
        last_activity_at=known(when(state.newest)),
        parent_id=known(state.parent),
        terminal=activity == "terminal",
        end_reason="task complete" if activity == "terminal" else None,
        ended_at=when(chat.since) if activity == "terminal" else None,
    )


def _activity(state: State, chat: Chat) -> tuple[Activity, WaitingFor | None, Evidence]:
    activity, kind, detail = _MEANING[chat.turn]
    since = chat.since
    if not chat.session:
        kind, detail = "none", "nothing is known yet"
    if chat.turn in {"tools", "answered"} and state.subagent_since > since:
        # It began after the parent's newest word, and that has not got its tool calls yet.
        activity, kind, detail, since = "working", "tool", "a subagent has not come back yet", state.subagent_since
    elif activity == "waiting" and chat.kind == "subagent":
        # Nobody is asked: either its parent goes on with it, or it was given up.
        activity, detail = "idle", f"{detail}; the subagent has not handed in its task"
    waiting_for: WaitingFor | None = "prompt" if activity == "waiting" else None
    return activity, waiting_for, Evidence(kind=kind, detail=detail, since=when(since))


def _window(model: str) -> int:
    return GEMMA_4_WINDOW if model.startswith("gemma-4") else DEFAULT_WINDOW


def report(said: SourceUpdate | None, state: State, handle: str, *, restart: bool) -> SourceUpdate | None:
    """Say what changed since `said`, with the new counts, and remember that they were told; None if nothing did."""
    if restart:
        state.told, state.started, state.newest = Totals(), "", ""
    chats = [part.chat for part in state.files.values()]
    state.started = min(
        [started for started in [state.started, *(chat.started for chat in chats)] if started], default=""
    )
    state.newest = max([state.newest, *(chat.newest for chat in chats)])
    told, state.told = state.told, totals(state)
    part = leading(state)
    if part is not None and (restart or part.chat != Chat()):
        session = part.chat.session
        state.name = (session if restart else state.name) or state.name or session or handle
    found = facts(state, restart=restart)
    if found is None or (state.told == told and found == said and not restart):
        return None
    return replace(
        found,
        message_count_delta=state.told.messages - told.messages,
        tool_call_count_delta=state.told.tools - told.tools,
        compaction_count_delta=state.told.compactions - told.compactions,
        unknown_records_delta=state.told.unknown - told.unknown,
        restart=restart,
    )
