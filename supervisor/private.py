"""Private: a board for one command or terminal. The real pipeline in folders of its own, in memory, disturbing nobody."""

import contextlib
import select
import sys
import tempfile
from collections.abc import Callable, Generator

import msgspec

from ..protocol.event import Snapshot
from .app import Supervisor
from .config import Config
from .units import Seconds


def read_once(config: Config) -> Snapshot:
    """Run the pipeline until each source has finished one full pass; returns the board as it is then.

    What has been silent for long is stale, as on any board, and stays on it, however old. Raises SupervisorError, and
    KeyboardInterrupt if a signal came first.
    """
    board = msgspec.structs.replace(config.board, retention=Seconds("inf"))
    with _private(msgspec.structs.replace(config, board=board)) as private, Supervisor(private) as supervisor:
        if not supervisor.run(until=lambda: all(supervisor.book.settled(source) for source in private.sources)):
            raise KeyboardInterrupt  # half a board must not look like a whole one
        return supervisor.snapshot()


def serve(config: Config, reread: Callable[[], Config]) -> None:
    """Keep a board for whoever started us: say on stdout where it is, and end when stdin does. Raises SupervisorError."""
    with _private(config) as private, Supervisor(private, reread) as supervisor:
        sys.stdout.write(private.runtime_dir + "\n")
        sys.stdout.flush()
        poll = select.poll()
        poll.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
        # Nobody ever writes to it: that it can be read means that it has ended.
        supervisor.run(until=lambda: bool(poll.poll(0)))


@contextlib.contextmanager
def _private(config: Config) -> Generator[Config]:
    # A short name, because the path of a socket is limited; not $TMPDIR, which may be long.
    with tempfile.TemporaryDirectory(prefix="bellboard-", dir="/tmp") as folder:
        yield msgspec.structs.replace(config, state_dir=None, runtime_dir=folder)
