"""Hire: brings a source's worker into being: its number, its order, whom the board expects, and the process.

What ends it is not here: `crew/` knows when, and `enrol.py` takes a source off the board.
"""

import logging
import secrets

from .aggregator.health import HealthBook
from .config import Config
from .crew.crew import Crew
from .crew.roster import Roster
from .errors import CannotStart, StorageError
from .intake import Intake
from .orders import order_for
from .store import Store

log = logging.getLogger("bellboard")

STORAGE_RETRY_SECONDS = 5.0


class Hiring:
    """Starts workers, one at a call."""

    def __init__(self, store: Store, book: HealthBook, roster: Roster, intake: Intake, crew: Crew) -> None:
        self._store = store
        self._book = book
        self._roster = roster
        self._intake = intake
        self._crew = crew
        self._seal = secrets.token_bytes(32)

    def start(self, config: Config, source: str, clock: float) -> None:
        """Start the worker of a source. Why it cannot be is said in its health; it is tried again."""
        try:
            inc = self._store.next_incarnation(source)
        except StorageError as error:
            self._book.storage(str(error))
            self._roster.postpone(source, clock, STORAGE_RETRY_SECONDS)
            return
        self._book.storage(None)
        order = order_for(config, source, inc, self._seal)
        self._intake.expect(source, inc, order.token)
        try:
            pid = self._crew.start(order, clock)
        except CannotStart as error:
            log.warning("%s: %s", source, error)
            self._book.trouble(source, str(error))
        else:
            self._book.started(source, pid, inc)
