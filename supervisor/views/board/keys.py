"""Keys: what each key does, said once: for the bottom line, for the help, and for the docs."""

from typing import NamedTuple

from .ink import Line, Role, Span, cut, length, wrapped
from .picture import Choice
from .standing import LEGEND


class Key(NamedTuple):
    """One key or pair of keys; `short` is for the bottom line, "" keeps it out of there."""

    keys: str
    short: str
    words: str


KEYS = (
    Key("↑ ↓ j k", "", "move; PgUp, PgDn, Home and End too, and the mouse wheel"),
    Key("Enter", "details", "open or close the details of the session; a second click does the same"),
    Key("J K", "", "scroll the details"),
    Key("/", "filter", "filter by words: agent, project, title, branch, model, state; -word leaves out; Esc ends"),
    Key("w", "next waiting", "go to the next session that needs you"),
    Key("n", "only needs you", "show only who needs you, and all again"),
    Key("s", "sort", "sort by state, age, context, agent, name; a click on a heading does the same"),
    Key("e", "ended", "show or fold those who ended"),
    Key("h", "health", "how each agent's worker is doing; a click on a pill does the same"),
    Key("t", "", "dark or light"),
    Key("?", "help", "this help"),
    Key("q", "quit", "leave; a private board ends with it"),
)

NARROW, INDENT = 60, 4
"""In so few columns a meaning stands below its word, so far to the right."""

LEAST_KEYS = 2
"""Keys of the bottom line that stay to the last: `?` and `q`."""

PAGE = (
    ("context", "used/size; ▒ hatched: the size is a guess; no bar: it is not known"),
    ("last 15 min", "messages and tool calls of each minute, newest right; each step up is twice as many"),
    ("subs", "+2: two subagents run; 2: it had two"),
    ("age", "since when somebody needs you; otherwise since the last sign of life"),
)


def bottom(width: int, *, opened: bool = False) -> Line:
    """Return the line of keys that always shows: where not all fit, the way out, the help and what is first remain.

    `opened`: details are open, and Enter leads back.
    """
    shown = [key._replace(short="back") if opened and key.keys == "Enter" else key for key in KEYS if key.short]
    while length(line := _keys(shown)) > width and len(shown) > LEAST_KEYS:
        del shown[-LEAST_KEYS - 1]
    return cut(line, width)


def _keys(keys: list[Key]) -> Line:
    spans = [Span(text, role) for key in keys for text, role in _inked(key)]
    return tuple(spans)


def _inked(key: Key) -> tuple[tuple[str, Role], tuple[str, Role]]:
    return (f"{key.keys} ", "key"), (f"{key.short}   ", "dim")


def chosen(choice: Choice, width: int) -> Line:
    """Say what is left out of the list, if anything is."""
    spans: list[Span] = []
    if choice.words:
        spans.append(Span(f"filter: {choice.words}  ", "warn"))
    if choice.needs_only:
        spans.append(Span("only who needs you  ", "warn"))
    return cut((*spans, Span("Esc: all", "dim")), width) if spans else ()


def helped(width: int) -> list[Line]:
    """Return the help: keys, states, columns; what is too long goes on in the next line."""
    lines: list[Line] = [(Span("Keys", "heading"),)]
    for key in KEYS:
        lines += _explained(Span(f"  {key.keys:<9}", "key"), key.words, width)
    lines += [(), (Span("States", "heading"),)]
    for each, words in LEGEND:
        lines += _explained(Span(f"  {each.glyph} {each.word:<18}", each.role), words, width)
    lines += [(), (Span("Columns", "heading"),)]
    for name, words in PAGE:
        lines += _explained(Span(f"  {name:<12}", "strong"), words, width)
    return lines


def _explained(label: Span, words: str, width: int) -> list[Line]:
    """Return a word and what it means beside it, or, where there is little room, below it."""
    narrow = width < NARROW
    indent = INDENT if narrow else len(label.text)
    said = wrapped([(Span(word),) for word in words.split()], width - indent, gap=" ")
    beside = [(Span(" " * indent), *line) for line in said]
    return [(Span(label.text.rstrip(), label.role),), *beside] if narrow else [(label, *said[0]), *beside[1:]]
