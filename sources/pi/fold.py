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

    def read(self, rows: Iterable[Row]) -> None:
        """Fold rows in order."""
        state = self.state
        for row in rows:
            state.begun = True
            kind = row.type if isinstance(row.type, str) else ""
            if kind == "session":
                self._header(row)
                continue
            self._date(row)
            self._move(row)
            handler = _ENTRIES.get(kind, Fold.drift)
            if handler is not None:
                handler(self, row)
            if isinstance(row.id, str):
                _remember(state.newest, row.id, self._here(), NEWEST_PLACES)

    def _header(self, row: Row) -> None:
        state = self.state
        if state.started is None:
            state.started = tidy(row.timestamp, TIME_LIMIT)
            state.cwd = tidy(row.cwd, PATH_LIMIT)
            # Forks and clones begin with entries of their parent, under the same ids and with the times of then.
            state.copying = bool(row.parent_session)

    def _date(self, row: Row) -> None:
        moment, state = row.timestamp, self.state
        self._moment = moment if isinstance(moment, str) and 0 < len(moment) <= TIME_LIMIT else None
        if self._moment is not None:
            if state.copying and self._moment >= (state.started or ""):
                state.copying = False
            if state.last is None or self._moment > state.last:
                state.last = self._moment

    # the path

    def _move(self, row: Row) -> None:
        """Go on to this entry: from the one before it, or from where a person went back to."""
        state = self.state
        if not isinstance(row.id, str):
            return
        if row.parent_id is not UNSET and state.leaf is not None:
            parent = _key(row.parent_id)
            if parent != state.leaf:
                self._go_back(parent)
        state.leaf = _key(row.id)

    def _go_back(self, parent: str | None) -> None:
        state = self.state
        place = (state.newest.get(parent) or state.turns.get(parent)) if parent is not None else None
        if place is not None:
            state.context = place.context
            state.model = state.models[place.model] if place.model >= 0 else state.model
        elif state.context is not UNSET:
            state.context = None
        if state.turn != "none":
            self._rest("back")

    def _here(self) -> Place:
        state, index = self.state, -1
        if state.model is not None:
            if state.model not in state.models and len(state.models) < MODELS_LIMIT:
                state.models.append(state.model)
            index = state.models.index(state.model) if state.model in state.models else -1
        return Place(state.context if isinstance(state.context, int) else None, index)

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
        if isinstance(row.parent_id, str):
            _remember(state.turns, row.parent_id, self._here(), TURN_PLACES)
        state.turn, state.why, state.since = "asked", "", self._moment
        state.open.clear()

    def _answered(self, message: Message) -> None:
        state = self.state
        content = message.content if isinstance(message.content, list) else []
        calls = [block for block in content if block is not None and block.type == "toolCall"]
        if not state.copying:
            self.counts.messages += 1
            self.counts.tool_calls += len(calls)
        self.spend(message.usage)
        held = _held(message.usage)
        if held:
            state.context = held
        if message.model != state.model:
            state.model = tidy(message.model) or state.model
        stop = message.stop_reason
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
        if not state.open:
            state.turn, state.why, state.since = "ran", "", self._moment

    # what else there is

    def spend(self, usage: Usage | None) -> None:
        """Add the tokens of a model call of this session."""
        state = self.state
        if usage is not None and not state.copying:
            state.input += _amount(usage.input)
            state.cached += _amount(usage.cache_read)
            state.written += _amount(usage.cache_write)
            state.output += _amount(usage.output)

    def compacted(self, row: Row) -> None:
        """Take a compaction: what the model holds after it shows only with its next answer."""
        if not self.state.copying:
            self.counts.compactions += 1
        self.spend(row.usage)
        if self.state.context is not UNSET:
            self.state.context = None

    def spent(self, row: Row) -> None:
        """Take a model call beside the conversation: the summary of a branch, a cache kept warm."""
        self.spend(row.usage)

    def chose(self, row: Row) -> None:
        """Take a choice of model; what answers in the end may be another one, so it only serves until then."""
        if self.state.model is None:
            self.state.model = tidy(row.model_id)

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


def _remember(places: dict[str, Place], name: str, place: Place, limit: int) -> None:
    name = name[:KEY_LIMIT]
    places.pop(name, None)
    places[name] = place
    if len(places) > limit:
        del places[next(iter(places))]


def _amount(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 < value < MOST_TOKENS else 0


def _held(usage: Usage | None) -> int:
    if usage is None:
        return 0
    return _amount(usage.input) + _amount(usage.cache_read) + _amount(usage.cache_write)
