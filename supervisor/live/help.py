"""Help: the keys, states and columns, above the board; any key closes it."""

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from ..views.board.keys import helped
from .palette import Palette
from .sheet import Sheet

STEPS = {"up": -1, "down": 1, "k": -1, "j": 1, "pageup": -10, "pagedown": 10}


MOST_WIDTH, AROUND = 110, 9
"""Columns of the page, and of what is around its text: border, padding, the place of a mark, scroll bar."""


class Help(ModalScreen[None]):
    """One page."""

    CSS = """
    Help { align: center middle; }
    Help Sheet { width: 100%; max-width: 110; height: auto; max-height: 90%; padding: 1 2; border: round $accent; }
    """

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._sheet = Sheet(id="help")

    def compose(self) -> ComposeResult:
        """See `Screen.compose`."""
        yield self._sheet

    def on_mount(self) -> None:
        """Show the page."""
        self._fill()

    def on_resize(self, _: events.Resize) -> None:
        """Show the page for another size."""
        self._fill()

    def on_key(self, event: events.Key) -> None:
        """Close, unless somebody only scrolls."""
        event.stop()
        step = STEPS.get(event.key)
        if step is None:
            self.dismiss()
        else:
            self._sheet.scroll_to(y=max(0, self._sheet.scroll_offset.y + step), animate=False, force=True)

    def on_click(self) -> None:
        """Close."""
        self.dismiss()

    def _fill(self) -> None:
        lines = helped(max(20, min(MOST_WIDTH, self.size.width) - AROUND))
        self._sheet.show(len(lines), lines.__getitem__, self._palette, raised=True)
