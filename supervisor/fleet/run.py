"""Run: the command `bellboard export nats`, from its settings to the loop. Needs the extra `fleet`."""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys

from msgspec import Struct

from ...protocol.privacy import Level
from ..errors import AlreadyRunning, UsageError
from ..folders import exporter_lock, private_folder
from .credentials import Login, read_login
from .export import Exporter
from .forget import forget
from .nats_engine import NatsEngine
from .outbox import Outbox
from .settings import NatsSettings
from .telling import Telling


class Exporting(Struct, frozen=True, kw_only=True):
    """What to tell, of which board, and where to. `keep`: what waits may be kept in the state folder."""

    runtime_dir: str
    state_dir: str
    nats: NatsSettings
    host: str
    level: Level
    keep: bool = True


def export(what: Exporting) -> int:
    """Export until SIGINT or SIGTERM; returns 0. Raises SupervisorError for what cannot be meant."""
    if "password" in _checked(what.nats) and not (what.nats.secure or what.nats.local):
        say(f"the password goes to {what.nats.where} in the open: use tls://, or an nkey")
    private_folder(what.state_dir, "state")
    if exporter_lock(what.state_dir) is None:
        raise AlreadyRunning(f"another exporter of this board is running (its outbox is in {what.state_dir})")
    logging.getLogger("nats").addHandler(logging.NullHandler())  # what it has to say, its callers are told
    asyncio.run(_export(what))
    return 0


def set_up(nats: NatsSettings) -> int:
    """Make the buckets and the stream; returns 0. Raises SupervisorError."""
    _checked(nats)
    for line in asyncio.run(NatsEngine(nats).set_up()):
        sys.stderr.write(f"bellboard: {line}\n")
    return 0


def forgotten(nats: NatsSettings, host: str) -> int:
    """Take a machine that will not come back off the fleet's board; returns 0. Raises SupervisorError."""
    _checked(nats)
    count = asyncio.run(_forget(nats, host))
    sys.stderr.write(f"bellboard: {host}: {count} key(s) forgotten\n")
    return 0


async def _forget(nats: NatsSettings, host: str) -> int:
    engine = NatsEngine(nats)
    try:
        await engine.connect()
        return await forget(engine, host)
    finally:
        await engine.close()


def _checked(nats: NatsSettings) -> Login:
    """Return how to log in, if the files that were named can be read. Raises UsageError."""
    if nats.ca is not None and not os.access(nats.ca, os.R_OK):
        raise UsageError(f"cannot read the certificates {nats.ca}")
    return read_login(nats.creds)


async def _export(what: Exporting) -> None:
    outbox = Outbox(what.state_dir if what.keep else None, what.host, what.level)
    telling = Telling(what.host, what.level)
    exporter = Exporter(what.runtime_dir, NatsEngine(what.nats), telling, outbox, secrets.token_hex(8), say)
    running = asyncio.ensure_future(exporter.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        outbox.close()


def say(sentence: str) -> None:
    """Tell people a sentence."""
    sys.stderr.write(f"bellboard: export: {sentence}\n")
    sys.stderr.flush()
