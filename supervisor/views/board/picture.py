"""Picture: all that a board is drawn from at one moment, and what the person looking at it has chosen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from ....protocol.history import KEPT_MINUTES, History, Mark
from ....protocol.replica import Key
from ....protocol.session import HealthState, SessionState

Sort: TypeAlias = Literal["state", "age", "context", "agent", "name"]

SORTS: tuple[Sort, ...] = ("state", "age", "context", "agent", "name")

FRESH_SECONDS = 3.0
"""A board says something each second: when it was not heard for so long, its picture is old."""


SILENT = (0,) * KEPT_MINUTES


class Picture(NamedTuple):
    """The board as it is known now.

    `silence` is for how many seconds the supervisor was not heard, None if it never was; `private` whether it is this
    terminal's own. `pulses` are what happened in each of the last 60 minutes, None while that is not known, without those
    sessions in which nothing happened; `history` is the last hour of one session;
    `trouble` is why nothing is heard, if that is known; `fleet` whether it is the board of several machines.
    """

    sessions: tuple[SessionState, ...]
    health: tuple[HealthState, ...]
    silence: float | None
    private: bool = False
    pulses: Mapping[Key, tuple[int, ...]] | None = None
    history: History | None = None
    trouble: str | None = None
    fleet: bool = False

    @property
    def fresh(self) -> bool:
        """Whether this is how things are now."""
        return self.silence is not None and self.silence < FRESH_SECONDS

    def pulse_of(self, key: Key) -> tuple[int, ...] | None:
        """Return what happened in each minute of a session, None if that is not known."""
        return None if self.pulses is None else self.pulses.get(key, SILENT)

    def marks_of(self, key: Key) -> tuple[Mark, ...] | None:
        """Return the last hour of a session, None if that is not known."""
        past = self.history
        return past.marks if past is not None and (past.source, past.id) == key else None


class Choice(NamedTuple):
    """What somebody wants to see."""

    sort: Sort = "state"
    words: str = ""
    needs_only: bool = False
    ended: bool = False
    picked: Key | None = None


class View(NamedTuple):
    """How it is to be drawn: the time, how wide and how high, and whether there are keys to hint at."""

    now: datetime
    width: int
    height: int = 60
    keys: bool = True


def key_of(session: SessionState) -> Key:
    """Return by what a session is known."""
    return session.origin, session.id
