"""Performance: the actors at work, the board that watches them, and what is done to its workers meanwhile.

The board runs in a process of its own (`backstage.py`) and the actors in a thread, so that whoever shows the board has this
process's main thread to himself. What is shown besides the board is in `report`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

import psutil
from msgspec import Struct

from ...protocol.addresses import EVENTS
from ...protocol.subscriber import Subscriber
from ..errors import CannotStart
from .acts import Actor
from .backstage import HOME, RUN
from .chaos import Chaos, Hit
from .stage import Stage, StandIns
from .tally import Comparison, compare, on_board, times

START_SECONDS = 15.0
END_SECONDS = 10.0
STEP_SECONDS = 0.05
LOOK_SECONDS = 0.25

SETTLE_SECONDS = 40.0
"""At the end: how long the board has to catch up, after which a difference is one."""

STILL_SECONDS = 1.0
"""For so long nothing may differ, before it counts as nothing."""

HANG_SIGNAL = signal.SIGUSR1
"""What makes a worker hang; the counterpart is `sources/staged.py`."""


class Report(Struct, frozen=True):
    """What the demo says besides the board: how the counts compare, and what was done to whom, the newest last."""

    line: str = ""
    log: tuple[str, ...] = ()


class Performance:
    """A demo in a temporary folder, from `with` to the end of it. `chaos` hits the workers; None leaves them alone."""

    def __init__(self, folder: str, actors: Sequence[Actor], chaos: Chaos | None) -> None:
        self.runtime_dir = os.path.join(folder, RUN)
        self.report = Report()
        self._folder = folder
        self._log = os.path.join(folder, "board.log")
        self._actors = actors
        self._chaos = chaos
        self._held = contextlib.ExitStack()
        self._began = time.monotonic()
        self._over = threading.Event()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            home = os.path.join(self._folder, HOME)
            stand_ins = StandIns(len(self._actors))
            stack.callback(stand_ins.close)
            self._stage = Stage(home, self._actors, stand_ins.processes(), 0.0)
            self._board = self._start()
            stack.callback(self._end)
            self._thread = threading.Thread(target=self._play, name="actors", daemon=True)
            self._began = time.monotonic()
            self._thread.start()
            self._held = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(END_SECONDS)
        self._held.close()

    @property
    def failed(self) -> bool:
        """Whether the actors or the board cannot go on; `finish` raises why."""
        return self._failure is not None or self._board.poll() is not None

    def finish(self, patience: float = SETTLE_SECONDS) -> Comparison:
        """Let nobody write any more, wait until the board has caught up, and compare.

        Raises whatever ended the actors, and NotRunning if the board is gone.
        """
        self._over.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        deadline = time.monotonic() + patience
        equal_since: float | None = None
        with Subscriber(self.runtime_dir) as board:
            board.join()
            while time.monotonic() < deadline:
                board.receive(LOOK_SECONDS)
                found = self._look(board)
                if found.differences or any(hit.away is None for hit in self._hits()):
                    equal_since = None
                elif time.monotonic() - (equal_since := equal_since or time.monotonic()) >= STILL_SECONDS:
                    break
        # The last word has the board itself, not the copy that followed it.
        with Subscriber(self.runtime_dir) as board:
            picture = board.join()
        return compare(self._stage.tally.copy(), on_board(picture.sessions))

    def sentence(self, found: Comparison) -> str:
        """Say how the counts compare, and what was done meanwhile; the verdict first, because lines are cut."""
        words = times(found.differences, "difference")
        if self._chaos is not None:
            words += f"; {times(self._chaos.killed, 'worker')} killed, {self._chaos.hung} hung"
        words += f"; written {found.written.words}; "
        if not found.differences:
            return words + "board says the same"
        late = ", ".join(dict.fromkeys(source for source, _ in (*found.behind, *found.ahead)))
        return words + f"board says {found.shown.words} ({'ahead' if found.ahead else 'behind'}: {late})"

    def _hits(self) -> list[Hit]:
        return self._chaos.hits if self._chaos is not None else []

    def _play(self) -> None:
        try:
            with contextlib.closing(self._stage), Subscriber(self.runtime_dir, patience=START_SECONDS) as board:
                looked = 0.0
                while not self._over.is_set():
                    clock = self._clock()
                    self._stage.play(clock, datetime.now(UTC))
                    board.receive(STEP_SECONDS)
                    if clock - looked >= LOOK_SECONDS:
                        looked = clock
                        self._look(board)
                        self._strike(board, clock)
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread, by `finish`
            self._failure = error

    def _look(self, board: Subscriber) -> Comparison:
        """Compare what was written with what the board shows now, and report it."""
        found = compare(self._stage.tally.copy(), on_board(board.sessions.values()))
        log: tuple[str, ...] = ()
        if self._chaos is not None:
            self._chaos.watch(self._clock(), board.health.values())
            log = tuple(self._chaos.lines())
        self.report = Report(self.sentence(found), log)
        return found

    def _strike(self, board: Subscriber, clock: float) -> None:
        hit = self._chaos.next(clock, board.health.values()) if self._chaos is not None else None
        if self._chaos is not None and hit is not None and self._do(hit):
            self._chaos.done(hit)

    def _do(self, hit: Hit) -> bool:
        """Kill a worker or make it hang; False if that process is no longer a worker of ours, or cannot be told yet."""
        try:
            worker = psutil.Process(hit.pid)
            if worker.ppid() != self._board.pid or "bellboard.workers" not in worker.cmdline():
                return False
            if hit.deed == "hang" and not _catches(hit.pid, HANG_SIGNAL):
                return False
            worker.send_signal(signal.SIGKILL if hit.deed == "kill" else HANG_SIGNAL)
        except psutil.Error:
            return False
        return True

    def _clock(self) -> float:
        return time.monotonic() - self._began

    def _start(self) -> "subprocess.Popen[bytes]":
        """Start the board and wait until it can be followed. Raises CannotStart."""
        words = [self._folder, "chaos" if self._chaos is not None else "calm"]
        with open(self._log, "wb") as log:
            # In a session of its own: Ctrl-C is for us alone, and we end it.
            board = subprocess.Popen(
                [sys.executable, "-m", "bellboard.supervisor.demo.backstage", *words],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not os.path.exists(os.path.join(self.runtime_dir, EVENTS)):
            if board.poll() is not None or time.monotonic() > deadline:
                board.kill()
                board.wait()
                raise CannotStart(f"the demo's board did not start: {self._last_words()}")
            time.sleep(STEP_SECONDS)
        return board

    def _last_words(self) -> str:
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return (file.read().strip().splitlines() or ["it said nothing"])[-1]

    def _end(self) -> None:
        self._board.terminate()
        try:
            self._board.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._board.kill()
            self._board.wait()


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal; where the system does not say, it is taken for granted."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            caught = next((line for line in file if line.startswith("SigCgt:")), "SigCgt: 0")
    except OSError:
        return not os.path.isdir("/proc/self")
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
