"""Sheet: a widget of Textual that shows lines of ours, and draws again only those that changed.

A line is made when it is seen: a list of a thousand sessions costs as much as the part of it on the screen.
"""

from collections.abc import Callable

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..views.board.ink import EMPTY, Line, Role
from .palette import DARK, Palette

MARK = "▌ "


class Sheet(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines; one of them may be picked. It has no keys of its own: they all are the board's."""

    DEFAULT_CSS = """
    Sheet {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """

    class Clicked(Message):
        """A line was clicked: `y` counts from the first line, `x` from the first column of the text."""

        def __init__(self, sheet: str, x: int, y: int) -> None:
            super().__init__()
            self.sheet, self.x, self.y = sheet, x, y

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._count = 0
        self._line: Callable[[int], Line] = lambda _: EMPTY
        self._palette = DARK
        self._on_raised: bool = False
        self._picked: int | None = None
        self._drawn: dict[int, tuple[Line, bool]] = {}
        self._styles: dict[tuple[Role, str], Style] = {}

    def show(
        self,
        count: int,
        line: Callable[[int], Line],
        palette: Palette,
        *,
        raised: bool = False,
        picked: int | None = None,
    ) -> None:
        """Show so many lines from now on."""
        anew = palette is not self._palette or raised != self._on_raised
        resized = count != self._count
        self._count, self._line, self._palette, self._on_raised, self._picked = count, line, palette, raised, picked
        if resized:
            self.virtual_size = Size(0, count)
            self.refresh(layout=True)
        if anew or resized:
            if anew:
                self._styles.clear()
                self.styles.background = palette.raised if raised else palette.ground
            self._drawn.clear()
            self.refresh()
            return
        first, height = self.scroll_offset.y, self.size.height
        for y in range(first, min(count, first + height)):
            now = (line(y), y == picked)
            if self._drawn.get(y) != now:
                self.refresh(Region(0, y - first, self.size.width, 1))

    def reveal(self, y: int, *, above: int = 0) -> None:
        """Scroll as little as is needed to see a line, and so many above it."""
        top, height = self.scroll_offset.y, self.size.height
        if y - above < top:
            self.scroll_to(y=max(0, y - above), animate=False, force=True)
        elif y >= top + height:
            self.scroll_to(y=y - height + 1, animate=False, force=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """See `Widget.get_content_height`."""
        del container, viewport, width
        return self._count

    def render_line(self, y: int) -> Strip:
        """See `Widget.render_line`."""
        number = y + self.scroll_offset.y
        width = self.size.width
        if number >= self._count:
            return Strip([Segment(" " * width, self._style("plain", picked=False))], width)
        picked = number == self._picked
        line = self._line(number)
        self._drawn[number] = (line, picked)
        mark = Segment(MARK if picked else "  ", self._style("needs", picked=picked))
        segments = [mark, *(Segment(span.text, self._style(span.role, picked=picked)) for span in line if span.text)]
        return Strip(segments).adjust_cell_length(width, self._style("plain", picked=picked))

    def on_click(self, event: events.Click) -> None:
        """Say which line was clicked."""
        inner = self.content_region.offset - self.region.offset
        x, y = event.x - inner.x - len(MARK), event.y - inner.y + self.scroll_offset.y
        self.post_message(self.Clicked(self.id or "", x, y))

    def _style(self, role: Role, *, picked: bool) -> Style:
        palette = self._palette
        ground = palette.picked if picked else palette.raised if self._on_raised else palette.ground
        style = self._styles.get((role, ground))
        if style is None:
            ink = palette.inks[role]
            style = Style(color=Color.parse(ink.colour), bgcolor=Color.parse(ground), bold=ink.bold)
            self._styles[role, ground] = style
        return style
