"""App: the live board drawn by Textual. It takes keys and the mouse, and draws what `views/board` decides.

It draws when something changed, at most ten times a second, and only the lines that differ.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.theme import Theme
from textual.widgets import Input

from ..views.board import detail
from ..views.board.columns import places
from ..views.board.found import found
from ..views.board.ink import Line, Span
from ..views.board.keys import bottom
from ..views.board.picture import SORTS, Choice, View, key_of
from ..views.board.rows import Entry, Fold
from ..views.board.screen import (
    Screen,
    index_of,
    left_out,
    neighbour,
    next_waiting,
    pill_at,
    pill_lines,
    row_line,
    screen,
    strip_lines,
    table_head,
    top,
)
from .help import Help
from .palette import DARK, LIGHT, Palette
from .sheet import Sheet
from .wire import Wire

DRAW_SECONDS = 0.1
CLOCK_SECONDS = 1.0
FOUND_SECONDS = 6.0
GUTTER = 2
"""Columns left of each line, for the mark of the picked row, and one more on the right."""


def theme(name: str, palette: Palette, *, dark: bool) -> Theme:
    """Return a palette as Textual wants it, for what it draws itself: scroll bars and the line for the filter."""
    return Theme(
        name=name,
        primary=palette.inks["working"].colour,
        accent=palette.inks["needs"].colour,
        foreground=palette.inks["plain"].colour,
        background=palette.ground,
        surface=palette.raised,
        panel=palette.raised,
        dark=dark,
    )


class Board(App[None]):
    """The board on the screen."""

    CSS = """
    Screen { layers: base; background: $background; }
    Sheet { height: auto; }
    #head { padding: 0 1; height: auto; }
    #columns { padding: 0 1; height: 1; margin-top: 1; }
    #list { padding: 0 1; height: 1fr; }
    #pane { padding: 0 1; height: auto; max-height: 50%; border-top: heavy $surface; display: none; }
    #filter { display: none; height: 1; border: none; padding: 0 2; background: $surface; }
    #keys { height: 1; padding: 0 1; }
    """

    TITLE = "bellboard"
    ENABLE_COMMAND_PALETTE = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "quit", "quit", priority=False),
        Binding("down,j", "move(1)", "down"),
        Binding("up,k", "move(-1)", "up"),
        Binding("pagedown", "page(1)", "page down"),
        Binding("pageup", "page(-1)", "page up"),
        Binding("home", "move(-100000)", "first"),
        Binding("end", "move(100000)", "last"),
        Binding("J", "pane(3)", "details down"),
        Binding("K", "pane(-3)", "details up"),
        Binding("enter", "details", "details"),
        Binding("w", "waiting", "next waiting"),
        Binding("n", "needs_only", "only needs you"),
        Binding("slash", "filter", "filter"),
        Binding("s", "sort", "sort"),
        Binding("e", "ended", "ended"),
        Binding("h", "health", "health"),
        Binding("t", "ground", "dark or light"),
        Binding("question_mark", "help", "help"),
        Binding("escape", "undo", "back"),
    ]

    def __init__(
        self,
        wire: Wire,
        *,
        dark: bool = True,
        found_seconds: float = FOUND_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.register_theme(theme("bellboard-dark", DARK, dark=True))
        self.register_theme(theme("bellboard-light", LIGHT, dark=False))
        self.theme = "bellboard-dark" if dark else "bellboard-light"
        self._wire = wire
        self._clock = clock
        self._found_seconds = found_seconds
        self._choice = Choice()
        self._shown: Screen = screen(wire.picture(), self._choice)
        self._pane: str | None = "found" if found_seconds > 0 else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = False
        self._drawn_at = 0.0
        self._sheets = {name: Sheet(id=name) for name in ("head", "columns", "list", "pane", "keys")}

    @property
    def palette(self) -> Palette:
        """The colours in use."""
        return DARK if self.theme == "bellboard-dark" else LIGHT

    def compose(self) -> ComposeResult:
        """See `App.compose`."""
        for name in ("head", "columns", "list", "pane"):
            yield self._sheets[name]
        yield Input(id="filter", placeholder="words; -word leaves out; Enter keeps, Esc ends", compact=True)
        yield self._sheets["keys"]

    def on_mount(self) -> None:
        """Begin to listen and to draw."""
        self._loop = asyncio.get_running_loop()
        # Told to end, it gives the terminal back as it was.
        self._loop.add_signal_handler(signal.SIGTERM, self.exit)
        self._wire.wake = self._wake
        self.set_interval(CLOCK_SECONDS, self._soon)
        if self._found_seconds > 0:
            self.set_timer(self._found_seconds, self._close_found)
        self._sheets["list"].focus()
        self.draw()

    def on_unmount(self) -> None:
        """Stop listening."""
        self._wire.wake = lambda: None

    def _wake(self) -> None:
        """Called by the wire's thread when something is new."""
        if self._loop is not None and not self._due:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody looks any more
                self._loop.call_soon_threadsafe(self._soon)

    def _soon(self) -> None:
        if self._loop is None or self._due:
            return
        self._due = True
        self._loop.call_later(max(0.0, self._drawn_at + DRAW_SECONDS - self._loop.time()), self.draw)

    def draw(self) -> None:
        """Draw what differs from what is on the screen."""
        self._due = False
        if self._loop is None or not self.is_running or not self._sheets["list"].is_mounted:
            return
        self._drawn_at = self._loop.time()
        self._shown = shown = screen(self._wire.picture(), self._choice)
        view = self._view()
        self._wire.look(self._choice.picked if self._pane == "session" else None)
        palette = self.palette
        head = [top(shown, view), *strip_lines(shown, view), *pill_lines(shown, view)]
        self._sheets["head"].show(len(head), head.__getitem__, palette, raised=True)
        self._sheets["columns"].show(1, lambda _: table_head(shown, view), palette)
        rows = shown.rows
        self._sheets["list"].show(
            len(rows), lambda number: row_line(shown, rows[number], view), palette, picked=index_of(shown)
        )
        self._draw_pane(shown, view)
        keys = left_out(shown, view) or bottom(view.width)
        self._sheets["keys"].show(1, lambda _: keys, palette, raised=True)

    def _view(self) -> View:
        return View(self._clock(), max(20, self.size.width - GUTTER - 3))

    def _draw_pane(self, shown: Screen, view: View) -> None:
        lines = self._pane_lines(shown, view)
        pane = self._sheets["pane"]
        pane.display = bool(lines)
        pane.show(len(lines), lines.__getitem__, self.palette)

    def _pane_lines(self, shown: Screen, view: View) -> list[Line]:
        picture = shown.picture
        if self._pane == "found":
            return [(Span("Agents of this machine", "heading"),), *found(picture.health, picture.sessions)]
        if self._pane == "session":
            at = index_of(shown)
            row = shown.rows[at] if at is not None else None
            if not isinstance(row, Entry):
                return []
            key = key_of(row.session)
            return detail.session(row.session, view.now, view.width, picture.marks_of(key), picture.pulse_of(key))
        if self._pane is None:
            return []
        chosen = [state for state in picture.health if self._pane in {"health", state.source}]
        return [line for state in chosen for line in (*detail.source(state, view.now, view.width), ())][:-1]

    def _choose(self, choice: Choice, *, follow: bool = True) -> None:
        self._choice = choice
        self.draw()
        at = index_of(self._shown)
        if follow and at is not None:
            # The heading above the first session of a project is worth seeing, too.
            self._sheets["list"].reveal(at, above=1)

    def _close_found(self) -> None:
        if self._pane == "found":
            self._pane = None
            self.draw()

    def _toggle(self, pane: str) -> None:
        self._pane = None if self._pane == pane else pane
        self.draw()
        self.call_after_refresh(lambda: self._choose(self._choice))

    def action_move(self, step: int) -> None:
        """Go some sessions further."""
        self._choose(neighbour(self._shown, step))

    def action_page(self, direction: int) -> None:
        """Go a page further."""
        self._choose(neighbour(self._shown, direction * max(1, self._sheets["list"].size.height - 2)))

    def action_pane(self, step: int) -> None:
        """Scroll the pane."""
        pane = self._sheets["pane"]
        pane.scroll_to(y=max(0, pane.scroll_offset.y + step), animate=False, force=True)

    def action_details(self) -> None:
        """Open or close the details of the picked session, or unfold who ended."""
        if self._choice.picked is None:
            self._choice = neighbour(self._shown, 1)
        self._toggle("session")

    def action_waiting(self) -> None:
        """Go to the next session that needs somebody."""
        self._choose(next_waiting(self._shown))

    def action_needs_only(self) -> None:
        """Show only who needs somebody, or all."""
        self._choose(self._choice._replace(needs_only=not self._choice.needs_only))

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sort(SORTS[(SORTS.index(self._choice.sort) + 1) % len(SORTS)])

    def action_ended(self) -> None:
        """Show or fold who ended."""
        self._choose(self._choice._replace(ended=not self._choice.ended), follow=False)

    def action_health(self) -> None:
        """Show how each worker is doing."""
        self._toggle("health")

    def action_ground(self) -> None:
        """Change between dark and light."""
        self.theme = "bellboard-light" if self.theme == "bellboard-dark" else "bellboard-dark"
        self.draw()

    def action_help(self) -> None:
        """Show the help."""
        self.push_screen(Help(self.palette))

    def action_filter(self) -> None:
        """Begin to filter."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.focus()

    def action_undo(self) -> None:
        """Undo one thing: the filter being typed, the pane, what is left out."""
        line = self.query_one("#filter", Input)
        if line.display:
            line.value = ""
            self._end_filter(line)
            self._choose(self._choice._replace(words=""))
        elif self._pane is not None:
            self._pane = None
            self.draw()
        else:
            self._choose(self._choice._replace(words="", needs_only=False))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the words are typed."""
        self._choose(self._choice._replace(words=event.value.strip()), follow=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go back to the list."""
        self._end_filter(event.input)

    def _end_filter(self, line: Input) -> None:
        line.display = False
        self._sheets["list"].focus()

    def on_sheet_clicked(self, event: Sheet.Clicked) -> None:
        """Do what was clicked on."""
        shown, view = self._shown, self._view()
        if event.sheet == "head":
            self._head_clicked(shown, view, event.x, event.y)
        elif event.sheet == "columns":
            for place in places(view.width):
                if place.start <= event.x < place.start + place.width and place.column.sort is not None:
                    self._sort(place.column.sort)
        elif event.sheet == "list" and event.y < len(shown.rows):
            row = shown.rows[event.y]
            if isinstance(row, Fold):
                self.action_ended()
            elif isinstance(row, Entry):
                again = self._choice.picked == key_of(row.session)
                self._choose(self._choice._replace(picked=key_of(row.session)), follow=False)
                if again:
                    self._toggle("session")

    def _head_clicked(self, shown: Screen, view: View, x: int, y: int) -> None:
        strip = len(strip_lines(shown, view))
        if 1 <= y <= min(strip, len(shown.waiting)):
            self._choose(self._choice._replace(picked=key_of(shown.waiting[y - 1]), words=""))
        elif (source := pill_at(shown, view, x, y - 1 - strip)) is not None:
            self._toggle(source)

    def _sort(self, sort: str) -> None:
        for known in SORTS:
            if known == sort:
                self._choose(self._choice._replace(sort=known))

    def on_resize(self, _: events.Resize) -> None:
        """Draw for another size."""
        self.call_after_refresh(self.draw)


def show(wire: Wire, *, dark: bool = True) -> None:
    """Show the board until the person leaves."""
    Board(wire, dark=dark).run()
