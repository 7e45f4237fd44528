"""Notifier: follows a running board and tells a person what the alarm says. A subscriber like any other."""

import sys
import time
from datetime import UTC, datetime

from ...protocol.event import Snapshot
from ...protocol.subscriber import STEP_SECONDS, Subscriber
from ..clock import Moment, Ticks
from ..views.text import hearing
from .alarm import Alarm
from .backends import Backend, BackendFailed
from .settings import Notify
from .wording import Notice, notice


class Notifier:
    """Joins the board's news, the alarm's judgement and a backend. `step` it until nobody wants to be told any more."""

    def __init__(self, board: Subscriber, backend: Backend, settings: Notify, fleet: str | None = None) -> None:
        self._board = board
        self._fleet = fleet
        self._backend = backend
        self._titles = settings.titles
        self._alarm = Alarm(settings)
        self._ticks = Ticks(time.monotonic())
        self._failed = ""
        self._heard = True

    def start(self) -> None:
        """Wait for the first whole picture. Raises NotRunning if there is no board."""
        self._alarm.picture(self._board.join(), self._now())

    def step(self, seconds: float = STEP_SECONDS) -> None:
        """Take what comes within some seconds, and tell what is due."""
        items = self._board.receive(seconds)
        now = self._now()
        self._alarm.heard(now, connected=self._board.connected)
        if self._board.connected != self._heard:
            # A person is told only if it lasts; who reads this sees it at once.
            self._heard = self._board.connected
            sys.stderr.write(hearing(now.wall, self._fleet, heard=self._heard))
        for item in items:
            if isinstance(item, Snapshot):
                self._alarm.picture(item, now)
            else:
                self._alarm.event(item, now)
        for word in self._alarm.due(now):
            self._tell(notice(word, now.wall, titles=self._titles, fleet=self._fleet))

    def _tell(self, told: Notice) -> None:
        try:
            self._backend.tell(told)
        except BackendFailed as error:
            if str(error) != self._failed:  # said once, however often it happens
                sys.stderr.write(f"bellboard: nobody was told of {told.key}: {error}\n")
            self._failed = str(error)
        else:
            self._failed = ""

    def _now(self) -> Moment:
        return Moment(wall=datetime.now(UTC), clock=self._ticks.advance(time.monotonic()))
