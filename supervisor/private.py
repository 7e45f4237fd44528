"""Private: a board for one command. The real pipeline in folders of its own, in memory, disturbing nobody."""

import tempfile

import msgspec

from ..protocol.event import Snapshot
from .app import Supervisor
from .config import Board, Config
from .units import Seconds


def read_once(config: Config) -> Snapshot:
    """Run the pipeline until each source has finished one full pass; returns the board as it is then.

    Everything in the folders is read, however old, and nothing goes stale meanwhile. Raises SupervisorError, and
    KeyboardInterrupt if a signal came first.
    """
    never = Seconds("inf")
    # A short name, because the path of a socket is limited; not $TMPDIR, which may be long.
    with tempfile.TemporaryDirectory(prefix="bellboard-", dir="/tmp") as folder:
        board = Board(since=config.board.since, stale_after=never, retention=never)
        private = msgspec.structs.replace(config, state_dir=None, runtime_dir=folder, board=board)
        with Supervisor(private) as supervisor:
            if not supervisor.run(until=lambda: all(supervisor.book.settled(source) for source in private.sources)):
                raise KeyboardInterrupt  # half a board must not look like a whole one
            return supervisor.snapshot()
