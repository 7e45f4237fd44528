"""Wire: listens to a board in a thread of its own, and keeps the newest picture of it for whoever draws.

Only this thread touches the subscriber. It says `wake` when there is something new; how often that is drawn is the
shell's affair.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from ...protocol.errors import ProtocolError
from ...protocol.replica import Key
from ...protocol.session import HealthState, SessionState
from ...protocol.subscriber import Subscriber
from ..errors import SupervisorError
from ..views.board.picture import Picture
from .lodger import Lodger
from .past import Past

STEP_SECONDS = 0.25
REST_SECONDS = 0.03
"""After something came: what comes meanwhile is taken together."""

JOIN_SECONDS = 3.0
AGAIN_SECONDS = 0.5


class _Known(NamedTuple):
    sessions: tuple[SessionState, ...] = ()
    health: tuple[HealthState, ...] = ()
    heard_at: float | None = None


class Wire(threading.Thread):
    """Follows the board in `runtime_dir`, or that of a `lodger`, which is started again when it ends.

    `fleet` says, of a fleet's board, why it is not heard; None on the board of one machine.
    """

    def __init__(
        self, runtime_dir: str, lodger: Lodger | None = None, *, fleet: Callable[[], str | None] | None = None
    ) -> None:
        super().__init__(name="wire", daemon=True)
        self._runtime_dir = runtime_dir
        self._lodger = lodger
        self._fleet = fleet
        self._known = _Known()
        self._leaving = threading.Event()
        self.wake: Callable[[], None] = lambda: None
        self._past = Past(lambda: self._runtime_dir, self._wake)
        self.joined = threading.Event()
        self.complaint: str | None = None

    def picture(self) -> Picture:
        """Return the board as it is known now; callable from every thread."""
        known = self._known
        silence = None if known.heard_at is None else max(0.0, time.monotonic() - known.heard_at)
        private = self._lodger is not None
        picture = Picture(known.sessions, known.health, silence, private, self._past.pulses, self._past.history)
        if self._fleet is None:
            return picture._replace(trouble=self.complaint)
        return picture._replace(fleet=True, trouble=None if picture.fresh else self._fleet())

    def look(self, key: Key | None) -> None:
        """Say whose last hour is looked at, None: nobody's; callable from every thread."""
        self._past.look(key)

    def close(self) -> None:
        """Leave the board; a private one ends."""
        self._leaving.set()
        self._past.close()
        self.join()
        if self._lodger is not None:
            self._lodger.close()

    def _wake(self) -> None:
        self.wake()

    def run(self) -> None:
        """Follow until told to leave, whatever happens to the supervisor."""
        while not self._leaving.is_set():
            try:
                with Subscriber(self._runtime_dir, patience=JOIN_SECONDS) as board:
                    self.complaint = None
                    self._follow(board)
            except ProtocolError as error:
                self.complaint = str(error)
            if self._lodger is not None and self._lodger.due:
                self._start_again(self._lodger)
            self._leaving.wait(AGAIN_SECONDS)

    def _start_again(self, lodger: Lodger) -> None:
        try:
            self._runtime_dir = lodger.start()
        except (SupervisorError, OSError) as error:
            self.complaint = str(error)

    def _follow(self, board: Subscriber) -> None:
        board.join()
        self._take(board)
        if self.joined.is_set():
            self._past.stir()  # another board remembers other things
        else:
            self.joined.set()
            self._past.start()
        while not self._leaving.is_set() and not (self._lodger is not None and self._lodger.due):
            if board.receive(STEP_SECONDS):
                self._take(board)
                self._leaving.wait(REST_SECONDS)
            else:
                self._hear(board)

    def _take(self, board: Subscriber) -> None:
        known = self._known._replace(sessions=tuple(board.sessions.values()), health=tuple(board.health.values()))
        self._known = known._replace(heard_at=_heard_at(board))
        self.wake()

    def _hear(self, board: Subscriber) -> None:
        self._known = self._known._replace(heard_at=_heard_at(board))


def _heard_at(board: Subscriber) -> float | None:
    silence = board.silence
    return None if silence is None else time.monotonic() - silence
