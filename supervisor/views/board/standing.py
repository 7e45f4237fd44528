"""Standing: what a session is doing, as one glyph, one word and one ink. Never by colour alone.

The words are the same wherever people read them: it imports nothing of the board but the roles.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from ....protocol.session import SessionState
from .roles import Role


class Standing(NamedTuple):
    """How a session stands; `rank` sorts: who needs you first, the ended last."""

    rank: int
    glyph: str
    word: str
    role: Role

    @property
    def doubted(self) -> "Standing":
        """The same as a guess. Who may need somebody stays as visible as before."""
        return self._replace(word=f"{self.word}?", role=self.role if self.rank == 0 else "dim")


NEEDS = {
    "permission": Standing(0, "▲", "needs permission", "needs"),
    "question": Standing(0, "▲", "asks a question", "needs"),
    "plan": Standing(0, "▲", "shows a plan", "needs"),
}
WORKING = Standing(1, "●", "working", "working")
WAITING = Standing(2, "○", "at the prompt", "waiting")
IDLE = Standing(3, "·", "idle", "idle")
STALE = Standing(4, "-", "stale", "ended")
ENDED = Standing(4, "-", "ended", "ended")

LONG_OPEN = timedelta(minutes=2)
"""A call without a result is a running tool for so long without any doubt: most end earlier, and a board is to be calm."""

LEGEND = (
    (NEEDS["permission"], "a turn stands still until you act"),
    (WORKING, "the model answers, a tool runs, or helpers of it run"),
    (WORKING.doubted, "a guess: only the time says so, or a call that is open for minutes"),
    (WAITING, "the turn is over; the next word is yours"),
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


def seen(session: SessionState, now: datetime) -> Standing:
    """Return how a session stands, as a guess if it is one."""
    found = standing(session)
    return found.doubted if found.rank < 3 and inferred(session, now) else found


def inferred(session: SessionState, now: datetime) -> bool:
    """Whether nothing says so but the time, or a call that is open for long: it may be one that nobody ends any more."""
    evidence = session.evidence
    if evidence is not None and evidence.kind == "tool":
        began = session.current_tool_started_at or since(session)
        return began is None or now - began > LONG_OPEN
    return evidence is None or evidence.kind in {"age", "none"}


def since(session: SessionState) -> datetime | None:
    """Return since when it stands so, as well as that is known."""
    if session.evidence is not None and session.evidence.since is not None:
        return session.evidence.since
    return session.last_activity_at or session.last_data_received_at


def counted_from(session: SessionState) -> datetime | None:
    """Return what its age counts from: the end of who ended, the beginning of a wait for you, else its last move."""
    rank = standing(session).rank
    return ended_at(session) if rank == 4 else since(session) if rank == 0 else session.last_activity_at


def ended_at(session: SessionState) -> datetime | None:
    """Return when a session ended, as well as that is known."""
    return session.completed_at or session.last_activity_at or session.last_data_received_at
