"""Text: the board as plain lines, for a terminal, a pipe or a log. Pure: values in, text out."""

import textwrap
from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET

from ...protocol.event import BoardEvent, HealthChanged, Snapshot
from ...protocol.session import Evidence, HealthState, SessionState
from .board.standing import counted_from, seen, since, standing

HEADINGS = ("", "STATE", "HOST", "AGENT", "MODEL", "CONTEXT", "MSG", "TOOLS", "TOOL NOW", "AGE", "PROJECT", "TITLE")
GIVE_WAY = ("MODEL", "MSG", "TOOLS", "CONTEXT", "TOOL NOW", "AGENT", "HOST", "PROJECT")
"""The columns that give way where there is no room, the first one first."""

LEAST_WIDTH = 40
LEAST_TITLE, GOOD_TITLE = 12, 22
HEALTH_INDENT = 22


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


def hearing(now: datetime, fleet: str | None, *, heard: bool) -> str:
    """Return the line that tells whoever follows a board that it fell silent, or that it is heard again."""
    who = "the supervisor" if fleet is None else f"the fleet at {fleet}"
    said = "heard again" if heard else "not heard any more: waiting for it"
    return f"{now.astimezone():%H:%M:%S} bellboard: {who} is {said}\n"


def unheard(fleet: str | None) -> str:
    """Ask what keeps a board from being heard; `fleet` is where the board of a fleet comes from."""
    return (
        "is `bellboard run` running?" if fleet is None else f"is the fleet at {fleet} running, and reached from here?"
    )


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
    rank = standing(session).rank
    if rank == 0:
        return 0, (since(session) or now).timestamp()
    last = session.last_activity_at or session.last_data_received_at or now
    return (2 if rank == 4 else 1), -last.timestamp()


def table(sessions: list[SessionState], now: datetime, width: int) -> str:
    """Return the sessions as a table at most `width` columns wide; what there is no room for gives way."""
    from .board.ink import fit, width_of  # noqa: PLC0415 - ink is made of our words

    rows = [HEADINGS, *(_row(session, now) for session in sorted(sessions, key=lambda each: order(each, now)))]
    sizes = {name: max(width_of(row[number]) for row in rows) for number, name in enumerate(HEADINGS)}
    width = max(width, LEAST_WIDTH)
    wanted = min(sizes["TITLE"], GOOD_TITLE)
    fleet = any(session.host is not UNSET for session in sessions)
    shown = [name for name in HEADINGS if fleet or name != "HOST"]
    for name in GIVE_WAY:
        if name in shown and _room(shown, sizes, width) < wanted:
            shown.remove(name)
    sizes["TITLE"] = max(LEAST_TITLE, min(sizes["TITLE"], _room(shown, sizes, width)))
    places = [(HEADINGS.index(name), sizes[name]) for name in shown]
    lines = ["  ".join(fit(row[number], size) for number, size in places) for row in rows]
    return "\n".join(fit(line, width).rstrip() for line in lines)


def _room(shown: Iterable[str], sizes: dict[str, int], width: int) -> int:
    """Return what these columns leave for the title."""
    return width - sum(sizes[name] + 2 for name in shown if name != "TITLE")


def _row(session: SessionState, now: datetime) -> tuple[str, ...]:
    folder = (session.working_dir or "").rstrip("/").rpartition("/")[2]
    running = sum(agent.activity == "working" for agent in session.subagents)
    title = plain(session.title or session.slug or session.id)
    look = seen(session, now)
    return (
        look.glyph,
        look.word,
        "" if session.host is UNSET else plain(session.host)[:20],
        session.source,
        plain(session.model)[:20] or "-",
        context(session),
        short(session.message_count),
        short(session.tool_call_count),
        (plain(session.current_tool)[:16] or "-") + (f" +{running}" if running else ""),
        age(counted_from(session), now),
        plain(folder)[:20] or "-",
        title,
    )


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


def health_table(states: tuple[HealthState, ...], now: datetime, width: int | None = None) -> str:
    """Return the health of all sources, a line each; one that is too long for a terminal goes on below, word by word."""
    lines: list[str] = []
    named = max((len(state.origin) for state in states if state.host is not UNSET), default=10)
    for state in states:
        parts = [f"{state.origin:<{named}} {state.status:<9}"]
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
    return "\n".join(lines if width is None else (_wrapped(line, width) for line in lines))


def _wrapped(line: str, width: int) -> str:
    return textwrap.fill(
        line,
        max(width, LEAST_WIDTH),
        subsequent_indent=" " * HEALTH_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _doing(state: HealthState) -> str:
    """Say how a source is doing, and of one that is well how far it is: while it begins, much is news."""
    from .board.pills import condition  # noqa: PLC0415 - pills are made of our words

    if state.reason or state.status != "healthy":
        return f"{state.status}: {plain(state.reason)}" if state.reason else state.status
    return f"healthy, {condition(state)[1]}" + (f", pid {state.pid}" if state.pid else "")


def event_line(event: Snapshot | BoardEvent) -> str:
    """Return one event as a line."""
    if isinstance(event, Snapshot):
        return f"snapshot    {len(event.sessions)} session(s), {len(event.health)} source(s)"
    if isinstance(event, HealthChanged):
        return f"health      {event.origin}: {_doing(event.health)}"
    session = event.session
    tool = f" {plain(session.current_tool)}" if session.current_tool else ""
    title = plain(session.title or session.slug or session.id)
    state = seen(session, event.at).word
    return f"{event.kind:<11} {session.origin} {title}: {state}{tool}, {session.message_count} messages"
