"""Screen: a whole board as lines, top to bottom; what both shells draw.

The head is few lines and is always whole; the list may be long, so its rows become lines one by one, when they are seen.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ....protocol.session import SessionState
from ..text import age, plain
from .columns import head, line, places
from .found import missing, nobody
from .header import header
from .hosts import away, host_pills, machines, named
from .ink import EMPTY, Line, Span, cut, fit, length, wrapped
from .keys import chosen
from .picture import Choice, Picture, View, key_of
from .pills import counts, pills
from .rows import Entry, Fold, Heading, Row, Said, Site, rows
from .standing import standing
from .strip import needing, strip

NOTHING = {
    "no sessions": "no session is open: start an agent, and it appears here",
    "no match": "no session matches the filter",
    "nobody needs you": "nobody needs you",
}


PILL_GAP = "   "
LEAST_WHY, MOST_WHY = 16, 60
"""Columns for the reason in a pill; the whole of it is in the pane."""

EVERY = "health"
"""Stands for all sources, where a pill stands for one."""

LOW = 12
"""In a terminal with fewer lines nothing is left empty for the looks."""

BESIDE_SHARE = 8
"""What is told beside the board takes at most so much of the height: 1 of 8."""

LEAST_LIST, LEAST_PANE, PANE_SHARE = 6, 7, 2
"""Lines that list and pane have side by side, or the list gives way; a pane beside it takes at most 1 of 2 of the height."""

RULE, THICK_RULE = "─", "━"


class Screen(NamedTuple):
    """The board at one moment, ready to be drawn."""

    picture: Picture
    choice: Choice
    rows: list[Row]
    waiting: list[SessionState]
    away: Mapping[str, datetime | None] = {}


def screen(picture: Picture, choice: Choice) -> Screen:
    """Decide what is on the board."""
    if not picture.sessions and picture.health and all(missing(state) for state in picture.health):
        return Screen(picture, choice, [Said(line) for line in nobody(picture.health)], [])
    silent = away(picture.health)
    return Screen(picture, choice, rows(picture.sessions, choice), needing(picture.sessions), silent)


def top(shown: Screen, view: View) -> Line:
    """Return the first line: counters and connection."""
    return header(shown.picture, (standing(session) for session in shown.picture.sessions), view.width)


def head_lines(shown: Screen, view: View) -> list[Line]:
    """Return all above the table: counters, who needs you, pills."""
    return [top(shown, view), *strip_lines(shown, view), *pill_lines(shown, view)]


def pill_lines(shown: Screen, view: View) -> list[Line]:
    """Return the pills of all sources; in a low terminal of those that are not well, and how many more there are."""
    lines = _wrapped(_pills(shown, view), view)[: _most_pills(view)]
    return [*(_aged(shown, line) for line in lines), *_hint(shown, view)]


def _hint(shown: Screen, view: View) -> list[Line]:
    """Say what to do about a supervisor that is not heard."""
    picture = shown.picture
    if picture.fresh or picture.silence is None:
        return []
    otherwise = "its engine is not heard" if picture.fleet else "no supervisor: `bellboard run` starts one"
    words = picture.trouble or ("it is started again" if picture.private else otherwise)
    return [cut((Span(f"✗ {plain(words)}; this board goes on by itself when it is heard again", "bad"),), view.width)]


def waiting_at(shown: Screen, view: View, y: int) -> SessionState | None:
    """Return who asks in that line of the head, None if nobody does."""
    lines = min(len(strip_lines(shown, view)), len(shown.waiting))
    return shown.waiting[y - 1] if 1 <= y <= lines else None


def pill_at(shown: Screen, view: View, x: int, y: int) -> str | None:
    """Return whose pill stands there in the head, None if none does."""
    at_x, at_y = 0, 1 + len(strip_lines(shown, view))
    for source, pill in _pills(shown, view):
        size = min(length(pill), view.width)
        if at_x and at_x + len(PILL_GAP) + size > view.width:
            at_x, at_y = 0, at_y + 1
        start = at_x + len(PILL_GAP) if at_x else 0
        at_x = start + size
        if y == at_y and start <= x < at_x:
            return source
    return None


def _pills(shown: Screen, view: View) -> list[tuple[str, Line]]:
    living = counts(session.origin for session in shown.picture.sessions if standing(session).rank < 4)
    why = min(MOST_WHY, max(LEAST_WHY, view.width // 4))
    every = pills(shown.picture.health, living, why)
    several = len(machines(shown.picture.health)) > 1
    if several:
        there = [session for session in shown.picture.sessions if standing(session).rank < 4]
        every = host_pills(shown.picture.health, counts(named(each.host) for each in there), why, view.now)
    if len(_wrapped(every, view)) <= _most_pills(view):
        return every
    unwell = [(source, line) for source, line in every if line[0].role in {"bad", "warn"}]
    others = len(every) - len(unwell)
    whole = "machines" if several else "agents"
    offline = f", {len(shown.away)} offline" if shown.away else ""
    return (
        [*unwell, (EVERY, (Span(f"{others} {'others' if unwell else whole}{offline}", "dim"),))] if others else unwell
    )


def _wrapped(pills: list[tuple[str, Line]], view: View) -> list[Line]:
    return wrapped((line for _, line in pills), view.width, PILL_GAP)


def _most_pills(view: View) -> int:
    return max(1, view.height // 6)


def strip_lines(shown: Screen, view: View) -> list[Line]:
    """Return who needs you."""
    lines = strip(shown.waiting, view._replace(now=_moment(shown, view)))
    return [_aged(shown, cut(each, view.width)) for each in lines]


def table_head(shown: Screen, view: View) -> Line:
    """Return the headings of the columns."""
    return head(places(view.width), shown.choice.sort)


def left_out(shown: Screen, view: View) -> Line:
    """Say what of the list is not shown, empty if all is."""
    return chosen(shown.choice, view.width)


def row_line(shown: Screen, row: Row, view: View) -> Line:
    """Return one row of the list as a line."""
    line = _aged(shown, cut(_row(shown, row, view), view.width))
    old = isinstance(row, Entry) and named(row.session.host) in shown.away
    return tuple(Span(span.text, "dim") for span in line) if old else line


def _row(shown: Screen, row: Row, view: View) -> Line:
    if isinstance(row, Said):
        return row.line
    if isinstance(row, Entry):
        return line(row, places(view.width), _moment(shown, view), shown.picture)
    if isinstance(row, Site):
        return _site(shown, row, view)
    if isinstance(row, Heading):
        needs = Span(f"  ▲ {row.needs}", "needs") if row.needs else Span("")
        name = fit(row.name, min(60, view.width - 14)).rstrip()
        below = Span("  " if shown.picture.fleet else "")
        left = (below, Span(name, "heading"), Span(f"  {row.count}", "dim"), needs, Span(" "))
        return (*left, Span(RULE * (view.width - length(left)), "track"))
    if isinstance(row, Fold):
        return (
            Span(f"{'▾' if row.open else '▸'} {row.count} ended", "dim"),
            Span("" if row.open or not view.keys else "  e: show", "dim"),
        )
    return (Span(NOTHING[row.why], "dim"),)


def _site(shown: Screen, row: Site, view: View) -> Line:
    silent = row.name in shown.away
    needs = Span(f"  ▲ {row.needs}", "needs") if row.needs else Span("")
    since = Span(f"  ◌ offline {age(shown.away[row.name], view.now)}" if silent else "", "dim")
    name = fit(row.name, min(60, view.width - 24)).rstrip()
    left = (Span("■ ", "dim" if silent else "brand"), Span(name, "dim" if silent else "strong"))
    left = (*left, Span(f"  {row.count}", "dim"), needs, since, Span(" "))
    return (*left, Span(THICK_RULE * (view.width - length(left)), "track"))


def _moment(shown: Screen, view: View) -> datetime:
    """Return of when the picture is: what was heard last does not grow older by itself."""
    picture = shown.picture
    return view.now if picture.fresh else view.now - timedelta(seconds=picture.silence or 0.0)


def _aged(shown: Screen, line: Line) -> Line:
    """Return a line as it looks when nobody knows whether it still holds."""
    return line if shown.picture.fresh else tuple(Span(span.text, "dim") for span in line)


def pane_height(wanted: int, room: int, height: int) -> int:
    """Return how many lines a pane gets of the `room` it shares with the list; all of it where there is none for both."""
    beside = min(wanted, height // PANE_SHARE, room - LEAST_LIST)
    return beside if beside >= min(wanted, LEAST_PANE) else room


def whole(shown: Screen, view: View, foot: Sequence[Line] = ()) -> list[Line]:
    """Return the board as exactly `view.height` lines, for a shell that has no keys: what does not fit is counted.

    Of a long foot the first lines are shown, and the last one.
    """
    view = view._replace(keys=False)
    most = max(2, view.height // BESIDE_SHARE)
    below = [cut(line, view.width) for line in (foot if len(foot) <= most else [*foot[: most - 1], foot[-1]])]
    gap = [EMPTY] if view.height >= LOW else []
    above = [*head_lines(shown, view), *gap, table_head(shown, view)]
    room = max(0, view.height - len(above) - len(below))
    listed = shown.rows
    body = [row_line(shown, row, view) for row in listed[:room]]
    if len(listed) > room and room:
        left = sum(isinstance(row, Entry) for row in listed[room - 1 :])
        body[-1] = (Span(f"… and {left} more", "dim"),)
    lines = above + body
    return [*lines, *[EMPTY] * (view.height - len(below) - len(lines))][: view.height - len(below)] + below


def index_of(shown: Screen) -> int | None:
    """Return which row is picked, None if that session is not listed."""
    for number, row in enumerate(shown.rows):
        if isinstance(row, Entry) and key_of(row.session) == shown.choice.picked:
            return number
    return None


def neighbour(shown: Screen, step: int) -> Choice:
    """Pick the session so many entries further, as far as there are any."""
    entries = [number for number, row in enumerate(shown.rows) if isinstance(row, Entry)]
    if not entries:
        return shown.choice
    at = index_of(shown)
    outside = -1 if step > 0 else len(entries)
    place = min(len(entries) - 1, max(0, (outside if at is None else entries.index(at)) + step))
    row = shown.rows[entries[place]]
    return shown.choice._replace(picked=key_of(row.session)) if isinstance(row, Entry) else shown.choice


def next_waiting(shown: Screen) -> Choice:
    """Pick the next session that needs somebody, the longest wait first; what hid it is dropped."""
    if not shown.waiting:
        return shown.choice
    keys = [key_of(session) for session in shown.waiting]
    picked = shown.choice.picked
    at = keys.index(picked) + 1 if picked in keys else 0
    key = keys[at % len(keys)]
    choice = shown.choice._replace(picked=key)
    listed = {key_of(row.session) for row in shown.rows if isinstance(row, Entry)}
    return choice if key in listed else choice._replace(words="")
