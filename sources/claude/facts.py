"""Facts: a state and a verdict become the update that goes up.

Pure. Everything known is said again each time, so that an update stands by itself; what was never known stays unset.
The counterpart is `SourceUpdate` (protocol/update.py).
"""

from datetime import UTC, datetime
from zlib import crc32

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ...protocol.session import Subagent, WindowFrom
from ...protocol.update import SourceUpdate
from ..text import PATH_LIMIT, tidy, when
from .presence import Presence, when_millis
from .state import Agent, Labels, State
from .verdict import Verdict, judge, judge_agent, parent_call
from .window import window

_ENCODER = msgspec.json.Encoder()

WARMUP = crc32(b"Warmup")
"""How 2.0.x begins the two agents that it starts for itself: nobody asked for them."""


class Report(Struct):
    """An update whose deltas are still zero, and when the passing of time alone may change it (epoch seconds)."""

    update: SourceUpdate
    due: float | None = None


def report(session: str, state: State, presence: Presence, now: float, *, modified_at: float | None = None) -> Report:
    """Say all that is known of a session. `state` is changed only in what it remembers of the end of the session.

    Where reading began anew, what is not known any more is said to be unknown.
    """
    verdict = judge(state, presence, now, modified_at)
    _remember_the_end(state, verdict, presence, now)
    main, record = state.main, presence.record
    unknown = None if state.restart else UNSET
    size, size_from = _window(state)
    subagents = _subagents(state, verdict, presence, now)
    update = SourceUpdate(
        session_id=session,
        slug=main.slug or unknown,
        title=_title(state.labels, record.title if record else None) or unknown,
        activity=verdict.activity,
        evidence=verdict.evidence,
        waiting_for=verdict.waiting_for,
        model=main.model or unknown,
        working_dir=main.cwd or tidy(record.cwd if record else None, PATH_LIMIT) or unknown,
        branch=main.branch or unknown,
        client_version=main.version or tidy(record.version if record else None) or unknown,
        # After a compaction that does not say what it left, nothing is known until the next answer.
        context_tokens=main.context if main.context is not None or main.compactions else unknown,
        token_estimated=main.estimated,
        max_context_tokens=size if size_from != "unknown" or main.model else unknown,
        max_context_from=size_from,
        input_tokens=main.input,
        cache_creation_tokens=main.created,
        cache_read_tokens=main.cached,
        output_tokens=main.output,
        current_tool=tidy(verdict.call.name) if verdict.call else None,
        current_tool_started_at=when(verdict.call.since) if verdict.call else None,
        started_at=when(main.first) or when_millis(record.startedAt if record else None) or unknown,
        last_activity_at=when(main.last) or when_millis(record.since if record else None) or unknown,
        subagents=tuple([subagent for subagent, _ in subagents]),
        terminal=verdict.activity == "terminal",
        end_reason=verdict.end_reason,
        ended_at=_ended_at(state) if verdict.activity == "terminal" else None,
    )
    dues = [at for at in (verdict.due, *[at for _, at in subagents]) if at is not None]
    return Report(update, min(dues, default=None))


def digest(update: SourceUpdate) -> int:
    """Return a checksum of everything an update says; that of a `Report` says nothing but facts."""
    return crc32(_ENCODER.encode(update))


def _remember_the_end(state: State, verdict: Verdict, presence: Presence, now: float) -> None:
    """When a session that lived a moment ago has ended, that moment is known; otherwise only its last row is."""
    if verdict.activity != "terminal":
        state.ended = ""
    elif state.live:
        state.ended = datetime.fromtimestamp(now, UTC).isoformat()
    state.live = presence.liveness == "alive"
    if state.live and presence.record is not None:
        state.lived = presence.record.pid or 0


def _ended_at(state: State) -> datetime | UnsetType | None:
    return when(state.ended) or when(state.main.last) or UNSET


def _title(labels: Labels, given: str | None) -> str | None:
    return labels.custom or labels.agent or labels.generated or given or labels.summary or labels.prompt


def _window(state: State) -> tuple[int | None, WindowFrom]:
    main = state.main
    if main.model is None:
        return None, "unknown"
    return window(main.model, main.asked, state.labels.wide, main.peak)


def _subagents(state: State, verdict: Verdict, presence: Presence, now: float) -> list[tuple[Subagent, float | None]]:
    found: list[tuple[Subagent, float | None]] = []
    for name, agent in sorted(state.agents.items(), key=lambda one: (one[1].transcript.first, one[0])):
        if agent.transcript.opening == WARMUP:
            continue
        its = judge_agent(state, agent, verdict, presence, now)
        found.append((_subagent(state, name, agent, its), its.due))
    return found


def _subagent(state: State, name: str, agent: Agent, verdict: Verdict) -> Subagent:
    transcript = agent.transcript
    call = parent_call(state, agent)
    task = state.tasks.get(call) if call else None
    over = verdict.activity == "terminal"
    return Subagent(
        id=name,
        parent_tool_use_id=call,
        slug=transcript.slug,
        kind=agent.link.kind or (task.kind if task else None),
        activity=verdict.activity,
        current_tool=tidy(verdict.call.name) if verdict.call else None,
        model=transcript.model,
        context_tokens=transcript.context,
        output_tokens=transcript.output,
        message_count=transcript.messages,
        tool_call_count=transcript.calls,
        started_at=when(transcript.first),
        last_activity_at=when(transcript.last),
        completed_at=(when(agent.link.done) or when(transcript.last)) if over else None,
        input_tokens=transcript.input,
        cache_read_tokens=transcript.cached,
        cache_creation_tokens=transcript.created,
    )
