"""Thread: the few things that can happen to one, as changes of its state.

The verbs here are those of the conversation (a person said, the model answered, a tool was called); which record means
which verb stands in `records.py`.
"""

from msgspec import Struct

from ..text import PATH_LIMIT, TITLE_LIMIT, tidy
from .rows import Row, Usage, text_of
from .state import OPEN_LIMIT, Call, State

TIME_LIMIT = 40
"""Characters of a written time; more is none."""

KEY_LIMIT = 64
"""Characters by which a tool call is remembered until its result comes."""

SERVER_CALLS = frozenset(("web_search_call", "image_generation_call"))
"""Calls that the model's server answers by itself: no result is ever written."""


class Counts(Struct):
    """What one reading adds to the totals of a session."""

    messages: int = 0
    tool_calls: int = 0
    compactions: int = 0
    unknown: int = 0


def time_of(row: Row) -> str | None:
    """Return when the row was written, in its own words."""
    moment = row.timestamp
    return moment if moment and len(moment) <= TIME_LIMIT else None


class Thread:
    """A state under change. Where turns are marked (0.120 and later) only their marks say whether one goes on."""

    __slots__ = ("counts", "state")

    def __init__(self, state: State, counts: Counts) -> None:
        self.state = state
        self.counts = counts

    # turns

    def turn_begins(self, row: Row) -> None:
        """Go to work; calls of an earlier turn are over."""
        state = self.state
        state.turn, state.why, state.since = "working", "", time_of(row)
        state.open.clear()

    def turn_ends(self, row: Row, why: str) -> None:
        """Go back to the prompt."""
        state = self.state
        state.turn, state.why, state.since = "over", why, time_of(row)
        state.open.clear()

    def busy(self, row: Row) -> None:
        """Where turns are not marked, whatever the model does says that one is going on."""
        state = self.state
        if not state.eventful and state.turn != "working":
            state.turn, state.why, state.since = "working", "", time_of(row)

    # messages

    def user_said(self, row: Row, content: object) -> None:
        """Count a person's prompt; the first one is the title."""
        self.counts.messages += 1
        state = self.state
        if state.title is None:
            state.title = tidy(text_of(content), TITLE_LIMIT)
        if not state.eventful:
            state.turn, state.why, state.since = "working", "", time_of(row)

    def agent_said(self, row: Row, phase: object) -> None:
        """Count an answer. Where turns are not marked, one without an open call ends the turn."""
        self.counts.messages += 1
        state = self.state
        if not state.eventful:
            if phase == "commentary" or state.open:
                self.busy(row)
            else:
                self.turn_ends(row, "answered")

    # tools

    def called(self, row: Row, kind: str | None, name: object, call_id: object) -> None:
        """Count a tool call and remember it until its result comes; a server's own tool has ended already."""
        self.counts.tool_calls += 1
        if isinstance(call_id, str) and kind not in SERVER_CALLS:
            calls = self.state.open
            calls[call_id[:KEY_LIMIT]] = Call(tidy(name) or (kind or "tool").removesuffix("_call"), time_of(row))
            if len(calls) > OPEN_LIMIT:
                del calls[next(iter(calls))]
        self.busy(row)

    def finished(self, call_id: object) -> None:
        """Forget a tool call that has ended."""
        if isinstance(call_id, str):
            self.state.open.pop(call_id[:KEY_LIMIT], None)

    # facts

    def place(self, model: object, cwd: object) -> None:
        """Set the newest model and folder."""
        state = self.state
        if model and model != state.model:
            state.model = tidy(model) or state.model
        if cwd and cwd != state.cwd:
            state.cwd = tidy(cwd, PATH_LIMIT) or state.cwd

    def holds(self, usage: Usage | None) -> None:
        """Set what the model holds: the newest request's total, or the client's estimate after a compaction."""
        if usage and usage.total_tokens:
            self.state.context = usage.total_tokens

    def window(self, size: int | None) -> None:
        """Set the usable window as the client reports it."""
        if size:
            self.state.window = size
