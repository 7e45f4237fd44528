"""`bellboard export`: tells this machine's board to a fleet. What is told and how stands in `supervisor/fleet`."""

import argparse
import os
import socket
from importlib.util import find_spec

from ..config_file import read
from ..errors import SupervisorError, UsageError
from ..fleet.keys import sound
from ..fleet.settings import NatsSettings, checked, exporters_inbox
from ..tether import tie
from .common import runtime_dir, state_dir


def run(options: argparse.Namespace) -> int:
    """Export until interrupted, set the server up, or forget a machine."""
    if name := missing():
        raise SupervisorError(f"{name} is not installed: pip install 'bellboard[fleet]'")
    from ..fleet.run import Exporting, export, forgotten, set_up  # noqa: PLC0415 - it needs an extra

    tie()
    file = read(options.config)
    said = file.export
    url = options.url or said.url
    if not url:
        raise UsageError("where to? Say --url nats://HOST:PORT, or set `export.url`")
    host = options.forget or options.host_name or said.host_name or socket.gethostname()
    if not sound(host):
        raise UsageError(f"{host!r} cannot be the name of a machine: no space, `/` or `@`; choose one with --host-name")
    nats = NatsSettings(
        url=checked(url),
        creds=options.creds or os.path.expanduser(said.creds) or None,
        ca=options.ca or os.path.expanduser(said.ca) or None,
        inbox=exporters_inbox(host),
        name=f"bellboard export {host}",
    )
    if options.init:
        return set_up(nats)
    if options.forget:
        return forgotten(nats, host)
    return export(
        Exporting(
            runtime_dir=runtime_dir(options),
            state_dir=state_dir(options),
            nats=nats,
            host=host,
            level=options.privacy or said.privacy,
            # Below `full`, nothing of a session is kept on disk.
            keep=file.privacy == "full" and not options.ephemeral,
        )
    )


def missing() -> str | None:
    """Return the name of a package that exporting needs and that is not installed."""
    return next(
        (package for package, module in (("nats-py", "nats"), ("nkeys", "nkeys")) if not find_spec(module)), None
    )


def words(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the words with which a board that was started with these options keeps an exporter of its own."""
    given = {
        "--config": options.config,
        "--runtime-dir": runtime_dir(options),
        "--state-dir": state_dir(options),
    }
    flags = [word for flag, value in given.items() if value is not None for word in (flag, value)]
    return ("export", "nats", *flags, *(("--ephemeral",) if options.ephemeral else ()))
