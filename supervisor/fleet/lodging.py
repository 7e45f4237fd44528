"""Lodging: the relay of one command, as a child process that ends with it. The counterpart is `relay.py`.

Its folder is chosen here and stays, so whoever attached to it never notices that a relay was started again.
"""

import os
import shutil
import sys
import tempfile
import threading
import time
from types import TracebackType
from typing import Self

from ...protocol.errors import NotRunning
from ..errors import SupervisorError, UsageError
from ..live.lodger import Lodger
from . import condition
from .credentials import read_login
from .errors import EngineRefused
from .settings import checked
from .view import View

LOOK_SECONDS = 0.25
STEP_SECONDS = 0.02
REACH_SECONDS = 5.0
READ_SECONDS = 30.0
"""How long is waited at the start for the engine, and, once it is reached, for all that stands there."""


class Lodging:
    """A relay to the fleet that a command looks at. Use it as a context manager: it starts and ends the child."""

    def __init__(self, view: View) -> None:
        self._view = view
        # A short name, because the path of a socket is limited; not $TMPDIR, which may be long.
        self.folder = tempfile.mkdtemp(prefix="bellboard-", dir="/tmp")
        self._lodger = Lodger(words(view, self.folder))
        self._complaint = ""
        self._leaving = threading.Event()
        self._tending = threading.Thread(target=self._tend, name="lodging", daemon=True)

    def __enter__(self) -> Self:
        """Start the child. Raises SupervisorError."""
        try:
            self._lodger.start()
        except BaseException:
            self._close()
            raise
        self._tending.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._leaving.set()
        self._tending.join()
        self._close()

    def trouble(self) -> str | None:
        """Return why the fleet is not heard, None if it is, or only just began to be."""
        now = condition.read(self.folder)
        if now.stage in {"lost", "refused", "unusable"}:
            return now.text
        return self._complaint or None

    def wait(self) -> None:
        """Wait for the first whole picture. Raises NotRunning if it does not come, EngineRefused, UsageError."""
        began = time.monotonic()
        while True:
            now = condition.read(self.folder)
            if now.stage == "live":
                if now.odd:
                    sys.stderr.write(f"bellboard: {left_out(now.odd)}\n")
                return
            if now.stage == "refused":
                raise EngineRefused(now.text)
            if now.stage == "unusable":
                raise UsageError(now.text)
            limit = READ_SECONDS if now.stage == "reading" else REACH_SECONDS
            if time.monotonic() - began > limit:
                why = now.text or self._complaint or f"{self._view.url} does not answer in time"
                raise NotRunning(f"the fleet is not heard: {why}")
            time.sleep(STEP_SECONDS)

    def _tend(self) -> None:
        while not self._leaving.wait(LOOK_SECONDS):
            if self._lodger.due:
                try:
                    self._lodger.start()
                    self._complaint = ""
                except (SupervisorError, OSError) as error:
                    self._complaint = str(error)

    def _close(self) -> None:
        self._lodger.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def left_out(count: int) -> str:
    """Say that something in the engine is not ours to read."""
    return f"{count} key(s) of the fleet are no records of this release, and are left out"


def demand(view: View) -> View:
    """Return what to look at as it can be meant. Raises UsageError."""
    if not view.url:
        raise UsageError("which fleet? name it with --fleet nats://HOST:PORT, or set `fleet.url`")
    url = checked(view.url)
    creds, ca = os.path.expanduser(view.creds), os.path.expanduser(view.ca)
    read_login(creds or None)
    if ca and not os.access(ca, os.R_OK):
        raise UsageError(f"cannot read the certificates {ca}")
    return View(url=url, creds=creds, ca=ca)


def words(view: View, folder: str) -> tuple[str, ...]:
    """Return the options of `run --private` that make it a relay."""
    given = {"--runtime-dir": folder, "--fleet": view.url, "--creds": view.creds, "--ca": view.ca}
    return tuple(word for flag, value in given.items() if value for word in (flag, value))
