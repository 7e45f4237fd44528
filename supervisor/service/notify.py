"""Notify: what systemd is told about a running supervisor (sd_notify): ready, alive, how it does, stopping.

A datagram to the socket that systemd names; without one, nothing. The variables are taken out of the environment, so that
no worker speaks for us.
"""

import contextlib
import os
import socket
from collections.abc import MutableMapping


class Notify:
    """The line to systemd; `beat` is how often (seconds) it wants to hear that we live, None if it does not care."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        path = environ.pop("NOTIFY_SOCKET", "")
        every, whose = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        # A leading @ stands for the zero byte of Linux's abstract names.
        self._path = "\0" + path[1:] if path.startswith("@") else path
        meant = bool(self._path) and every.isdecimal() and int(every) > 0 and whose in {"", str(os.getpid())}
        self.beat = int(every) / 2e6 if meant else None
        self._beat_at = 0.0
        self._status = ""

    def ready(self) -> None:
        """Everybody may attach from now on."""
        self._say("READY=1")

    def stopping(self) -> None:
        """The end was asked for."""
        self._say("STOPPING=1", "STATUS=ending when the workers have")

    def tick(self, monotonic: float, status: str) -> None:
        """Tell that we live, when it is time, and how it goes, when that has changed."""
        words: list[str] = []
        if self.beat is not None and monotonic - self._beat_at >= self.beat:
            self._beat_at = monotonic
            words.append("WATCHDOG=1")
        if status != self._status:
            self._status = status
            words.append(f"STATUS={status}")
        if words:
            self._say(*words)

    def _say(self, *words: str) -> None:
        if not self._path:
            return
        # Whoever started us may be gone or not keep up: that is its affair, and the next word comes.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            line.sendto("\n".join(words).encode(), self._path)
