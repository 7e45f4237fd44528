"""Bars: small drawings in text: how full a context is, what happened in the last minutes, how long something runs."""

from collections.abc import Sequence
from datetime import datetime

from ....protocol.session import SessionState
from ..text import short
from .ink import EMPTY, Line, Role, Span

FULL, GUESSED, TRACK = "█", "▒", "░"

HIGH, TIGHT = 0.75, 0.9
"""Shares of a context above which it is getting full, and above which it is about to be compacted."""

NUMBERS, PERCENT, LEAST_BAR = 11, 6, 7
"""Columns for ` 124k/~200k` and ` ~100%` beside a bar, and for a bar that is worth having both."""

STEPS = "▁▂▃▄▅▆▇█"
SILENT = "·"


def fullness(session: SessionState) -> float | None:
    """Return how full the context is, None if that is not known."""
    if session.context_tokens is None or not session.max_context_tokens:
        return None
    return max(0.0, session.context_tokens / session.max_context_tokens)


def guessed(session: SessionState) -> bool:
    """Whether the size of the context is not the client's own number for this session."""
    return session.max_context_from != "reported"


def pressure(share: float) -> Role:
    """Return the ink of a context that is so full."""
    return "bad" if share >= TIGHT else "warn" if share >= HIGH else "good"


def bar(share: float, width: int, *, guess: bool) -> Line:
    """Draw a bar; a guess is hatched. Only what is empty looks empty, and only what is full looks full."""
    share = min(1.0, max(0.0, share))
    cells = round(share * width)
    cells = min(max(1, cells), width if share >= 1 else width - 1) if share else 0
    return (Span((GUESSED if guess else FULL) * cells, pressure(share)), Span(TRACK * (width - cells), "track"))


def context(session: SessionState, width: int) -> Line:
    """Draw the context: a bar, then used/max; without a known maximum only what is used, without anything nothing."""
    used, share = session.context_tokens, fullness(session)
    if used is None:
        return EMPTY
    if share is None:
        return (Span(f"{short(used)} used", "dim"),)
    guess = guessed(session)
    mark = "~" if guess else ""
    if width >= NUMBERS + LEAST_BAR:
        numbers = f" {short(used)}/{mark}{short(session.max_context_tokens)}"
        return (*bar(share, width - NUMBERS, guess=guess), Span(numbers, "plain"))
    return (*bar(share, max(3, width - PERCENT), guess=guess), Span(f" {mark}{share:.0%}", "plain"))


def spark(pulses: Sequence[int] | None, minutes: int) -> Line:
    """Draw what happened in each of the last minutes, the newest on the right; each step is twice as much.

    The scale is the same for all sessions, so that they can be compared: one bar is 1, full height is 128 or more.
    """
    if pulses is None:
        return EMPTY
    shown = list(pulses)[-minutes:]
    shown = [0] * (minutes - len(shown)) + shown
    return tuple(
        Span(STEPS[min(len(STEPS) - 1, count.bit_length() - 1)], "working") if count > 0 else Span(SILENT, "track")
        for count in shown
    )


def elapsed(then: datetime | None, now: datetime) -> str:
    """Say how long something has been going on: `45s`, `2m10s`, `1h05m`, `5d19h`."""
    if then is None:
        return ""
    seconds = int(max(0.0, (now - then).total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 48 * 3600:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"
    return f"{seconds // 86400}d{seconds % 86400 // 3600:02}h"
