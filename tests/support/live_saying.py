"""Saying: short words for scenarios of clients whose files are the only witness."""

from collections.abc import Mapping
from typing import Any

from live_stage import Stage

AT_PROMPT = {"activity": "waiting", "waiting_for": "prompt"}
DOUBT = "whether its client still runs cannot be known"


def wrote(stage: Stage, mark: str, since: float, seconds: float = 20) -> float:
    """Wait until the client has written something that matches; returns when it did."""
    at = stage.written(mark, since, seconds)
    assert at is not None, f"nothing like {mark!r} was written"
    return at


def true_once(
    stage: Stage, session: str, name: str, says: Mapping[str, Any], mark: str, since: float, seconds: float = 20
) -> float:
    """Wait for a write, and note what is true from that write on; returns when it was."""
    at = wrote(stage, mark, since, seconds)
    stage.true(session, name, says, at=at, mark=mark)
    return at


def last_detail(stage: Stage, session: str) -> str:
    """What the board says last of how it knows the state of a session."""
    assert stage.board is not None
    mine = [moment.session for moment in stage.board.moments if moment.session.id == session]
    assert mine, "the board says nothing of the session"
    evidence = mine[-1].evidence
    return (evidence.detail if evidence else None) or ""
