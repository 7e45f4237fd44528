"""Found: the first lines a person sees: which agents are here, where, and why there; or where was looked in vain."""

from collections.abc import Iterable

from ....protocol.session import HealthState, SessionState
from ..text import plain
from .ink import Line, Span
from .names import agent
from .pills import condition
from .standing import standing

DEMO, DOCTOR = "bellboard demo", "bellboard doctor"


def missing(state: HealthState) -> bool:
    """Whether the agent of a source is not installed."""
    return bool(state.absent) and state.status == "healthy"


def found(health: Iterable[HealthState], sessions: Iterable[SessionState]) -> list[Line]:
    """Return a line for each source: those that are here first."""
    every = list(sessions)
    states = sorted(health, key=lambda state: (missing(state), agent(state.source)))
    return [_line(state, [session for session in every if session.origin == state.origin]) for state in states]


def _line(state: HealthState, sessions: list[SessionState]) -> Line:
    glyph, word, role, reason = condition(state)
    name = agent(state.source)
    if missing(state):
        looked = " and ".join(plain(path) for path in state.absent if path)
        said = f": looked at {looked}{_chosen(state)}" if looked else ""
        return (Span(f"{glyph} ", role), Span(name, "dim"), Span(f" not found{said}", "dim"))
    living = sum(standing(session).rank < 4 for session in sessions)
    version = _newest(session.client_version for session in sessions)
    where = f"  {plain(state.home)}{_chosen(state)}" if state.home is not None else ""
    trouble = f"  {word}: {reason}" if role in {"bad", "warn"} else f"  {word}" if word == "paused" else ""
    return (
        Span(f"{glyph} ", role),
        Span(f"{name}{' ' + plain(version) if version else ''}", "strong"),
        Span(f"{where}  ({_many(state, living, len(sessions))})", "plain"),
        Span(trouble, role),
    )


def _many(state: HealthState, living: int, sessions: int) -> str:
    """Say how many sessions there are. On the board is not alive: of most agents nobody knows whether they still run."""
    old = f"{state.left_out} older left out" if state.left_out else ""
    shown = f"{living} on the board" if living else "all ended" if sessions else "" if state.settled else "reading"
    return ", ".join(each for each in (shown, old) if each) or "no sessions"


def _chosen(state: HealthState) -> str:
    return "" if state.home_from in {None, "default"} else f" ({plain(state.home_from)})"


def _newest(versions: Iterable[str | None]) -> str | None:
    """Return the highest version, its numbers compared as numbers."""

    def numbers(version: str) -> list[int]:
        return [int(part) for part in "".join(char if char.isdigit() else " " for char in version).split()]

    return max((version for version in versions if version), key=numbers, default=None)


def nobody(health: Iterable[HealthState]) -> list[Line]:
    """Return what to say when no agent is here at all."""
    looked = [path for state in health for path in state.absent if path]
    lines: list[Line] = [(Span(f"No coding agent was found.{' Looked at:' if looked else ''}", "strong"),)]
    lines += [(Span(f"  {plain(path)}"),) for path in dict.fromkeys(looked)]
    return [
        *lines,
        (Span("An agent that keeps its files elsewhere: set its own variable,", "dim"),),
        (Span("or `[sources.NAME] home` in the settings.", "dim"),),
        (Span("What is missing, and what mends it:   "), Span(DOCTOR, "key")),
        (Span("The board with simulated agents:      "), Span(DEMO, "key")),
    ]
