"""Fleet: the same commands for the board of all machines. The only place that says that a command looks at one.

A relay (`supervisor/fleet/relay.py`) keeps that board in a folder of its own, and the command is run on this folder.
"""

import argparse
import sys
from collections.abc import Callable

from ...protocol.errors import NotRunning
from ..config_file import read
from ..errors import SupervisorError, UsageError
from ..fleet.view import View
from . import common
from .export import missing

PATIENT = frozenset(("serve",))
"""Who goes on without the engine, which may come later: nobody sits before it."""


def wanted(options: argparse.Namespace) -> bool:
    """Whether a fleet is meant. Raises UsageError for flags that mean nothing without one."""
    if options.fleet is None:
        for flag in ("creds", "ca"):
            if getattr(options, flag) is not None:
                raise UsageError(f"--{flag} means nothing without --fleet")
    return options.fleet is not None


def run(options: argparse.Namespace, command: Callable[[argparse.Namespace], int]) -> int:
    """Run a command on the board of a fleet. Raises SupervisorError, NotRunning."""
    from ..fleet.lodging import Lodging, demand  # noqa: PLC0415 - nobody else starts processes for it

    if options.runtime_dir is not None:
        raise UsageError("--runtime-dir means nothing with --fleet: its board is no folder of this machine")
    if getattr(options, "once", False):
        raise UsageError("--once reads the files of this machine: leave out --fleet, or --once")
    if (name := missing()) is not None:
        raise SupervisorError(f"{name} is not installed: pip install 'bellboard[fleet]'")
    view = demand(_view(options))
    with Lodging(view) as lodging:
        try:
            lodging.wait()
        except NotRunning as error:
            if options.command not in PATIENT:
                raise
            sys.stderr.write(f"bellboard: {error}; it is tried again\n")
        options.runtime_dir, options.trouble, options.fleet = lodging.folder, lodging.trouble, view.url
        return command(options)


def relay(options: argparse.Namespace) -> int:
    """Be the relay. Raises UsageError."""
    from ..fleet.nats_engine import NatsEngine  # noqa: PLC0415 - it needs an extra
    from ..fleet.relay import serve  # noqa: PLC0415 - see above
    from ..fleet.settings import NatsSettings  # noqa: PLC0415 - see above

    if not options.private:
        raise UsageError("--fleet means nothing to `bellboard run`: `bellboard export` carries this board to a fleet")
    settings = NatsSettings(url=options.fleet, creds=options.creds, ca=options.ca, name="bellboard viewer")
    serve(options.runtime_dir, NatsEngine(settings))
    return common.EXIT_OK


def _view(options: argparse.Namespace) -> View:
    """Join flags and file; the file's credentials are for the file's fleet."""
    said = read(options.config).fleet
    if options.fleet and options.fleet != said.url:
        said = View(url=options.fleet)
    return View(url=said.url, creds=options.creds or said.creds, ca=options.ca or said.ca)
