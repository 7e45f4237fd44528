"""Tally: what the actors say they wrote, and how it compares with what the board says.

Pure. The actors' word is the truth: each act says what it adds to the counts. The board may be behind while a worker is
away; it may never be ahead, and when it has caught up nothing may differ.
"""

from collections.abc import Iterable

from msgspec import Struct

from ...protocol.session import SessionState
from .acts import Said

Key = tuple[str, str]
"""A source, and the id of one of its sessions or of a subagent that has no session row."""


def times(count: int, noun: str) -> str:
    """Say a number of things."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


class Counts(Struct, frozen=True, array_like=True):
    """How much was said in one conversation, or in all."""

    messages: int = 0
    calls: int = 0
    compactions: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Add."""
        return Counts(self.messages + other.messages, self.calls + other.calls, self.compactions + other.compactions)

    @property
    def words(self) -> str:
        """The two numbers that people look at."""
        return f"{times(self.messages, 'message')} and {times(self.calls, 'call')}"


class Comparison(Struct, frozen=True):
    """Written against shown: the sums, and the conversations in which they differ, each with a sentence."""

    written: Counts
    shown: Counts
    behind: tuple[Key, ...] = ()
    ahead: tuple[Key, ...] = ()

    @property
    def differences(self) -> int:
        """In how many conversations the board and the actors disagree."""
        return len(self.behind) + len(self.ahead)


class Tally:
    """Adds up what was written, by conversation."""

    def __init__(self) -> None:
        self._written: dict[Key, Counts] = {}

    def add(self, said: Iterable[Said]) -> None:
        """Take what an act says of itself."""
        for each in said:
            key = each.source, each.id
            counts = Counts(each.messages, each.calls, each.compactions)
            self._written[key] = self._written.get(key, Counts()).plus(counts)

    def copy(self) -> dict[Key, Counts]:
        """Return the counts of all conversations as they are now."""
        return dict(self._written)


def on_board(sessions: Iterable[SessionState]) -> dict[Key, Counts]:
    """Return the counts of all conversations that the board shows."""
    shown: dict[Key, Counts] = {}
    for session in sessions:
        counts = Counts(session.message_count, session.tool_call_count, session.compaction_count)
        shown[session.source, session.id] = counts
        for agent in session.subagents:
            shown[session.source, agent.id] = Counts(agent.message_count, agent.tool_call_count)
    return shown


def compare(written: dict[Key, Counts], shown: dict[Key, Counts]) -> Comparison:
    """Compare what was written with what the board shows; `shown` must not be the younger of the two."""
    behind: list[Key] = []
    ahead: list[Key] = []
    for key in sorted(written.keys() | shown.keys()):
        mine, theirs = written.get(key, Counts()), shown.get(key, Counts())
        if mine != theirs:
            over = (theirs.messages, theirs.calls, theirs.compactions)
            most = (mine.messages, mine.calls, mine.compactions)
            (ahead if any(a > b for a, b in zip(over, most, strict=True)) else behind).append(key)
    return Comparison(_sum(written.values()), _sum(shown.values()), tuple(behind), tuple(ahead))


def _sum(counts: Iterable[Counts]) -> Counts:
    total = Counts()
    for each in counts:
        total = total.plus(each)
    return total
