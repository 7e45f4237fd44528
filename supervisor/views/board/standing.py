"""Standing: what a session is doing, as one glyph, one word and one ink. Never by colour alone."""

from datetime import datetime
from typing import NamedTuple

from ....protocol.session import SessionState
from .ink import Role


class Standing(NamedTuple):
    """How a session stands; `rank` sorts: who needs you first, the ended last."""

    rank: int
    glyph: str
    word: str
    role: Role


NEEDS = {
    "permission": Standing(0, "▲", "needs permission", "needs"),
    "question": Standing(0, "▲", "asks a question", "needs"),
    "plan": Standing(0, "▲", "shows a plan", "needs"),
}
WORKING = Standing(1, "●", "working", "working")
WAITING = Standing(2, "○", "waiting", "waiting")
IDLE = Standing(3, "·", "idle", "idle")
STALE = Standing(4, "-", "stale", "ended")
ENDED = Standing(4, "-", "ended", "ended")

LEGEND = (
    (NEEDS["permission"], "a turn stands still until you act"),
    (WORKING, "the model answers, a tool runs, or helpers of it run"),
    (WAITING, "the turn is over, at the prompt"),
    (IDLE, "open, and nothing is known to happen"),
    (STALE, "silent for long, and nothing says that it lives"),
    (ENDED, "closed, or its process is gone"),
)


def standing(session: SessionState) -> Standing:
    """Return how a session stands."""
    if session.lifecycle == "terminal" or session.activity == "terminal":
        return STALE if session.end_reason == "stale" else ENDED
    if session.needs_you and session.waiting_for is not None:
        return NEEDS[session.waiting_for]
    return {"working": WORKING, "waiting": WAITING, "idle": IDLE}[session.activity]


def since(session: SessionState) -> datetime | None:
    """Return since when it stands so, as well as that is known."""
    if session.evidence is not None and session.evidence.since is not None:
        return session.evidence.since
    return session.last_activity_at or session.last_data_received_at


def ended_at(session: SessionState) -> datetime | None:
    """Return when a session ended, as well as that is known."""
    return session.completed_at or session.last_activity_at or session.last_data_received_at
