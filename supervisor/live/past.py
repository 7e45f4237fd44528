"""Past: asks a board what it remembers, in a thread of its own: all pulses, and the hour of the session looked at.

A board that does not answer is asked again later; meanwhile what was answered last stays.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping

from ...protocol import recall
from ...protocol.errors import ProtocolError
from ...protocol.history import History
from ...protocol.replica import Key

PAUSE_SECONDS = 5.0


class Past(threading.Thread):
    """What is remembered by the board in the folder that `where` names. `wake` is called when something new is known."""

    def __init__(self, where: Callable[[], str], wake: Callable[[], None]) -> None:
        super().__init__(name="past", daemon=True)
        self._where = where
        self._wake = wake
        self._asked = threading.Event()
        self._leaving = False
        self._key: Key | None = None
        self.pulses: Mapping[Key, tuple[int, ...]] | None = None
        self.history: History | None = None

    def look(self, key: Key | None) -> None:
        """Say whose hour is looked at; None: nobody's. Callable from every thread."""
        if key != self._key:
            self._key = key
            self._asked.set()

    def stir(self) -> None:
        """Ask now."""
        self._asked.set()

    def close(self) -> None:
        """Ask no more."""
        self._leaving = True
        self._asked.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Ask now and then, and at once when somebody looks at another session."""
        while not self._leaving:
            self._asked.clear()
            with contextlib.suppress(ProtocolError):  # it is asked again; how old the picture is, is said elsewhere
                self._ask(self._where(), self._key)
                self._wake()
            self._asked.wait(PAUSE_SECONDS)

    def _ask(self, where: str, key: Key | None) -> None:
        if key is not None:
            self.history = recall.history(where, *key)
        self.pulses = {(pulse.source, pulse.id): pulse.counts for pulse in recall.pulses(where)}
