"""Many exporters in one process: `python exporters.py URL FOLDER HOST=RUNTIME_DIR...`, each with an outbox of its own.

They are the exporters that the command runs, without a process for each, which two processors would not bear.
"""

import asyncio
import secrets
import sys
from pathlib import Path

from bellboard.supervisor.fleet.export import Exporter
from bellboard.supervisor.fleet.nats_engine import NatsEngine
from bellboard.supervisor.fleet.outbox import Outbox
from bellboard.supervisor.fleet.settings import NatsSettings, exporters_inbox
from bellboard.supervisor.fleet.telling import Telling


async def main(url: str, folder: Path, hosts: list[tuple[str, str]]) -> None:
    """Run them all until killed."""

    def say(sentence: str) -> None:
        sys.stderr.write(f"{sentence}\n")

    running: list[Exporter] = []
    for host, runtime_dir in hosts:
        own = folder / host
        own.mkdir(parents=True, exist_ok=True)
        engine = NatsEngine(NatsSettings(url=url, inbox=exporters_inbox(host), name=host))
        running.append(
            Exporter(
                runtime_dir, engine, Telling(host, "names"), Outbox(str(own), host, "names"), secrets.token_hex(8), say
            )
        )
    await asyncio.gather(*(each.run() for each in running))


if __name__ == "__main__":
    pairs = [word.partition("=") for word in sys.argv[3:]]
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), [(host, runtime_dir) for host, _, runtime_dir in pairs]))
