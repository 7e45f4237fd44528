"""Keeper: keeps the store working. It finds out when trouble is over, and makes anew what is lost.

While the store does not work nothing is acknowledged, so nothing can be lost: the workers keep what they have and say it
again. A database that was damaged, changed by somebody else or deleted is written anew from memory, which holds exactly
what was acknowledged. Both are facts that subscribers are told.
"""

import logging
from collections.abc import Callable

from .aggregator.aggregator import Aggregator
from .aggregator.health import HealthBook
from .clock import EARLY_SECONDS, Moment
from .crew.roster import Roster
from .errors import StorageError, StorageLost, SupervisorError
from .store import Store

log = logging.getLogger("bellboard")

TRY_SECONDS = 2.0


class Keeper:
    """`claim` makes the store's folder if it is not there, and holds its lock. Raises SupervisorError if it cannot."""

    def __init__(
        self, store: Store, aggregator: Aggregator, book: HealthBook, roster: Roster, claim: Callable[[], None]
    ) -> None:
        self._store = store
        self._aggregator = aggregator
        self._book = book
        self._roster = roster
        self._claim = claim
        self._try_at = 0.0

    def tick(self, now: Moment) -> None:
        """Look whether the store's file is as it was left and, after trouble, whether writing works again."""
        if now.clock < self._try_at - EARLY_SECONDS:
            return
        self._try_at = now.clock + TRY_SECONDS
        try:
            self._store.check()
            if self._book.troubled:
                self._store.probe()
            self._store.catch_up()
        except StorageLost as error:
            self._renew(str(error), now)
        except StorageError as error:
            self._book.storage(str(error))
        else:
            self._book.storage(None)

    def _renew(self, reason: str, now: Moment) -> None:
        try:
            self._claim()
            self._store.renew(self._aggregator.kept(now), self._aggregator.ledger.entries(), self._workers())
        except SupervisorError as error:
            self._book.storage(f"{reason}; a new one cannot be made: {error}")
            return
        told = f"{reason}; it was written anew from memory, and nothing was lost"
        log.warning("%s", told)
        self._book.storage(None)
        self._book.rebuilt(told, now.wall)

    def _workers(self) -> dict[str, tuple[int, bool]]:
        return {source: (member.inc, member.paused) for source, member in self._roster.members.items()}
