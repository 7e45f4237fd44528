"""Machine: one machine of a fleet as its viewers know it: whether it is heard, and since when it is not. Pure.

An engine tells nobody that a sign of life expired, so each viewer counts the time itself, by its own clock: how right the
clocks of machines and engine are does not matter. What people read (`since`) is the engine's time.
"""

from datetime import datetime

from msgspec import Struct

from ..clock import Moment
from .engine import PRESENCE_SECONDS, Entry
from .record import Presence


class Absence(Struct, frozen=True):
    """A machine is not heard: why, and since when."""

    reason: str
    since: datetime


class Machine(Struct):
    """`presence` is its last sign of life, `came` when that came (`Moment.clock`; None: none stands), `word` its last word.

    `left` is when its exporter was ended in good order, if that is the last that was heard of it.
    """

    presence: Presence | None = None
    came: float | None = None
    word: datetime | None = None
    left: datetime | None = None

    def meet(self, presence: Presence, entry: Entry, now: Moment) -> None:
        """Take a sign of life."""
        self.presence, self.came, self.left = presence, now.clock, None
        self.say(entry.at)

    def leave(self, at: datetime) -> None:
        """Its exporter has ended in good order."""
        self.came, self.left = None, at
        self.say(at)

    def expire(self) -> None:
        """There is no sign of life of it any more."""
        self.came = None

    def say(self, at: datetime) -> None:
        """It has said something."""
        self.word = at if self.word is None else max(self.word, at)

    def stir(self, now: Moment) -> None:
        """It says something now; who has never been met may be about to be."""
        if self.presence is None and self.came is None:
            self.came = now.clock

    def absence(self, now: Moment) -> Absence | None:
        """Return why and since when it is not heard, None if it is."""
        presence, word = self.presence, self.word or now.wall
        if self.came is not None and now.clock - self.came < PRESENCE_SECONDS:
            if presence is None or presence.heard:
                return None
            return Absence(f"its exporter does not hear its board since {moment(presence.since)}", presence.since)
        if self.left is not None:
            return Absence(f"its exporter was ended at {moment(self.left)}", self.left)
        return Absence(f"not heard since {moment(word)}", word)


def moment(at: datetime) -> str:
    """Write a moment so that it can be read on another day, and in another country."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
