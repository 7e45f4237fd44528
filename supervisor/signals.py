"""Signals: a handler only records; the loop acts."""

import contextlib
import os
import signal
from types import FrameType
from typing import Self

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


class Signals:
    """While entered, signals are recorded and wake up whoever polls `fd`."""

    def __init__(self) -> None:
        self._taken: list[int] = []
        self.fd, self._write = os.pipe()
        for end in (self.fd, self._write):
            os.set_blocking(end, False)

    def taken(self) -> list[int]:
        """Return the signals that came since the last call."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 4096)
        found, self._taken = self._taken, []
        return found

    def __enter__(self) -> Self:
        # What was ignored when we were started stays ignored: that is what nohup means.
        heard = [number for number in HANDLED if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._record) for number in heard}
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self.fd)
        os.close(self._write)

    def _record(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._taken.append(number)


def has_terminal() -> bool:
    """Whether this process has a terminal: SIGHUP because it was lost means to end, any other SIGHUP means to reload."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
