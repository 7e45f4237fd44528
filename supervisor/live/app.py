"""App: the live board in Textual. It takes keys and the mouse, and lets `face.py` draw what `views/board` decides.

When it is drawn is up to `rhythm.py`, how it is told to end to `ending.py`.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from textual import events
from textual.app import App, ComposeResult

from ..views.board.columns import places
from ..views.board.filter import Filter, pressed
from ..views.board.pane import FOUND, HEALTH, SESSION
from ..views.board.picture import SORTS, Choice, Sort, View, key_of
from ..views.board.rows import Entry, Fold
from ..views.board.screen import Screen, index_of, neighbour, next_waiting, pill_at, screen, waiting_at
from . import look
from .beside import NOTHING, Beside
from .ending import Ending
from .face import Face
from .help import Help
from .palette import DARK, LIGHT, Palette
from .rhythm import Rhythm
from .sheet import Sheet
from .wire import Wire

CLOCK_SECONDS = 1.0
FOUND_SECONDS = 6.0
GUTTER = 2
"""Columns left of each line, for the mark of the picked row, and one more on the right."""


class Board(App[None]):
    """The board on the screen."""

    CSS = look.CSS
    AUTO_FOCUS = None  # nothing has a focus: all keys are the board's
    TITLE = "bellboard"
    ENABLE_COMMAND_PALETTE = False

    BINDINGS = look.BINDINGS

    def __init__(
        self,
        wire: Wire,
        *,
        dark: bool = True,
        found_seconds: float = FOUND_SECONDS,
        beside: Beside = NOTHING,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        for theme in look.themes():
            self.register_theme(theme)
        self.theme = look.NAMES[dark]
        self._wire = wire
        self._clock = clock
        self._beside = beside
        self._found_seconds = found_seconds
        self._choice = Choice()
        self._typed: str | None = None
        self._shown: Screen = screen(wire.picture(), self._choice)
        self._pane: str | None = FOUND if found_seconds > 0 else None
        self._face = Face()
        self._rhythm: Rhythm | None = None
        self.ending = Ending()

    @property
    def palette(self) -> Palette:
        """The colours in use."""
        return DARK if self.theme == look.NAMES[True] else LIGHT

    def compose(self) -> ComposeResult:
        """See `App.compose`."""
        yield from self._face

    def on_mount(self) -> None:
        """Begin to listen and to draw."""
        loop = asyncio.get_running_loop()
        self.ending.listen(loop, self.exit)
        self._rhythm = Rhythm(loop, self.draw)
        self._wire.wake = self._rhythm.wake
        self.set_interval(CLOCK_SECONDS, self._rhythm.soon)
        if self._found_seconds > 0:
            self.set_timer(self._found_seconds, self._close_found)
        self.draw()

    def on_unmount(self) -> None:
        """Stop listening."""
        self._wire.wake = lambda: None

    def draw(self) -> None:
        """Draw what differs from what is on the screen."""
        if self._rhythm is None or not self.is_running or not self._face.mounted:
            return
        self._rhythm.drawn()
        if self._beside.over():
            self.exit()
            return
        self._shown = screen(self._wire.picture(), self._choice)
        self._wire.look(self._choice.picked if self._pane == SESSION else None)
        self._face.draw(
            self._shown,
            self._view(),
            self.palette,
            opened=self._pane,
            typed=self._typed,
            beside=self._beside.lines(),
        )

    def _view(self) -> View:
        return View(self._clock(), max(20, self.size.width - GUTTER - 3), self.size.height)

    def _choose(self, choice: Choice, *, follow: bool = True) -> None:
        self._choice = choice
        self.draw()
        at = index_of(self._shown)
        if follow and at is not None:
            self._face.reveal(at)

    def _close_found(self) -> None:
        if self._pane == FOUND:
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
        self._choose(neighbour(self._shown, direction * self._face.page))

    def action_pane(self, step: int) -> None:
        """Scroll the pane."""
        self._face.scroll(step)

    def action_details(self) -> None:
        """Open or close the details of the picked session, or unfold who ended."""
        if self._choice.picked is None:
            self._choice = neighbour(self._shown, 1)
        self._toggle(SESSION)

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
        self._toggle(HEALTH)

    def action_ground(self) -> None:
        """Change between dark and light."""
        self.theme = look.NAMES[self.palette is LIGHT]
        self.draw()

    def action_help(self) -> None:
        """Show the help."""
        self.push_screen(Help(self.palette))

    def action_undo(self) -> None:
        """Undo one thing: the pane, else what is left out."""
        if self._pane is not None:
            self._pane = None
            self.draw()
        else:
            self._choose(self._choice._replace(words="", needs_only=False))

    async def on_event(self, event: events.Event) -> None:
        """See `App.on_event`. What is typed into the filter is taken here, where events still come one after the other.

        A widget would get it later, and what was typed quickly before that would be taken for commands.
        """
        mine = isinstance(event, events.Key) and not event.is_forwarded and len(self.screen_stack) == 1
        if not (isinstance(event, events.Key) and mine and self._types(event)):
            await super().on_event(event)

    def _types(self, event: events.Key) -> bool:
        """Take a key if it is for the filter."""
        char = event.character if event.is_printable else None
        found = pressed(Filter(self._typed, self._choice.words), event.key, char)
        if found is None:
            return False
        self._typed = found.typed
        self._choose(self._choice._replace(words=found.words), follow=False)
        return True

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
                    self._toggle(SESSION)

    def _head_clicked(self, shown: Screen, view: View, x: int, y: int) -> None:
        asks = waiting_at(shown, view, y)
        if asks is not None:
            self._choose(self._choice._replace(picked=key_of(asks), words=""))
        elif (source := pill_at(shown, view, x, y)) is not None:
            self._toggle(source)

    def _sort(self, sort: Sort) -> None:
        self._choose(self._choice._replace(sort=sort))

    def on_resize(self, _: events.Resize) -> None:
        """Draw for another size."""
        self.call_after_refresh(self.draw)


def show(wire: Wire, *, dark: bool = True, beside: Beside = NOTHING) -> None:
    """Show the board until the person leaves, or what is beside it is over."""
    # Where agents keep their files is of interest on their own machine, and if they are not simulated.
    seconds = 0 if wire.picture().fleet or beside is not NOTHING else FOUND_SECONDS
    board = Board(wire, dark=dark, beside=beside, found_seconds=seconds)
    with board.ending:
        board.run()
