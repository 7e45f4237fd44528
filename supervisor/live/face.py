"""Face: the sheets that make up the live board on the screen, from top to bottom, and how they share its height.

What stands on them is decided by `views/board`; what the person does with them is taken by `app.py`.
"""

from collections.abc import Iterator, Sequence

from ..views.board.filter import typing
from ..views.board.ink import Line, cut
from ..views.board.keys import bottom
from ..views.board.pane import FOUND, SESSION, Pane, pane
from ..views.board.picture import View
from ..views.board.screen import (
    BESIDE_SHARE,
    LOW,
    Screen,
    head_lines,
    index_of,
    left_out,
    pane_height,
    row_line,
    table_head,
)
from .look import BORDER
from .palette import DARK, Palette
from .sheet import Sheet


class Face:
    """The sheets. What differs from what is on the screen is drawn."""

    def __init__(self) -> None:
        self._head, self._columns, self._list = Sheet(id="head"), Sheet(id="columns"), Sheet(id="list")
        self._pane, self._below, self._keys = Sheet(id="pane"), Sheet(id="below"), Sheet(id="keys")
        self._palette = DARK

    def __iter__(self) -> Iterator[Sheet]:
        return iter((self._head, self._columns, self._list, self._pane, self._below, self._keys))

    @property
    def mounted(self) -> bool:
        """Whether Textual knows the sheets by now."""
        return self._list.is_mounted

    @property
    def page(self) -> int:
        """How many rows of the list one goes further by a page."""
        return max(1, self._list.size.height - 2)

    def draw(
        self,
        shown: Screen,
        view: View,
        palette: Palette,
        *,
        opened: Pane | None,
        typed: str | None,
        beside: Sequence[Line],
    ) -> None:
        """Draw the board, what is `opened` of it, the filter that is being `typed`, and what is told `beside` it."""
        self._palette, rows, head = palette, shown.rows, head_lines(shown, view)
        self._head.show(len(head), head.__getitem__, palette, raised=True)
        self._columns.show(1, lambda _: table_head(shown, view), palette)
        self._list.show(len(rows), lambda number: row_line(shown, rows[number], view), palette, picked=index_of(shown))
        below = [cut(line, view.width) for line in beside][: view.height // BESIDE_SHARE]
        self._lay(self._below, below, len(below) + BORDER)
        keys = _keys(shown, view, opened, typed)
        self._keys.show(1, lambda _: keys, palette, raised=True)
        room = view.height - len(head) - 1 - (len(below) + BORDER) * bool(below)
        # What nobody asked for does not take the place of the list.
        self._share(pane(opened, shown, view), room, view.height, asked=opened != FOUND or not shown.picture.sessions)

    def reveal(self, row: int) -> None:
        """Scroll the list to a row; the heading above the first session of a project is worth seeing, too."""
        self._list.reveal(row, above=1)

    def scroll(self, step: int) -> None:
        """Scroll the pane."""
        self._pane.scroll_to(y=max(0, self._pane.scroll_offset.y + step), animate=False, force=True)

    def _share(self, lines: list[Line], room: int, height: int, *, asked: bool) -> None:
        """Share the room below the head between the list and the pane; where it is too little for both, the pane has it."""
        gap = int(height >= LOW)
        self._columns.styles.margin = (gap, 0, 0, 0)
        beside = room - 1 - gap
        taken = pane_height(len(lines) + BORDER, beside, height) if lines else 0
        if taken >= beside and not asked:
            lines, taken = [], 0
        both = taken < beside
        self._columns.display = self._list.display = both
        self._lay(self._pane, lines, taken if both else room)

    def _lay(self, sheet: Sheet, lines: list[Line], height: int) -> None:
        """Lay lines below the list, if there are any."""
        sheet.display = bool(lines)
        sheet.styles.height = height
        sheet.show(len(lines), lines.__getitem__, self._palette)


def _keys(shown: Screen, view: View, opened: Pane | None, typed: str | None) -> Line:
    """Return the last line: the filter while it is typed, else what is left out of the list, else the keys."""
    if typed is not None:
        return typing(typed, view.width)
    return left_out(shown, view) or bottom(view.width, opened=opened == SESSION)
