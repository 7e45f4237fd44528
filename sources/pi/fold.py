"""Fold: rows change a state, and nothing else does.

Two things go on at once. Everything in the file is counted, whichever branch it is on; and the active path is followed,
for what the model holds and what it is doing. An entry whose parent is not the entry before it begins a branch: a person
went back. The counterpart is `rows.py`, which brings the rows.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from msgspec import UNSET

from ..text import PATH_LIMIT, TITLE_LIMIT, tidy
from .rows import Block, Message, Row, Usage, text_of
from .state import MODELS_LIMIT, NEWEST_PLACES, OPEN_LIMIT, TURN_PLACES, Call, Counts, Place, State

TIME_LIMIT = 40
"""Characters of a written time; more is none."""

KEY_LIMIT = 64
"""Characters by which an entry or a tool call is remembered."""

MOST_TOKENS = 1 << 53
"""More than this is no number of tokens."""

ROLES = frozenset(
    (
        "system", "user", "assistant", "toolResult", "bashExecution", "custom", "branchSummary", "compactionSummary",
        "hookMessage",
    )
)  # fmt: skip
"""Roles that the client writes; `hookMessage` is what version 2 called `custom`."""

Handler: TypeAlias = Callable[["Fold", Row], None]


class Fold:
    """The fold of one file; the state and the counts given are changed in place."""

    def __init__(self, state: State, counts: Counts) -> None:
        self.state = state
        self.counts = counts
        self._moment: str | None = None
        self._place: Place | None = None

    def read(self, rows: Iterable[Row]) -> None:
        """Fold rows in order."""
        state = self.state
        newest = state.newest
        for row in rows:
            state.begun = True
            kind = row.type if isinstance(row.type, str) else ""
            if kind == "session":
                self._header(row)
                continue
            self._date(row.timestamp)
            key = _key(row.id)
            if key is not None:
                if row.parent_id != state.leaf:
                    self._branch(row.parent_id)
                state.leaf = key
            handler = _ENTRIES.get(kind, Fold.drift)
            if handler is not None:
                handler(self, row)
            if key is not None:
                newest.pop(key, None)
                newest[key] = self._place or self._here()
                if len(newest) > NEWEST_PLACES:
                    del newest[next(iter(newest))]

    def _header(self, row: Row) -> None:
        state = self.state
        if state.started is None:
            state.started = tidy(row.timestamp, TIME_LIMIT)
            state.cwd = tidy(row.cwd, PATH_LIMIT)
            # Forks and clones begin with entries of their parent, under the same ids and with the times of then.
            state.copying = bool(row.parent_session)

    def _date(self, moment: object) -> None:
        state = self.state
        if not isinstance(moment, str) or not 0 < len(moment) <= TIME_LIMIT:
            self._moment = None
            return
        self._moment = moment
        if state.last is None or moment > state.last:
            state.last = moment
        if state.copying and moment >= (state.started or ""):
            state.copying = False

    # the path

    def _branch(self, parent: object) -> None:
        """Go on from another entry than the one before: a person went back, if it is really another one."""
        state = self.state
        key = _key(parent)
        if parent is UNSET or state.leaf is None or key == state.leaf:
            return
        place = (state.newest.get(key) or state.turns.get(key)) if key is not None else None
        if place is not None:
            state.context = place.context
            state.model = state.models[place.model] if place.model >= 0 else state.model
        elif state.context is not UNSET:
            state.context = None
        self._place = None
        if state.turn != "none":
            self._rest("back")

    def _here(self) -> Place:
        """Return what stands at this entry; it is the same as at the one before until something changes it."""
        if self._place is None:
            state, index = self.state, -1
            if state.model is not None:
                if state.model not in state.models and len(state.models) < MODELS_LIMIT:
                    state.models.append(state.model)
                index = state.models.index(state.model) if state.model in state.models else -1
            self._place = Place(state.context if isinstance(state.context, int) else None, index)
        return self._place

    # turns

    def _rest(self, why: str) -> None:
        state = self.state
        state.turn, state.why, state.since = "over", why, self._moment
        state.open.clear()

    def message(self, row: Row) -> None:
        """Take a message, by its role."""
        message = row.message
        if message is None:
            self.drift(row)
        elif message.role == "assistant":
            self._answered(message)
        elif message.role == "user":
            self._asked(row, message)
        elif message.role == "toolResult":
            self._ran(message)
        elif not isinstance(message.role, str) or message.role not in ROLES:
            self.drift(row)

    def _asked(self, row: Row, message: Message) -> None:
        state = self.state
        if not state.copying:
            self.counts.messages += 1
        if state.title is None:
            state.title = tidy(text_of(message.content), TITLE_LIMIT)
        parent = _key(row.parent_id)
        if parent is not None:
            turns = state.turns
            turns.pop(parent, None)
            turns[parent] = self._here()
            if len(turns) > TURN_PLACES:
                del turns[next(iter(turns))]
        state.turn, state.why, state.since = "asked", "", self._moment
        state.open.clear()

    def _answered(self, message: Message) -> None:
        state = self.state
        content = message.content if isinstance(message.content, list) else []
        calls = [block for block in content if block is not None and block.type == "toolCall"]
        if not state.copying:
            self.counts.messages += 1
            self.counts.tool_calls += len(calls)
        held = self.spend(message.usage)
        if held:
            state.context, self._place = held, None
        if message.model != state.model:
            state.model, self._place = tidy(message.model) or state.model, None
        stop = message.stop_reason if isinstance(message.stop_reason, str) else ""
        if calls and stop not in {"error", "aborted"}:
            state.turn, state.why, state.since = "calling", "", self._moment
            self._open(calls)
        else:
            self._rest(stop if stop in {"error", "aborted", "length"} else "stop")

    def _open(self, calls: list[Block]) -> None:
        calls_open = self.state.open
        calls_open.clear()
        for call in calls[:OPEN_LIMIT]:
            key = _key(call.id)
            if key is not None:
                calls_open[key] = Call(tidy(call.name) or "tool", self._moment)

    def _ran(self, message: Message) -> None:
        state = self.state
        state.open.pop(_key(message.tool_call_id) or "", None)
        state.turn, state.why, state.since = "ran", "", self._moment

    # what else there is

    def spend(self, usage: Usage | None) -> int:
        """Add the tokens of a model call of this session. Returns how many went in."""
        if usage is None:
            return 0
        state = self.state
        fresh, cached, written = _amount(usage.input), _amount(usage.cache_read), _amount(usage.cache_write)
        if not state.copying:
            state.input += fresh
            state.cached += cached
            state.written += written
            state.output += _amount(usage.output)
        return fresh + cached + written

    def compacted(self, row: Row) -> None:
        """Take a compaction: what the model holds after it shows only with its next answer."""
        if not self.state.copying:
            self.counts.compactions += 1
        self.spend(row.usage)
        if self.state.context is not UNSET:
            self.state.context, self._place = None, None

    def spent(self, row: Row) -> None:
        """Take a model call beside the conversation: the summary of a branch, a cache kept warm."""
        self.spend(row.usage)

    def chose(self, row: Row) -> None:
        """Take a choice of model; what answers in the end may be another one, so it only serves until then."""
        if self.state.model is None:
            self.state.model, self._place = tidy(row.model_id), None

    def named(self, row: Row) -> None:
        """Take the name that a person gave, or took away again."""
        self.state.name = tidy(row.name, TITLE_LIMIT)

    def drift(self, _row: Row) -> None:
        """Count an entry that this program does not know."""
        self.counts.unknown += 1


_ENTRIES: dict[str, Handler | None] = {
    "message": Fold.message,
    "compaction": Fold.compacted,
    "branch_summary": Fold.spent,
    "usage": Fold.spent,
    "model_change": Fold.chose,
    "session_info": Fold.named,
    # documented, and nothing that the board needs
    "thinking_level_change": None,
    "context_edit": None,
    "custom": None,
    "custom_message": None,
    "label": None,
}


def _key(value: object) -> str | None:
    return value[:KEY_LIMIT] if isinstance(value, str) else None


def _amount(value: object) -> int:
    """Return a number of tokens; what is none counts as 0."""
    if type(value) is int:  # and no bool
        return value if 0 <= value < MOST_TOKENS else 0
    return int(value) if isinstance(value, float) and 0 < value < MOST_TOKENS else 0
