"""Columns: which of them there is room for, how wide each is, and what stands in it for one session."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from ....protocol.session import SessionState
from ..text import age, plain
from .bars import context, elapsed, spark
from .hosts import named
from .ink import EMPTY, Line, Span, filled, fit, width_of
from .names import agent_in, title
from .picture import Picture, Sort, key_of
from .rows import Entry
from .standing import counted_from, inferred, seen

GAP = 2
SPARK_MINUTES = 15

LEAST_TITLE, GOOD_TITLE = 14, 22
TITLE_SHARE = 3
"""Of what room is over, the title gets so many columns for each one that another column gets."""


class Column(NamedTuple):
    """One column: `rank` is in which order columns give way when there is no room, the highest first."""

    name: str
    heading: str
    least: int
    most: int
    rank: int
    sort: Sort | None = None
    right: bool = False


COLUMNS = (
    Column("state", "STATE", 12, 18, 0, "state"),
    Column("title", "SESSION", GOOD_TITLE, 60, 0, "name"),
    Column("agent", "AGENT", 8, 11, 2, "agent"),
    Column("model", "MODEL", 12, 20, 6),
    Column("context", "CONTEXT", 10, 22, 3, "context"),
    Column("spark", "LAST 15 MIN", SPARK_MINUTES, SPARK_MINUTES, 5),
    Column("tool", "TOOL NOW", 16, 24, 4),
    Column("helpers", "SUBS", 4, 4, 7, right=True),
    Column("branch", "BRANCH", 10, 22, 8),
    Column("age", "AGE", 5, 5, 1, "age", right=True),
)


class Place(NamedTuple):
    """A column that is shown: from `start`, for `width`."""

    column: Column
    start: int
    width: int


@lru_cache(maxsize=8)
def places(width: int) -> tuple[Place, ...]:
    """Return the columns that there is room for, left to right."""
    shown = [column if column.name != "title" else column._replace(least=_title_least(width)) for column in COLUMNS]
    while sum(column.least + GAP for column in shown) - GAP > width and any(column.rank for column in shown):
        shown.remove(max(shown, key=lambda column: column.rank))
    widths = {column.name: column.least for column in shown}
    spare = width - (sum(widths.values()) + GAP * (len(shown) - 1))
    # What is over goes where text is cut, in turns, so that no column is lavish while another is short.
    while spare > 0 and (poor := [column for column in shown if widths[column.name] < column.most]):
        for column in sorted(poor, key=lambda each: each.rank):
            more = min(spare, TITLE_SHARE if column.name == "title" else 1, column.most - widths[column.name])
            widths[column.name] += more
            spare -= more
    if spare < 0:
        widths["title"] = max(4, widths["title"] + spare)
    if spare > 0:
        widths["title"] += spare
    found: list[Place] = []
    start = 0
    for column in shown:
        found.append(Place(column, start, widths[column.name]))
        start += widths[column.name] + GAP
    return tuple(found)


def _title_least(width: int) -> int:
    return max(LEAST_TITLE, min(GOOD_TITLE, width // 3))


def head(shown: tuple[Place, ...], sort: Sort) -> Line:
    """Return the line above the table; the column by which it is sorted says so."""
    spans: list[Span] = []
    for place in shown:
        name = place.column.heading
        sorted_by = place.column.sort == sort
        if sorted_by and len(name) + 2 <= place.width:
            name += " ▾"
        spans += [
            Span(fit(name, place.width, right=place.column.right), "strong" if sorted_by else "heading"),
            Span(" " * GAP),
        ]
    return tuple(spans[:-1])


def line(entry: Entry, shown: tuple[Place, ...], now: datetime, picture: Picture) -> Line:
    """Return the line of one session."""
    spans: list[Span] = []
    for place in shown:
        cell = CELLS[place.column.name](_Cell(entry, place.width, now, picture))
        if place.column.right:
            cell = tuple(Span(fit(span.text, place.width, right=True), span.role) for span in cell)
        spans += [*filled(cell, place.width), Span(" " * GAP)]
    return tuple(spans[:-1])


class _Cell(NamedTuple):
    entry: Entry
    width: int
    now: datetime
    picture: Picture

    @property
    def session(self) -> SessionState:
        return self.entry.session


def _state(cell: _Cell) -> Line:
    standing = seen(cell.session, cell.now)
    word = standing.word
    if 2 + len(word) > cell.width:
        word = word.rpartition(" ")[2]
    return (Span(f"{standing.glyph} {word}", standing.role),)


def _title(cell: _Cell) -> Line:
    ended = cell.entry.standing.rank == 4
    before = Span("└ ", "dim") if cell.entry.depth else Span("")
    if ended:
        host = named(cell.session.host)
        called, project = title(cell.session), f"  {cell.entry.project}{f' on {host}' if host else ''}"
        fits = width_of(called + project) <= cell.width
        return (before, Span(called, "dim"), Span(project if fits else "", "ended"))
    return (before, Span(title(cell.session), "strong" if cell.entry.standing.rank == 0 else "plain"))


def _agent(cell: _Cell) -> Line:
    return (Span(agent_in(cell.session.source, cell.width), "dim"),)


def _model(cell: _Cell) -> Line:
    return (Span(plain(cell.session.model), "dim"),)


def _context(cell: _Cell) -> Line:
    if cell.entry.standing.rank == 4:
        return tuple(Span(span.text, "track") for span in context(cell.session, cell.width))
    return context(cell.session, cell.width)


def _spark(cell: _Cell) -> Line:
    return spark(cell.picture.pulse_of(key_of(cell.session)), SPARK_MINUTES)


def _tool(cell: _Cell) -> Line:
    session = cell.session
    if cell.entry.standing.rank == 4 or not session.current_tool:
        return EMPTY
    took = elapsed(session.current_tool_started_at, cell.now)
    room = cell.width - len(took) - 1 if took else cell.width
    tool = fit(session.current_tool, room).rstrip()
    return (Span(tool, "dim" if inferred(session, cell.now) else "plain"), Span(f" {took}" if took else "", "dim"))


def _helpers(cell: _Cell) -> Line:
    running = sum(each.activity == "working" for each in cell.session.subagents)
    if running:
        return (Span(f"+{running}", "working"),)
    return (Span(str(len(cell.session.subagents)), "dim"),) if cell.session.subagents else EMPTY


def _branch(cell: _Cell) -> Line:
    return (Span(plain(cell.session.branch), "dim"),)


def _age(cell: _Cell) -> Line:
    role = "needs" if cell.entry.standing.rank == 0 else "dim"
    return (Span(age(counted_from(cell.session), cell.now), role),)


CELLS: dict[str, Callable[[_Cell], Line]] = {
    "state": _state,
    "title": _title,
    "agent": _agent,
    "model": _model,
    "context": _context,
    "spark": _spark,
    "tool": _tool,
    "helpers": _helpers,
    "branch": _branch,
    "age": _age,
}
