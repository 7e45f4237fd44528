"""Synthetic sessions for pictures and for tests of the page: they look as real ones do, and nobody wrote them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from bellboard.protocol import HealthState, SessionState
from bellboard.protocol.history import Mark
from bellboard.protocol.session import Evidence, Subagent

WINDOW = 200_000


def ago(seconds: float) -> datetime:
    """A moment in the past."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


def working(
    source: str, name: str, title: str, folder: str, *, tool: str | None = "Bash", **more: object
) -> SessionState:
    """A session at work."""
    values: dict[str, object] = {
        "activity": "working",
        "evidence": Evidence(kind="registry", detail="busy, process 4711", since=ago(95)),
        "model": {"claude": "claude-opus-5-5", "codex": "gpt-5.5", "gemini": "gemini-2.5-pro"}.get(source),
        "working_dir": f"/home/you/src/{folder}",
        "branch": "main",
        "context_tokens": 84_000,
        "max_context_tokens": WINDOW,
        "max_context_from": "reported" if source == "codex" else "table",
        "context_utilization": 0.42,
        "input_tokens": 41_000,
        "cache_read_tokens": 612_000,
        "cache_creation_tokens": 93_000,
        "output_tokens": 27_400,
        "message_count": 48,
        "tool_call_count": 71,
        "current_tool": tool,
        "current_tool_started_at": ago(37) if tool else None,
        "client_version": "2.1.330",
        "started_at": ago(5400),
        "last_activity_at": ago(4),
        "last_data_received_at": ago(4),
    }
    return SessionState(id=name, source=source, title=title, **(values | more))  # type: ignore[arg-type]


def board() -> Iterator[SessionState]:
    """A day's work: twelve sessions of five agents in five projects, two of which need somebody."""
    needs: dict[str, Any] = {"activity": "waiting", "current_tool_started_at": ago(262)}
    yield working(
        "claude", "0b9e2c1a-1111", "Add an export button to the report page", "reports", branch="export-button",
        waiting_for="permission", evidence=Evidence(kind="hook", detail="Bash", since=ago(262)), last_activity_at=ago(262),
        **needs,
    )  # fmt: skip
    yield working(
        "codex", "1c7d3b2f-2222", "Why is the nightly job slow?", "etl", tool=None, branch="nightly", activity="waiting",
        waiting_for="question", evidence=Evidence(kind="record", detail="asks which index to keep", since=ago(48)),
        context_tokens=212_000, max_context_tokens=258_400, context_utilization=0.82, last_activity_at=ago(48),
    )  # fmt: skip
    helpers = tuple(
        Subagent(id=f"a{n}", kind=kind, activity="working" if n < 3 else "terminal", current_tool="Grep" if n < 2 else None,
                 message_count=7 + n, tool_call_count=5 * n, started_at=ago(200))
        for n, kind in enumerate(("Explore", "Explore", "code-reviewer", "general-purpose"))
    )  # fmt: skip
    yield working(
        "claude", "2d6c4a3e-3333", "Make the retry test stop flaking", "webshop", branch="retry-flake", subagents=helpers,
        tool="Task", compaction_count=2, context_tokens=171_000, context_utilization=0.855,
    )  # fmt: skip
    yield working("claude", "3e5b5d4d-4444", "Move checkout to the new payment client", "webshop", tool="Edit",
                  branch="payments-v2", current_tool_started_at=ago(2))  # fmt: skip
    yield working("gemini", "4f4a6e5c-5555", "Translate the order e-mails into German and French", "webshop",
                  tool="replace", context_tokens=22_000, max_context_tokens=1_000_000,
                  context_utilization=0.022)  # fmt: skip
    yield working("codex", "5a3f7f6b-6666", "Backfill the events of last March", "etl", tool="exec_command",
                  current_tool_started_at=ago(1260), context_tokens=31_000, max_context_tokens=258_400,
                  context_utilization=0.12)  # fmt: skip
    prompt = {"activity": "waiting", "waiting_for": "prompt"}
    yield working("gemini", "6b2e8a7a-7777", "Write the release notes for 2.4", "docs", tool=None, last_activity_at=ago(640),
                  context_tokens=122_000, max_context_tokens=None, context_utilization=None, max_context_from="unknown",
                  activity="waiting", waiting_for="prompt")  # fmt: skip
    yield working("opencode", "ses_7c1d", "Draw the deployment as a diagram", "docs", tool=None, model="qwen3-coder",
                  last_activity_at=ago(1520), context_tokens=64_000, context_utilization=0.32, activity="waiting",
                  waiting_for="prompt")  # fmt: skip
    yield working("claude", "8d0c9c8c-9999", "Review the terraform plan before Friday", "infra", tool=None,
                  last_activity_at=ago(2950), branch="tf-review", **prompt)  # fmt: skip
    yield working("pi", "9e9b0d9d-aaaa", "Rename the internal package", "infra", tool=None, model="glm-4.6", activity="idle",
                  last_activity_at=ago(3300), branch=None)  # fmt: skip
    for n, (title, folder) in enumerate((("Fix the typo in the footer", "webshop"), ("Upgrade to Python 3.14", "etl"))):
        yield working("claude", f"af8a1e{n}e-bbbb", title, folder, tool=None, activity="terminal", lifecycle="terminal",
                      end_reason="the client closed it", completed_at=ago(7000 + n),
                      last_activity_at=ago(7000 + n))  # fmt: skip


def many(count: int, seed: int = 7) -> Iterator[SessionState]:
    """Many sessions, each one like one of the day's."""
    chance = random.Random(seed)
    patterns = list(board())
    for number in range(count):
        pattern = patterns[2 + number % 8] if number % 97 else patterns[0]
        yield working(
            pattern.source, f"{number:08x}-many", f"{pattern.title} ({number})", f"project-{number % 40:02d}",
            tool=pattern.current_tool, activity=pattern.activity, waiting_for=pattern.waiting_for,
            evidence=pattern.evidence, context_tokens=int(2000 * chance.uniform(1, 95)),
            context_utilization=chance.uniform(0.02, 0.97), started_at=ago(chance.uniform(60, 40_000)),
            last_activity_at=ago(chance.uniform(1, 3000)), model=pattern.model,
        )  # fmt: skip


def well() -> Iterator[HealthState]:
    """All sources as they should be."""
    for number, name in enumerate(("claude", "codex", "gemini", "opencode", "pi")):
        yield HealthState(source=name, pid=4000 + number, incarnation=1, updated_at=ago(5), rss_bytes=31 << 20)


def unwell() -> Iterator[HealthState]:
    """Three sources in trouble, one of them on purpose."""
    reasons = {
        "codex": ("degraded", "its worker hung and is started again in 4 s", 4002, 3),
        "gemini": ("failed", "5 deaths in 5 minutes without progress; tried again in 4 min 12 s", None, 5),
        "opencode": ("paused", "paused by hand", None, 0),
    }
    for state in well():
        status, reason, pid, restarts = reasons.get(state.source, ("healthy", None, state.pid, 0))
        unknown = 312 if state.source == "claude" else 0
        yield HealthState(
            source=state.source, status=status, reason=reason, pid=pid, restarts=restarts, unknown_records=unknown,  # type: ignore[arg-type]
            last_error="RecursionError in parse" if restarts else None, updated_at=ago(3),
        )  # fmt: skip


def hour(seed: int = 3) -> list[Mark]:
    """A rich hour of one session: turns, tools, two waits, two compactions."""
    chance = random.Random(seed)
    marks: list[Mark] = []
    at, calls, messages, compactions = 3400.0, 20, 12, 0
    while at > 6:
        doing = "waiting" if 2100 < at < 2400 or 900 < at < 1020 else "working"
        if 1300 < at < 1700:
            doing = "idle"
        if doing == "working":
            calls += chance.choice((0, 1, 1, 1, 2, 4))
            messages += chance.choice((0, 1, 1))
        if compactions < (at < 2900) + (at < 600):
            compactions += 1
        waiting_for = None if doing != "waiting" else "prompt" if at > 1500 else "permission"
        tool = "Bash" if doing == "working" and chance.random() < 0.7 else None
        marks.append(
            Mark(at=ago(at), activity=doing, waiting_for=waiting_for, tool=tool, messages=messages, calls=calls,
                 compactions=compactions, context_tokens=80_000)
        )  # fmt: skip
        at -= chance.uniform(8, 60)
    return marks


def minutes(seed: int) -> list[Mark]:
    """A plain hour of one session: so many messages in each minute."""
    chance = random.Random(seed)
    level = chance.choice((0, 1, 3, 6))
    said = [0, *(max(0, int(chance.gauss(level, 2))) for _ in range(60))]
    totals = enumerate(accumulate(said))
    return [Mark(at=ago(3630 - 60 * minute), activity="working", messages=total) for minute, total in totals]
