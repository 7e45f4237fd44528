"""Notify: what systemd is told about a running supervisor (sd_notify): ready, alive, how it does, stopping.

A datagram to the socket that systemd names; without one, nothing. The variables are taken out of the environment, so that
no worker speaks for us.
"""

import logging
import os
import socket
from collections.abc import MutableMapping

log = logging.getLogger("bellboard")


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
        self._unsaid: dict[str, str] = {}

    @property
    def wanted(self) -> bool:
        """Whether anybody wants to be told."""
        return bool(self._path)

    def ready(self) -> None:
        """Everybody may attach from now on."""
        self._say("READY=1")

    def stopping(self) -> None:
        """The end was asked for."""
        self._say("STOPPING=1", "STATUS=ending when the workers have")

    def tick(self, monotonic: float, status: str) -> None:
        """Tell that we live, when it is time, and how it goes, when that has changed."""
        words: list[str] = []
        # Ticks come at least as often as that, now and then a little early: none that counts may be passed over for that.
        if self.beat is not None and monotonic - self._beat_at >= self.beat / 2:
            self._beat_at = monotonic
            words.append("WATCHDOG=1")
        if status != self._status:
            self._status = status
            words.append(f"STATUS={status}")
        if words or self._unsaid:
            self._say(*words)

    def _say(self, *words: str) -> None:
        """Say these words with those that could not be said before, of each kind the last."""
        if not self._path:
            return
        self._unsaid |= {word.partition("=")[0]: word for word in words}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            try:
                line.sendto("\n".join(self._unsaid.values()).encode(), self._path)
            except BlockingIOError:
                return  # it does not keep up, and hears it at the next tick
            except OSError as error:
                log.debug("whoever started us does not listen: %s", error.strerror)  # its own affair
        self._unsaid.clear()
