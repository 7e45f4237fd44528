"""Facts: what a session says to the board.

What it is doing stands in its newest messages, which are looked at each time; only what needs a memory is in the state.
There is no registry of living clients and no end is ever written: whether the process still runs is not in the store, so
a session that was killed in a tool keeps its open call for ever. Nor is a request for permission there: a tool that
waits for one looks like a tool that runs. Only the tools that ask a person are known to wait.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from ...protocol.session import Activity, Evidence, WaitingFor
from ...protocol.update import SourceUpdate
from ..text import PATH_LIMIT, TITLE_LIMIT, tidy
from .fold import held_after
from .rows import Message, Part, Session
from .state import Counts, State

ASKING: dict[str, WaitingFor] = {"question": "question", "plan_exit": "plan", "plan_enter": "plan"}
"""Tools that do nothing but ask a person (read in 1.2 to 1.4)."""

GOING_ON = frozenset(("tool-calls", "unknown"))
"""Ways in which an answer ends after which the client asks the model again by itself."""

_UNNAMED = re.compile(r"(?:New|Child) session - \d{4}-\d\d-\d\dT")

_encoder = msgspec.json.Encoder()


class Latest(Struct, frozen=True):
    """The newest messages of a session, oldest first, and their parts."""

    messages: Sequence[Message] = ()
    parts: Mapping[str, Sequence[Part]] = {}

    @property
    def answer(self) -> Message | None:
        """The newest answer of the model."""
        return next((message for message in reversed(self.messages) if message.role == "assistant"), None)

    def running(self) -> Part | None:
        """Return the newest tool call without a result, if the newest answer has one."""
        answer = self.answer
        if answer is None or not answer.open:
            return None
        return next((part for part in reversed(self.parts.get(answer.id, ())) if part.open), None)


class Standing(Struct, frozen=True):
    """What a session is doing, whom it waits for, how that is known, and the tool call that runs."""

    activity: Activity
    evidence: Evidence
    waiting_for: WaitingFor | None = None
    tool: Part | None = None


def standing(session: Session, latest: Latest) -> Standing:
    """Decide what a session is doing."""
    said = next((message for message in reversed(latest.messages) if message.role), None)
    if session.archived is not None:
        return _standing("terminal", "archived", session.archived)
    if session.reverted:
        return _over(session, "a person took the last turns back", session.updated)
    if session.compacting is not None and (said is None or _time_of(said) <= session.compacting):
        return _standing("working", "the conversation is being compacted", session.compacting)
    if said is None:
        return _standing("idle", "no turn yet", None)
    answer = latest.answer
    if answer is not None and answer.open:
        return _answering(answer, latest.running())
    if said.role == "user":
        return _standing("working", "the prompt has no answer yet", said.created)
    ended = said.completed or said.created
    if said.error is not None:
        aborted = said.error == "MessageAbortedError"
        return _over(session, "the turn was interrupted" if aborted else "the last call failed", ended)
    if said.finish in GOING_ON:
        return _standing("working", "the tools have no answer yet", ended)
    return _over(session, "the turn ended", ended)


def _time_of(message: Message) -> int:
    return max(message.created or 0, message.completed or 0)


def _answering(answer: Message, tool: Part | None) -> Standing:
    if tool is None:
        return _standing("working", "the model has not ended its answer", answer.created)
    name = tidy(tool.tool) or "tool"
    since = moment(tool.start)
    asks = ASKING.get(name) if tool.status == "running" else None
    detail = (
        f"{name} has no result yet; it may wait for a permission" if asks is None else f"{name} waits for an answer"
    )
    return Standing(
        "working" if asks is None else "waiting", Evidence(kind="tool", detail=detail, since=since), asks, tool
    )


def _over(session: Session, why: str, since: int | None) -> Standing:
    if tidy(session.parent) is not None:
        # It works for another session: no person is asked, and that one may yet go on with it.
        return _standing("idle", f"{why}; the session works for another one", since)
    return Standing("waiting", Evidence(kind="record", detail=why, since=moment(since)), "prompt")


def _standing(activity: Activity, detail: str, since: int | None) -> Standing:
    return Standing(activity, Evidence(kind="record", detail=detail, since=moment(since)))


def update_of(session: Session, latest: Latest, state: State, counts: Counts, *, restart: bool = False) -> SourceUpdate:
    """Say everything that is known; with `restart` also what is no longer known."""
    now = standing(session, latest)
    tool = now.tool
    title = tidy(session.title, TITLE_LIMIT)
    ended = now.activity == "terminal"
    facts: dict[str, Any] = {
        "title": None if title is None or _UNNAMED.match(title) else title,
        "slug": tidy(session.slug),
        "model": _model(latest, "assistant") or state.model or _model(latest, "user"),
        "working_dir": tidy(session.directory, PATH_LIMIT),
        "parent_id": tidy(session.parent),
        "client_version": tidy(session.version),
        "started_at": moment(session.created),
        "last_activity_at": moment(max(session.updated, state.newest)),
    }
    if restart:
        facts |= {"subagents": ()}
    else:
        facts = {name: value for name, value in facts.items() if value is not None}
    held = _held(latest, state)
    if held is not UNSET or restart:
        facts["context_tokens"] = None if held is UNSET else held
    return SourceUpdate(
        session_id=session.id,
        activity=now.activity,
        waiting_for=now.waiting_for,
        evidence=now.evidence,
        input_tokens=state.input,
        cache_read_tokens=state.cached,
        cache_creation_tokens=state.written,
        output_tokens=state.output,
        current_tool=(tidy(tool.tool) or "tool") if tool else None,
        current_tool_started_at=moment(tool.start) if tool else None,
        terminal=ended,
        end_reason="archived" if ended else None,
        ended_at=moment(session.archived) if ended else None,
        message_count_delta=counts.messages,
        tool_call_count_delta=counts.tool_calls,
        compaction_count_delta=counts.compactions,
        unknown_records_delta=counts.unknown,
        restart=restart,
        **facts,
    )


def digest(update: SourceUpdate) -> str:
    """Describe what an update says, its counts left out."""
    bare = msgspec.structs.replace(
        update,
        message_count_delta=0,
        tool_call_count_delta=0,
        compaction_count_delta=0,
        unknown_records_delta=0,
        restart=False,
    )
    return blake2b(_encoder.encode(bare), digest_size=8).hexdigest()


def _model(latest: Latest, role: str) -> str | None:
    for message in reversed(latest.messages):
        if message.role == role and (model := tidy(message.model)):
            return model
    return None


def _held(latest: Latest, state: State) -> Any:
    for message in reversed(latest.messages):
        if message.held:
            return held_after(message)
    return state.held


def moment(milliseconds: int | None) -> datetime | None:
    """Read a time of the store as UTC; None if it is none."""
    if not milliseconds:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
