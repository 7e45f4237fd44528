"""Detail: everything about one session or one source, as lines of a pane; above all why we say what we say."""

from collections.abc import Sequence
from datetime import datetime

from ....protocol.history import Mark
from ....protocol.session import HealthState, SessionState, Subagent
from ..text import age, known_by, plain, short
from .bars import bar, elapsed, fullness, guessed, spark
from .hosts import named
from .ink import Line, Span, cut, wrapped
from .names import agent, title
from .pills import condition
from .standing import WAITING, seen, since
from .timeline import ribbon

WINDOW_FROM = {
    "reported": "the client's own number",
    "observed": "a guess: at least so much was seen in use",
    "table": "a guess: from the model's name",
    "unknown": "not known",
}
LABEL = 11


def session(
    state: SessionState,
    now: datetime,
    width: int,
    marks: Sequence[Mark] | None = None,
    pulses: Sequence[int] | None = None,
) -> list[Line]:
    """Return all about one session; `marks` is its last hour, None while that is not known."""
    look = seen(state, now)
    lines: list[Line] = [
        (
            Span(f"{look.glyph} {look.word}", look.role),
            Span("  "),
            Span(title(state), "strong"),
            Span(f"  {plain(state.id)}", "track"),
        ),
        *_paragraph("why", _why(state, now), width),
        *_facts(state, now, width),
        *_hour(marks, pulses, now, width),
        *_numbers(state, width),
        *_helpers(state, now),
    ]
    return [cut(line, width) for line in lines]


def source(state: HealthState, now: datetime, width: int) -> list[Line]:
    """Return all about one source's worker."""
    glyph, word, role, reason = condition(state)
    lines: list[Line] = [(Span(f"{glyph} {word}", role), Span(f"  {agent(state.source)}{_on(state)}", "strong"))]
    said: list[tuple[str, str | None]] = [
        ("why", reason or None),
        ("folder", None if state.home is None else f"{plain(state.home)} ({plain(state.home_from)})"),
        (
            "worker",
            f"pid {state.pid}, {state.restarts} restart(s)" if state.pid else f"none, {state.restarts} restart(s)",
        ),
        (
            "uses",
            f"{state.rss_bytes / 2**20:.0f} MB, {state.cpu_percent or 0:.1f} % of a processor"
            if state.rss_bytes
            else None,
        ),
        ("last error", plain(state.last_error) or None),
        ("stood at", plain(state.traceback) or None),
        ("set aside", ", ".join(plain(each) for each in state.quarantined) or None),
        ("unknown", f"{state.unknown_records} records of a shape not known here" if state.unknown_records else None),
        ("changed", f"{age(state.updated_at, now)} ago" if state.updated_at else None),
    ]
    for label, text in said:
        if text is not None:
            lines += _paragraph(label, (Span(text),), width)
    hint = {"paused": f"bellboard ctl resume {state.source}", "failed": f"bellboard ctl reset {state.source}"}.get(word)
    if hint is not None:
        lines.append(_labelled("mend", (Span(hint, "key"), Span(_on(state)))))
    return [cut(line, width) for line in lines]


def _on(state: HealthState) -> str:
    return f" on {plain(named(state.host))}" if named(state.host) else ""


def _labelled(label: str, rest: Line) -> Line:
    return (Span(f"{label:<{LABEL}}", "dim"), *rest)


def _paragraph(label: str, text: Line, width: int) -> list[Line]:
    words: list[Line] = [(Span(word, span.role),) for span in text for word in span.text.split()]
    lines = wrapped(words, max(8, width - LABEL), gap=" ")
    return [_labelled(label if number == 0 else "", line) for number, line in enumerate(lines)]


def _why(state: SessionState, now: datetime) -> Line:
    asked = f"waiting for {state.waiting_for}" if state.waiting_for else state.activity
    what = WAITING.word if state.waiting_for == "prompt" else asked
    began = since(state) if state.evidence is not None else None
    ended = f", ended: {plain(state.end_reason)}" if state.end_reason else ""
    for_how_long = f" for {elapsed(began, now)}" if began is not None and state.lifecycle == "active" else ""
    return (Span(f"{what}{for_how_long}{ended} - "), Span(known_by(state.evidence), "strong"))


def _facts(state: SessionState, now: datetime, width: int) -> list[Line]:
    pairs = (
        ("machine", plain(named(state.host))),
        ("agent", f"{agent(state.source)} {plain(state.client_version)}".rstrip()),
        ("model", plain(state.model)),
        ("folder", plain(state.working_dir)),
        ("branch", plain(state.branch)),
        ("started", f"{age(state.started_at, now)} ago" if state.started_at else ""),
        ("last word", f"{age(state.last_activity_at, now)} ago" if state.last_activity_at else ""),
        (
            "tool now",
            f"{plain(state.current_tool)} {elapsed(state.current_tool_started_at, now)}" if state.current_tool else "",
        ),
        ("started by", plain(state.parent_id)),
    )
    pieces: list[Line] = [(Span(f"{label} ", "dim"), Span(text)) for label, text in pairs if text]
    return [_labelled("is" if number == 0 else "", line) for number, line in enumerate(wrapped(pieces, width - LABEL))]


def _hour(marks: Sequence[Mark] | None, pulses: Sequence[int] | None, now: datetime, width: int) -> list[Line]:
    room = max(10, min(120, width - LABEL))
    lines: list[Line] = []
    if marks:
        states, ticks, scale = ribbon(marks, now, room)
        lines += [_labelled("last hour", states), _labelled("tool calls", ticks), _labelled("", scale)]
    elif pulses is not None:
        lines.append(_labelled("last hour", spark(pulses, min(60, room))))
    return lines


def _numbers(state: SessionState, width: int) -> list[Line]:
    lines: list[Line] = []
    share = fullness(state)
    if share is not None:
        size = f" {share:.0%}, {short(state.context_tokens)} of {short(state.max_context_tokens)} tokens; "
        drawn = bar(share, max(5, min(30, width - LABEL - 50)), guess=guessed(state))
        about = Span(f"the size is {WINDOW_FROM[state.max_context_from]}", "dim")
        lines.append(_labelled("context", (*drawn, Span(size), about)))
    elif state.context_tokens is not None:
        lines.append(_labelled("context", (Span(f"{short(state.context_tokens)} tokens; its size is not known"),)))
    split = (
        ("input", state.input_tokens),
        ("cache read", state.cache_read_tokens),
        ("cache written", state.cache_creation_tokens),
        ("output", state.output_tokens),
    )
    known: list[Line] = [(Span(f"{name} ", "dim"), Span(short(count))) for name, count in split if count is not None]
    if state.token_estimated and known:
        known.append((Span("estimated", "warn"),))
    counts = (
        ("messages", state.message_count),
        ("tool calls", state.tool_call_count),
        ("compactions", state.compaction_count),
    )
    said: list[Line] = [(Span(f"{name} ", "dim"), Span(str(count))) for name, count in counts]
    for label, pieces in (("tokens", known), ("counts", said)):
        lines += [
            _labelled(label if number == 0 else "", line) for number, line in enumerate(wrapped(pieces, width - LABEL))
        ]
    return lines


def _helpers(state: SessionState, now: datetime) -> list[Line]:
    order = sorted(state.subagents, key=lambda each: (each.activity != "working", each.id))
    return [_labelled("subagents" if number == 0 else "", _helper(each, now)) for number, each in enumerate(order)]


def _helper(helper: Subagent, now: datetime) -> Line:
    working = helper.activity == "working"
    tool = f"  {plain(helper.current_tool)}" if helper.current_tool else ""
    numbers = f"  {helper.message_count} messages, {helper.tool_call_count} tool calls"
    began = helper.started_at
    took = f", {elapsed(began, helper.completed_at or now)}" if began is not None else ""
    return (
        Span("● " if working else "- ", "working" if working else "ended"),
        Span(plain(helper.slug or helper.kind or helper.id), "plain" if working else "dim"),
        Span(tool),
        Span(numbers + took, "dim"),
    )
