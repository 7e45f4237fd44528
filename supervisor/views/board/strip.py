"""Strip: who needs you, the longest wait first: since when, what is asked, and how we know."""

from collections.abc import Iterable
from datetime import datetime

from ....protocol.session import SessionState
from ..text import age, known_by, plain
from .hosts import named
from .ink import Line, Span, cut, fit, length, width_of
from .names import agent, folder, projects, title
from .picture import View
from .standing import since

MOST = 5
"""Lines of the strip; the list below has them all."""

ENOUGH = 16
"""Columns of a title by which it is known; where there is less room, something else gives way."""

ASKED = {"permission": "asks for permission", "question": "asks a question", "plan": "shows a plan"}


def needing(sessions: Iterable[SessionState]) -> list[SessionState]:
    """Return the sessions whose turn stands still until somebody acts, the longest wait first."""
    found = [session for session in sessions if session.needs_you]
    return sorted(found, key=lambda each: (_since(each), each.origin, each.id))


def _since(session: SessionState) -> float:
    at = since(session)
    return at.timestamp() if at is not None else float("inf")


def strip(waiting: list[SessionState], view: View) -> list[Line]:
    """Return the strip: a line for each who waits, or one calm line; in a low terminal fewer."""
    if not waiting:
        return [(Span("✓ ", "good"), Span("nobody needs you", "dim"))]
    names = projects(folder(session) for session in waiting)
    most = max(1, min(MOST, view.height // 5))
    shown = waiting if len(waiting) <= most else waiting[: max(1, most - 1)]
    lines = [_line(session, names[folder(session)], view.now, view.width) for session in shown]
    if len(shown) < len(waiting) and most > 1:
        hint = "  w: next" if view.keys else ""
        lines.append((Span(f"  and {len(waiting) - len(shown)} more", "needs"), Span(hint, "dim")))
    return lines


def _line(session: SessionState, project: str, now: datetime, width: int) -> Line:
    asked = ASKED[session.waiting_for or "permission"]
    about = f": {plain(session.current_tool)}" if session.current_tool else ""
    head = (Span(f"▲ {age(since(session), now):>4}  ", "needs"), Span(f"{asked}{about}", "needs"))
    where = Span(f" on {plain(named(session.host))}" if named(session.host) else "", "plain")
    if width < 60:
        return cut((head[0], Span(f"{session.waiting_for}{about}  ", "needs"), Span(project, "strong"), where), width)
    called_by = (Span("  " + project, "strong"), where, Span(f"  {agent(session.source)}", "dim"))
    called = title(session)
    for why in (known_by(session.evidence), known_by(session.evidence, brief=True)):
        room = width - length((*head, *called_by)) - width_of(why) - 4
        if room >= min(ENOUGH, width_of(called)):
            return (*head, *called_by, Span("  " + fit(called, min(room, 48)).rstrip()), Span("  " + why, "dim"))
    return cut((*head, *called_by, Span("  " + called)), width)
