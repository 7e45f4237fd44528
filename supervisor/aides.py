"""Aides: processes that a supervisor keeps besides its workers, such as the web gateway.

An aide is a subscriber like any other, so nothing that becomes of it touches the board. It is started again when it ends,
with the same pauses as a worker (`crew/restart.py`), and ended with the supervisor: by it, and by `tether.py` if it cannot.
"""

import logging
import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from .crew.process import ending
from .crew.restart import Backoff, Policy, after_death
from .tether import ENVIRONMENT

log = logging.getLogger("bellboard")

SETTLED_SECONDS = 60.0
"""An aide that has lived so long has got somewhere: its end is an accident."""

GRACE_SECONDS = 4.0


class Aide:
    """One process that is kept; `words` are those of a `bellboard` command."""

    def __init__(
        self, name: str, words: Sequence[str], policy: Policy, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.name = name
        self.restarts = -1
        self._words = [sys.executable, "-m", "bellboard.supervisor", *words]
        self._policy = policy
        self._environ = environ
        self._backoff = Backoff()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pipe: int | None = None

    @property
    def pid(self) -> int | None:
        """Its process, None while it has none."""
        return None if self._process is None else self._process.pid

    def tend(self, clock: float) -> None:
        """Take note of its end, and start it when it may be started (`clock`: the board's own time in seconds)."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._ended(code, clock)
        if clock >= self._backoff.not_before:
            self._start(clock)

    def close(self) -> None:
        """End it, and wait for that."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        self._let_go()

    def _start(self, clock: float) -> None:
        read, self._pipe = os.pipe()
        self._started_at = clock
        self.restarts += 1
        try:
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.DEVNULL,
                pass_fds=(read,),
                start_new_session=True,
                env={**self._environ, ENVIRONMENT: str(read)},
            )
        except OSError as error:
            self._let_go()
            self._fail(f"it cannot be started: {error.strerror}", clock)
        finally:
            os.close(read)

    def _ended(self, code: int, clock: float) -> None:
        self._process = None
        self._let_go()
        self._fail(ending(code), clock)

    def _fail(self, words: str, clock: float) -> None:
        fate = "progressed" if clock - self._started_at >= SETTLED_SECONDS else "fruitless"
        jitter = random.random()  # noqa: S311 - jitter, not a secret
        self._backoff = after_death(
            self._backoff, self._policy, fate, started_at=self._started_at, clock=clock, jitter=jitter
        )
        pause = max(0.0, self._backoff.not_before - clock)
        log.warning("%s: it ended: %s; started again in %.0f s", self.name, words, pause)

    def _let_go(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
