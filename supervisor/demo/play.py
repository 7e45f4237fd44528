"""Play: the whole demo, from the empty folder to the exit code."""

import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from datetime import UTC, datetime

from .acts import Actor
from .cast import cast
from .chaos import Chaos
from .performance import SETTLE_SECONDS, Performance
from .show import show

EXIT_SAME = 0
EXIT_DIFFERENT = 1


def play(
    seconds: float | None,
    *,
    chaos: bool = False,
    actors: Sequence[Actor] | None = None,
    patience: float = SETTLE_SECONDS,
) -> int:
    """Run the demo until interrupted, or for some seconds; returns the exit code: 1 if the board counted wrong.

    Raises SupervisorError or ProtocolError if the board could not be kept up.
    """
    actors = cast(datetime.now(UTC)) if actors is None else actors
    # A short name, because the path of a socket is limited; not $TMPDIR, which may be long.
    with (
        _ended_alike(),
        tempfile.TemporaryDirectory(prefix="bellboard-demo-", dir="/tmp") as folder,
        Performance(folder, actors, Chaos() if chaos else None) as performance,
    ):
        sys.stderr.write(f"bellboard: simulated agents below {folder}; end with Ctrl-C\n")
        end = None if seconds is None else time.monotonic() + seconds

        def over() -> bool:
            return performance.failed or (end is not None and time.monotonic() >= end)

        with contextlib.suppress(KeyboardInterrupt):
            show(performance.runtime_dir, lambda: performance.report, over)
        found = performance.finish(patience)
        sys.stdout.write(f"{performance.sentence(found)}\n")
        for source, name in (*found.behind, *found.ahead):
            sys.stderr.write(f"bellboard: {source} {name}: the board's counts differ from what was written\n")
    return EXIT_DIFFERENT if found.differences else EXIT_SAME


@contextlib.contextmanager
def _ended_alike() -> Generator[None]:
    """Let a hang-up or a termination end the demo as Ctrl-C does, so that nothing is left behind."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
