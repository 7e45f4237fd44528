"""Pills: how each source's worker is doing, in a word, and why if it is not well."""

from collections.abc import Iterable

from ....protocol.session import HealthState
from ..text import plain
from .ink import Line, Role, Span, fit
from .names import agent


def condition(state: HealthState) -> tuple[str, str, Role, str]:
    """Return glyph, word, ink and reason of a source.

    The word: up, restarting n, degraded, paused, stopped, failed, not found, or offline on the board of a fleet.
    """
    reason = plain(state.reason)
    if state.status == "offline":
        return "◌", "offline", "dim", reason
    if state.status == "failed":
        return "✗", "failed", "bad", reason
    if state.status == "paused":
        return "‖", "paused", "dim", reason
    if state.status == "degraded":
        if state.pid is None and not state.absent:
            return "↻", f"restarting {max(1, state.restarts)}", "warn", reason
        return "!", "degraded", "warn", reason
    if state.absent:
        return "-", "not found", "dim", reason
    if state.pid is None:
        # Who has read everything and is gone in good order was ended with its board, or by hand.
        return ("-", "stopped", "dim", reason) if state.settled else ("↻", "starting", "dim", reason)
    if not state.settled:
        return "↻", "reading", "dim", reason
    return "✓", "up", "good", reason


def pill(state: HealthState, sessions: int, why: int) -> Line:
    """Return one source's pill: its name, how it does, how many of its sessions live, and in `why` columns what is wrong."""
    glyph, word, role, reason = condition(state)
    spans = [
        Span(f"{glyph} ", role),
        Span(agent(state.source), "dim" if role == "dim" else "strong"),
        Span(f" {word}", role),
    ]
    if role in {"bad", "warn"} and reason:
        spans.append(Span(f": {fit(reason, why).rstrip()}", "plain"))
    elif word in {"up", "reading"}:
        if sessions:
            spans.append(Span(f" {sessions}", "plain"))
        if state.restarts:
            spans.append(Span(f" · {state.restarts} restart{'s' if state.restarts > 1 else ''}", "warn"))
        if state.unknown_records:
            spans.append(Span(f" · {state.unknown_records} unknown records", "warn"))
    return tuple(spans)


def pills(health: Iterable[HealthState], living: dict[str, int], why: int) -> list[tuple[str, Line]]:
    """Return the pills of all sources with the names of the sources: those who are here by name, then who was not found."""
    states = sorted(health, key=lambda state: (bool(state.absent) and state.status == "healthy", agent(state.source)))
    return [(state.origin, pill(state, living.get(state.origin, 0), why)) for state in states]


def counts(living: Iterable[str]) -> dict[str, int]:
    """Return how many times each source is named."""
    found: dict[str, int] = {}
    for source in living:
        found[source] = found.get(source, 0) + 1
    return found
