"""Text: the board as plain lines, for a terminal, a pipe or a log. Pure: values in, text out."""

from datetime import datetime

from ...protocol.event import BoardEvent, HealthChanged, Snapshot
from ...protocol.session import Evidence, HealthState, SessionState

GLYPHS = {"working": ">", "waiting": "?", "idle": ".", "terminal": "-"}
LEAST_TITLE = 12


def age(then: datetime | None, now: datetime) -> str:
    """Say how long ago something was, in its largest unit."""
    if then is None:
        return "-"
    seconds = max(0.0, (now - then).total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def short(count: int | None) -> str:
    """Write a number in at most five characters; what is not known is a dash."""
    if count is None:
        return "-"
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= size:
            value = count / size
            return f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"
    return str(count)


def plain(text: str | None) -> str:
    """Return text without control characters: titles hold whatever people pasted."""
    if not text or text.isprintable():
        return text or ""
    return "".join(char if char.isprintable() else " " for char in text)


def state_word(session: SessionState) -> str:
    """Return the state in a word or two."""
    if session.activity == "waiting" and session.needs_you:
        return f"needs {session.waiting_for}"
    return session.activity


def context(session: SessionState) -> str:
    """Say how full the context is; a maximum that is not the client's own number is marked with ~."""
    if session.context_tokens is None:
        return "-"
    if session.context_utilization is None:
        return short(session.context_tokens)
    mark = "" if session.max_context_from == "reported" else "~"
    return f"{short(session.context_tokens)} {mark}{session.context_utilization:.0%}"


def order(session: SessionState, now: datetime) -> tuple[int, float]:
    """Sort key: who needs you first (the longest wait on top), then the living, then the ended; fresh before old."""
    last = session.last_activity_at or session.last_data_received_at or now
    if session.needs_you and session.lifecycle == "active":
        return 0, last.timestamp()
    return (2 if session.activity == "terminal" or session.lifecycle == "terminal" else 1), -last.timestamp()


def table(sessions: list[SessionState], now: datetime, width: int) -> str:
    """Return the sessions as a table at most `width` columns wide."""
    head = ["", "STATE", "AGENT", "MODEL", "CONTEXT", "MSG", "TOOLS", "TOOL NOW", "AGE", "PROJECT", "TITLE"]
    rows = [_row(session, now) for session in sorted(sessions, key=lambda each: order(each, now))]
    sizes = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    room = width - sum(sizes[:-1]) - 2 * (len(head) - 1)
    sizes[-1] = max(LEAST_TITLE, min(sizes[-1], room))
    return "\n".join(_line(row, sizes, width) for row in [head, *rows])


def _row(session: SessionState, now: datetime) -> list[str]:
    folder = (session.working_dir or "").rstrip("/").rpartition("/")[2]
    running = sum(agent.activity == "working" for agent in session.subagents)
    title = plain(session.title or session.slug or session.id)
    return [
        GLYPHS[session.activity] if not session.needs_you else "!",
        state_word(session),
        session.source,
        plain(session.model)[:20] or "-",
        context(session),
        short(session.message_count),
        short(session.tool_call_count),
        (plain(session.current_tool)[:16] or "-") + (f" +{running}" if running else ""),
        age(session.last_activity_at, now),
        plain(folder)[:20] or "-",
        title,
    ]


def _line(row: list[str], sizes: list[int], width: int) -> str:
    cells = [cell if len(cell) <= size else cell[: size - 1] + "…" for cell, size in zip(row, sizes, strict=True)]
    return "  ".join(cell.ljust(size) for cell, size in zip(cells, sizes, strict=True)).rstrip()[: max(width, 40)]


KNOWN_BY = {
    "hook": "its hook told us",
    "registry": "the client's live registry says so",
    "lock": "the client's own lock says so",
    "process": "its process says so",
    "record": "its last record says so",
    "tool": "a tool call has no result yet",
    "age": "from the time of its last record",
    "none": "nothing says more",
}


def known_by(evidence: Evidence | None, *, brief: bool = False) -> str:
    """Say how a state is known; `brief`: without the detail."""
    if evidence is None:
        return "the agent's files say no more"
    return KNOWN_BY[evidence.kind] + (f" ({plain(evidence.detail)})" if evidence.detail and not brief else "")


def why(session: SessionState, now: datetime) -> str:
    """Explain a state in a sentence: what it is, since when, and how we know."""
    evidence = session.evidence
    if evidence is None:
        return f"{state_word(session)}: {known_by(None)}"
    what = f"waiting for {session.waiting_for}" if session.waiting_for else session.activity
    since = f" since {age(evidence.since, now)}" if evidence.since is not None else ""
    return f"{what}{since}: {known_by(evidence)}"


def detail(session: SessionState, now: datetime) -> str:
    """Return everything about one session, a line a fact; what is not known is left out."""
    lines = [f"{session.source} {plain(session.id)}", why(session, now)]
    for name in session.__struct_fields__:
        value = getattr(session, name)
        if name in {"id", "source", "evidence", "subagents"} or value is None or value == "":
            continue
        lines.append(f"  {name}: {plain(str(value))}")
    for agent in session.subagents:
        tool = f", runs {plain(agent.current_tool)}" if agent.current_tool else ""
        lines.append(
            f"  subagent {plain(agent.id)} ({plain(agent.kind) or 'agent'}): {agent.activity}{tool}, "
            f"{agent.message_count} messages, {agent.tool_call_count} tool calls, {short(agent.output_tokens)} tokens out"
        )
    return "\n".join(lines)


def health_table(states: tuple[HealthState, ...], now: datetime) -> str:
    """Return the health of all sources, a line each."""
    lines: list[str] = []
    for state in states:
        parts = [f"{state.source:<10} {state.status:<9}"]
        if state.reason:
            parts.append(plain(state.reason))
        parts.append(f"pid {state.pid}" if state.pid else "no worker")
        if state.restarts:
            parts.append(f"{state.restarts} restart(s)")
        if state.unknown_records:
            since = f" since {state.unknown_since:%H:%M} UTC" if state.unknown_since is not None else ""
            client = f", client {plain(state.unknown_client)}" if state.unknown_client else ""
            parts.append(f"{state.unknown_records} unknown record(s){since}{client}")
        if state.rebuilt is not None and state.rebuilt_at is not None:
            parts.append(f"{plain(state.rebuilt)} ({age(state.rebuilt_at, now)} ago)")
        if state.rss_bytes:
            parts.append(f"{state.rss_bytes / 2**20:.0f} MB")
        if state.updated_at is not None:
            parts.append(f"changed {age(state.updated_at, now)} ago")
        lines.append(" | ".join(parts))
    return "\n".join(lines)


def event_line(event: Snapshot | BoardEvent) -> str:
    """Return one event as a line."""
    if isinstance(event, Snapshot):
        return f"snapshot    {len(event.sessions)} session(s), {len(event.health)} source(s)"
    if isinstance(event, HealthChanged):
        reason = f": {plain(event.health.reason)}" if event.health.reason else ""
        return f"health      {event.source}: {event.health.status}{reason}"
    session = event.session
    tool = f" {plain(session.current_tool)}" if session.current_tool else ""
    title = plain(session.title or session.slug or session.id)
    return f"{event.kind:<11} {session.source} {title}: {state_word(session)}{tool}, {session.message_count} messages"
