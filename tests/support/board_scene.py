"""A scene for pictures and tests of the board: what a busy afternoon looks like. Everything in it is made up."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bellboard.protocol.history import History, Mark
from bellboard.protocol.session import Evidence, HealthState, SessionState, Subagent
from bellboard.supervisor.views.board.picture import Picture

NOW = datetime(2026, 11, 28, 15, 4, 5, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    """Return a moment before `NOW`."""
    return NOW - timedelta(seconds=seconds)


def session(id: str, source: str = "claude", **facts: Any) -> SessionState:  # noqa: A002 - the field's name
    """Build a session that works since a while unless the facts say otherwise."""
    base: dict[str, Any] = {
        "activity": "working",
        "started_at": ago(5400),
        "last_activity_at": ago(3),
        "working_dir": "/home/you/webshop",
        "evidence": Evidence(kind="record", since=ago(40)),
    }
    return SessionState(id=id, source=source, **{**base, **facts})


def health(source: str, **facts: Any) -> HealthState:
    """Build the health of a source that does well."""
    base: dict[str, Any] = {"pid": 4100, "settled": True, "home": f"~/.{source}", "home_from": "default"}
    return HealthState(source=source, **{**base, **facts})


def waiting(id: str, waiting_for: str, seconds: float, **facts: Any) -> SessionState:  # noqa: A002 - see above
    """Build a session that waits for a person since so many seconds."""
    kind = facts.pop("known_by", "registry")
    since = Evidence(kind=kind, detail=facts.pop("detail", ""), since=ago(seconds))
    return session(
        id, activity="waiting", waiting_for=waiting_for, evidence=since, last_activity_at=ago(seconds), **facts
    )


SESSIONS = (
    waiting(
        "4f1c2d3e-0a51-4c7b-9d0e-6a1f0c7d2b11",
        "permission",
        412,
        title="Add an export button to the reports page",
        working_dir="/home/you/reports",
        branch="feature/export",
        model="claude-opus-5-5",
        current_tool="Bash",
        current_tool_started_at=ago(412),
        context_tokens=148_200,
        max_context_tokens=200_000,
        max_context_from="reported",
        message_count=86,
        tool_call_count=131,
        client_version="2.1.330",
        detail="status waiting",
    ),
    waiting(
        "019a2f7c-7711-7c10-b1de-77b0e2a5b0a4",
        "question",
        95,
        source="codex",
        title="Why does the nightly job take two hours?",
        working_dir="/home/you/etl",
        branch="main",
        model="gpt-5.5",
        known_by="hook",
        context_tokens=93_400,
        max_context_tokens=258_400,
        max_context_from="reported",
        message_count=24,
        tool_call_count=57,
        client_version="0.169.0",
    ),
    session(
        "8d0b6a55-93f4-4b32-a1c1-0e8f7b9a6d20",
        title="Make the retry test stop flaking",
        branch="fix/retry",
        model="claude-opus-5-5",
        current_tool="Edit",
        current_tool_started_at=ago(2),
        context_tokens=61_000,
        max_context_tokens=1_000_000,
        max_context_from="table",
        message_count=41,
        tool_call_count=77,
        client_version="2.1.330",
    ),
    session(
        "c1e0f6a2-2f5d-4f0b-8f1d-2d9b4f7e1a33",
        title="Move the cart to the new pricing service",
        branch="pricing/cart",
        model="claude-sonnet-5",
        started_at=ago(9100),
        current_tool="Task",
        current_tool_started_at=ago(254),
        context_tokens=187_500,
        max_context_tokens=200_000,
        max_context_from="reported",
        message_count=212,
        tool_call_count=388,
        compaction_count=2,
        input_tokens=41_000,
        cache_read_tokens=9_800_000,
        cache_creation_tokens=712_000,
        output_tokens=164_000,
        client_version="2.1.330",
        subagents=(
            Subagent(
                id="a1",
                slug="find every caller of Cart.total",
                activity="working",
                current_tool="Grep",
                message_count=9,
                tool_call_count=22,
                started_at=ago(250),
            ),
            Subagent(
                id="a2",
                slug="write the migration",
                activity="working",
                current_tool="Edit",
                message_count=6,
                tool_call_count=11,
                started_at=ago(190),
            ),
            Subagent(
                id="a3",
                slug="read the old tests",
                activity="terminal",
                message_count=14,
                tool_call_count=31,
                started_at=ago(2400),
                completed_at=ago(2100),
            ),
        ),
    ),
    session(
        "ses_5c1b2a",
        "opencode",
        activity="waiting",
        waiting_for="prompt",
        title="Explain the checkout flow to a new colleague",
        model="claude-haiku-5",
        branch="main",
        last_activity_at=ago(660),
        context_tokens=38_400,
        message_count=12,
        tool_call_count=9,
        client_version="1.18.2",
    ),
    session(
        "95933478-3775-4e7f-becd-64c5fa2605e1",
        "gemini",
        title="Write the release notes for 2.4",
        working_dir="/home/you/docs",
        model="gemini-2.5-pro",
        current_tool="read_file",
        current_tool_started_at=ago(1),
        context_tokens=223_000,
        max_context_tokens=1_048_576,
        max_context_from="table",
        message_count=18,
        tool_call_count=25,
        client_version="0.61.0",
    ),
    session(
        "019a2f80-11aa-7e02-9c52-1f0a6d2c9e77",
        "codex",
        title="Parse the vendor's CSV in constant memory",
        working_dir="/home/you/etl",
        branch="vendor-csv",
        model="gpt-5.5",
        current_tool="exec_command",
        current_tool_started_at=ago(73),
        context_tokens=201_000,
        max_context_tokens=258_400,
        max_context_from="reported",
        message_count=33,
        tool_call_count=90,
        client_version="0.169.0",
    ),
    session(
        "2026-11-28T14-20-01_b7",
        "pi",
        activity="idle",
        title="scratch",
        working_dir="/home/you/notes",
        evidence=None,
        last_activity_at=ago(2600),
        model="qwen3-coder",
    ),
    *(
        session(
            f"e{number}d0b6a55-93f4-4b32-a1c1",
            title=title,
            activity="terminal",
            lifecycle="terminal",
            end_reason=reason,
            completed_at=ago(3600 * (number + 1)),
            model="claude-opus-5-5",
            context_tokens=50_000 * (number + 1),
            max_context_tokens=200_000,
            max_context_from="reported",
        )
        for number, (title, reason) in enumerate(
            (
                ("Upgrade the linter", "ended"),
                ("Rename the customer table", "stale"),
                ("Try the new test runner", "ended"),
            )
        )
    ),
)

HEALTH = (
    health("claude", restarts=1, rss_bytes=31_000_000, cpu_percent=0.4),
    health("codex"),
    health("gemini", status="degraded", reason="2 session(s) cannot be read: unexpected end of the document"),
    health("opencode", home="~/.local/share/opencode"),
    health("pi", home="~/.pi/agent"),
)


def pulses() -> dict[tuple[str, str], tuple[int, ...]]:
    """Return what each living session did in each of the last 60 minutes."""
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    for number, each in enumerate(SESSIONS[:8]):
        quiet = 7 if each.activity == "waiting" else 50 if each.activity == "idle" else 0
        beats = [
            (minute * 37 * (number + 3) % 29) * (minute % 7 != number % 7) // (number % 3 + 1) for minute in range(60)
        ]
        found[each.source, each.id] = tuple(0 if minute >= 60 - quiet else beat for minute, beat in enumerate(beats))
    return found


def history() -> History:
    """Return the last hour of the session that moves the cart."""
    told: tuple[tuple[float, str, str | None, int, int], ...] = (
        (3600, "working", None, 300, 1),
        (3100, "working", None, 322, 1),
        (2900, "waiting", "prompt", 322, 1),
        (2300, "working", None, 322, 1),
        (2000, "working", None, 345, 1),
        (1800, "waiting", "permission", 345, 1),
        (1500, "working", None, 351, 1),
        (1200, "working", None, 366, 2),
        (700, "working", None, 380, 2),
        (254, "working", None, 388, 2),
    )
    marks = tuple(
        Mark(at=ago(then), activity=activity, waiting_for=waits, calls=calls, compactions=compactions)  # type: ignore[arg-type]
        for then, activity, waits, calls, compactions in told
    )
    return History(source="claude", id=SESSIONS[3].id, marks=marks)


PICTURE = Picture(SESSIONS, HEALTH, silence=0.4, private=False, pulses=pulses(), history=history())


class StillWire:
    """Stands in for the wire of a live board: one picture, which a test may change."""

    def __init__(self, picture: Picture = PICTURE) -> None:
        self.now = picture
        self.wake = lambda: None
        self.looked: list[tuple[str, str] | None] = []

    def picture(self) -> Picture:
        """Return the picture as it is now."""
        return self.now

    def look(self, key: tuple[str, str] | None) -> None:
        """Note whose last hour is looked at."""
        self.looked.append(key)

    def change(self, picture: Picture) -> None:
        """Show another picture."""
        self.now = picture
        self.wake()
