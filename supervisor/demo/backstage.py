"""Backstage: the board of a demo, in a process of its own: `python -m bellboard.supervisor.demo.backstage FOLDER CHAOS`.

It is a whole supervisor with real workers, on the folders of the demo, in memory. It ends with the process that started it,
and when that was killed it takes the folders away, because nobody else is left to do so.
"""

import os
import shutil
import sys

from ..app import Supervisor
from ..config import Config, Limits, Restart, SourceConfig, Work
from ..units import Seconds
from .cast import HOMES

HOME, RUN = "agents", "run"
"""Folders below the demo's own; not called `home`, or the board would take what is below it for somebody's home."""

STAGED = "bellboard.sources.staged:make"
"""Real sources, in workers that can be made to hang."""

QUICK = Limits(suspect=Seconds(1.0), hung=Seconds(3.0), starved=Seconds(20.0))
"""Patience of a demo with chaos: who waits for half a minute to see a hang found?"""


def settings(folder: str, *, chaos: bool) -> Config:
    """Return what the demo's board is set to."""
    homes = {name: os.path.join(folder, HOME, path) for name, path in HOMES.items()}
    run = os.path.join(folder, RUN)
    if not chaos:
        return Config(
            state_dir=None,
            runtime_dir=run,
            sources={name: SourceConfig(options={"home": home}) for name, home in homes.items()},
        )
    return Config(
        state_dir=None,
        runtime_dir=run,
        limits=QUICK,
        work=Work(beat=Seconds(0.5)),
        restart=Restart(most=Seconds(2.0)),
        sources={
            name: SourceConfig(factory=STAGED, options={"source": name, "home": home}) for name, home in homes.items()
        },
    )


def main() -> int:
    """Keep the board until the process that started it ends."""
    folder, chaos = sys.argv[1], sys.argv[2] == "chaos"
    parent = os.getppid()
    with Supervisor(settings(folder, chaos=chaos)) as supervisor:
        orphaned = supervisor.run(until=lambda: os.getppid() != parent)
    if orphaned:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
