"""Ending: how the live board is told to end by a signal. It leaves then, so that the terminal is given back as it was.

The counterpart is `app.py`, which is what leaves.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Self

ENDS = (signal.SIGTERM, signal.SIGHUP)
LOST_SECONDS = 5.0
EXIT_LOST = 129


class Ending:
    """Listens for signals; after its `with` they do again what they did before it was made."""

    def __init__(self) -> None:
        self._before = {number: signal.getsignal(number) for number in ENDS}
        # Textual's writer may wait for ever for a terminal that is gone; then there is nothing to be given back.
        self._lost = threading.Timer(LOST_SECONDS, os._exit, (EXIT_LOST,))
        self._lost.daemon = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lost.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # a loop that has ended leaves none

    def listen(self, loop: asyncio.AbstractEventLoop, leave: Callable[[], None]) -> None:
        """Call `leave` when the board is told to end; where that does not end it, the process ends all the same."""

        def told() -> None:
            if self._lost.ident is None:
                self._lost.start()
            leave()

        for number in ENDS:
            loop.add_signal_handler(number, told)
