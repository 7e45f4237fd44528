"""Staged: a real source in a worker that can be made to hang from outside, for `bellboard demo --chaos` alone.

The demo names `make` as the factory of its sources. The source it gets is the installed one, unchanged; besides, a signal
makes the worker stop in the middle of whatever it does, as a bug would. How the board finds out is not arranged here.
"""

import signal
import time
from types import FrameType
from typing import NoReturn

from .catalog import load
from .contract import Source

HANG_SIGNAL = signal.SIGUSR1
LONG_SECONDS = 3600.0


def make(source: str, home: str) -> Source:
    """Make the installed source called `source`, in a process that hangs when it is told to."""
    signal.signal(HANG_SIGNAL, _hang)
    return load(source, None, {"home": home})


def _hang(_number: int, _frame: FrameType | None) -> NoReturn:
    while True:
        time.sleep(LONG_SECONDS)
