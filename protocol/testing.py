"""Testing: a board for the tests of your own programs, on real sockets and without any agent.

`MockBoard` does what a supervisor does for its subscribers - events, heartbeats, snapshots - and says what the test tells it
to. Its counterpart is `Subscriber`, or a subscriber of yours in any language: give it `runtime_dir`, or `env` as its
environment.

    with MockBoard() as board:
        board.session("claude", "one", activity="waiting", waiting_for="permission")
"""

import contextlib
import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

from .addresses import EVENTS, SNAPSHOT, address
from .channel import Answering, Poll, Publishing
from .codec import EVENT, SNAPSHOT_REQUEST, DecodeFault
from .errors import NoAnswer
from .event import BoardEvent, Heartbeat, topic_of
from .history import Mark
from .mock import MockState
from .session import HealthState, SessionState

T = TypeVar("T")

BEAT_SECONDS = 0.25
"""Four times as often as a supervisor, so that tests need not wait."""

STEP_SECONDS = 0.05
PATIENCE_SECONDS = 5.0


class MockBoard:
    """A board in a temporary folder (or in `runtime_dir`), served by a thread of its own. Use it as a context manager.

    What a test says here has been published when the call returns.
    """

    def __init__(self, runtime_dir: str | None = None) -> None:
        self._temporary = None if runtime_dir else tempfile.mkdtemp(prefix="bb-", dir="/tmp")
        self.runtime_dir = runtime_dir or self._temporary or ""
        os.makedirs(self.runtime_dir, mode=0o700, exist_ok=True)
        self.subscriptions = 0
        self._state = MockState()
        self._losing = False
        self._said: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._waking, self._wake = os.pipe()
        self._sockets: tuple[Publishing, Answering] | None = None
        self._thread = threading.Thread(target=self._serve, name="mock board", daemon=True)
        self._thread.start()
        self.start()

    @property
    def env(self) -> dict[str, str]:
        """The environment in which a program finds this board."""
        return {**os.environ, "BELLBOARD_RUNTIME_DIR": self.runtime_dir}

    @property
    def sessions(self) -> dict[tuple[str, str], SessionState]:
        """The sessions on the board, by (source, id)."""
        return dict(self._state.sessions)

    def session(self, source: str, name: str, **fields: Any) -> SessionState:
        """Let a session be on the board, or change what is given of it (any field of `SessionState`).

        Which event goes out follows from the change, as on a real board: discovered, updated, terminal, resumed.
        """
        return self._do(lambda: self._publish(*self._state.change(source, name, fields)))

    def put(self, *states: SessionState | HealthState) -> None:
        """Put whole states on the board, all at once: of sessions, which get the next version, and of sources' health."""

        def tell() -> None:
            for state in states:
                if isinstance(state, HealthState):
                    self._publish(*self._state.put_health(state))
                else:
                    self._publish(*self._state.put(state))

        self._do(tell)

    def remember(self, source: str, name: str, marks: Iterable[Mark]) -> None:
        """Give a session a past, oldest first, from which its pulses follow; later changes go on from there."""
        self._do(lambda: self._state.remember(source, name, marks))

    def stale(self, source: str, name: str) -> SessionState:
        """Let a session be silent for too long."""
        return self._do(lambda: self._publish(*self._state.end(source, name, "stale")))

    def remove(self, source: str, name: str) -> SessionState:
        """Let an ended session leave the board."""
        return self._do(lambda: self._publish(*self._state.end(source, name, "removed")))

    def health(self, source: str, **fields: Any) -> HealthState:
        """Let a source be on the board, or change how it does (any field of `HealthState`)."""
        return self._do(lambda: self._publish(*self._state.sicken(source, fields)))

    @contextlib.contextmanager
    def losing(self) -> Generator[None]:
        """Let what is said meanwhile happen, but get lost on the way to subscribers."""
        self._losing = True
        try:
            yield
        finally:
            self._losing = False

    def stop(self) -> None:
        """Let the supervisor be gone: its sockets are closed, and what is said from now on happens unheard."""
        self._do(self._close)

    def start(self, *, empty: bool = False) -> None:
        """Let a supervisor start, with a new epoch; `empty`: one that has kept nothing."""
        self._do(lambda: self._open(empty=empty))

    def restart(self, *, empty: bool = False) -> None:
        """Let the supervisor be restarted."""
        self.stop()
        self.start(empty=empty)

    def wait_for_subscriber(self, seconds: float = PATIENCE_SECONDS, count: int = 1) -> None:
        """Wait until so many subscriptions were made since the last start. Raises NoAnswer."""
        deadline = time.monotonic() + seconds
        while self.subscriptions < count:
            if time.monotonic() > deadline:
                raise NoAnswer(f"{self.subscriptions} of {count} subscriptions after {seconds:g} s")
            time.sleep(0.01)

    def close(self) -> None:
        """End the board and remove its temporary folder."""
        if self._thread.is_alive():
            self._said.put(None)
            os.write(self._wake, b"x")
            self._thread.join(PATIENCE_SECONDS)
            os.close(self._waking)
            os.close(self._wake)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _do(self, what: Callable[[], T]) -> T:
        """Let the thread, which alone may touch the sockets, do something; returns or raises what comes of it."""
        answers: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                answers.put((what(), None))
            except Exception as error:  # noqa: BLE001 - handed to whoever asked
                answers.put((None, error))

        self._said.put(run)
        os.write(self._wake, b"x")
        value, error = answers.get(timeout=2 * PATIENCE_SECONDS)
        if error is not None:
            raise error
        return value  # type: ignore[return-value]

    def _serve(self) -> None:
        beat_at = 0.0
        while True:
            self._wait()
            while not self._said.empty():
                what = self._said.get()
                if what is None:
                    self._close()
                    return
                what()
            if self._sockets is None:
                continue
            new = self._sockets[0].new_subscriptions()
            self.subscriptions += new
            if new or time.monotonic() >= beat_at:
                beat_at = time.monotonic() + BEAT_SECONDS
                self._say(self._state.heartbeat())
            self._answer(self._sockets[1])

    def _wait(self) -> None:
        poll = Poll()
        poll.add(self._waking)
        for channel in self._sockets or ():
            poll.add(channel)
        if self._waking in poll.wait(STEP_SECONDS):
            os.read(self._waking, 4096)

    def _open(self, *, empty: bool) -> None:
        self._close()
        self._state.begin(empty=empty)
        self.subscriptions = 0
        self._sockets = (
            Publishing(address(self.runtime_dir, EVENTS)),
            Answering(address(self.runtime_dir, SNAPSHOT)),
        )

    def _close(self) -> None:
        if self._sockets is None:
            return
        for channel in self._sockets:
            channel.close()
        self._sockets = None
        for name in (EVENTS, SNAPSHOT):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.runtime_dir, name))  # ZeroMQ leaves them

    def _publish(self, event: BoardEvent, value: T) -> T:
        if not self._losing:
            self._say(event)
        return value

    def _say(self, event: BoardEvent | Heartbeat) -> None:
        if self._sockets is not None:
            self._sockets[0].publish(topic_of(event), EVENT.encode(event))

    def _answer(self, asked: Answering) -> None:
        while (received := asked.receive()) is not None:
            request = SNAPSHOT_REQUEST.decode(received[1][-1] if received[1] else b"")
            if isinstance(request, DecodeFault):
                continue
            for answer in self._state.answers(request):
                asked.send(received[0], [answer])
