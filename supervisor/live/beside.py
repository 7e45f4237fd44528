"""Beside: what somebody who shows the board tells below it, and when that one has seen enough. The demo does both."""

from collections.abc import Callable
from typing import NamedTuple

from ..views.board.ink import Line


class Beside(NamedTuple):
    """`lines` are shown below the board, `over` ends it; both are asked each time it is drawn."""

    lines: Callable[[], list[Line]]
    over: Callable[[], bool]


NOTHING = Beside(list, lambda: False)
