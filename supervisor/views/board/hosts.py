"""Hosts: the machines of a fleet on its board: how each is doing, in one pill, and which are not heard."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import UNSET, UnsetType

from ....protocol.session import HealthState, SessionState
from ..text import age
from .ink import Line, Span, fit
from .names import agent
from .pills import condition

SEVERITY = ("failed", "degraded", "restarting", "paused", "starting", "reading", "stopped", "up", "not", "offline")
"""Of which of its sources a machine's pill tells, the first one that there is."""


def named(host: str | UnsetType) -> str:
    """Return the name of a machine, "" on the board of one."""
    return "" if host is UNSET else host


def machines(health: Iterable[HealthState], sessions: Iterable[SessionState] = ()) -> list[str]:
    """Return the names of all machines of a board, none on the board of one."""
    return sorted({named(each.host) for each in (*health, *sessions)} - {""})


def away(health: Iterable[HealthState]) -> dict[str, datetime | None]:
    """Return the machines that are not heard, and when each was heard last."""
    return {named(state.host): state.updated_at for state in health if state.status == "offline"}


def pill_key(host: str) -> str:
    """Return what stands for a machine where a source could stand."""
    return f"@{host}"


def host_pills(
    health: Iterable[HealthState], living: Mapping[str, int], why: int, now: datetime
) -> list[tuple[str, Line]]:
    """Return a pill for each machine; `living` is how many sessions live on each."""
    found: dict[str, list[HealthState]] = {}
    for state in health:
        found.setdefault(named(state.host), []).append(state)
    return [(pill_key(host), _pill(host, found[host], living.get(host, 0), why, now)) for host in sorted(found)]


def _pill(host: str, states: list[HealthState], living: int, why: int, now: datetime) -> Line:
    silent = away(states)
    if host in silent:
        return (Span("◌ ", "dim"), Span(host, "dim"), Span(f" offline {age(silent[host], now)}", "dim"))
    worst = min(states, key=lambda state: (SEVERITY.index(condition(state)[1].split()[0]), state.source))
    glyph, word, role, reason = condition(worst)
    if role in {"bad", "warn"}:
        about = f": {fit(reason, why).rstrip()}" if reason else ""
        return (
            Span(f"{glyph} ", role),
            Span(host, "strong"),
            Span(f" {agent(worst.source)} {word}", role),
            Span(about, "plain"),
        )
    quiet = word if word in {"starting", "reading"} else "up"
    count = f" {living}" if living else ""
    return (Span("✓ " if quiet == "up" else "↻ ", "good"), Span(host, "strong"), Span(f" {quiet}{count}", "plain"))
