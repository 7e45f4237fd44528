"""Dispatch: finds what a word of the command line does. Data goes to stdout, everything else to stderr.

Only the file of the word that was said is imported; each has a `run(options)` that returns an exit code. What several of
them need stands in `common.py`.
"""

import argparse
import io
import sys
from importlib import import_module

from ...protocol.errors import NotRunning, ProtocolError
from ..errors import SupervisorError, UsageError
from . import fleet
from .common import EXIT_ERROR, EXIT_NOT_RUNNING, fail

FILES: dict[str | None, str] = {
    None: "board",
    "completion": "completion",
    "config": "config",
    "ctl": "ctl",
    "demo": "demo",
    "doctor": "doctor",
    "export": "export",
    "health": "health",
    "hooks": "hooks",
    "notify": "notify",
    "run": "run",
    "schema": "schema",
    "serve": "serve",
    "service": "service",
    "sessions": "sessions",
    "watch": "watch",
}
"""The word, and the file that knows what it does; None is no word at all."""

FLEET = ("fleet", "creds", "ca")
VIEWERS: frozenset[str | None] = frozenset((None, "sessions", "watch", "health", "serve", "notify"))
"""Who can look at a fleet. `run` does so for them, in a process of its own."""

DEAF: dict[str, tuple[str, ...]] = {
    "completion": ("config", "runtime_dir", *FLEET),
    "config": FLEET,
    "ctl": FLEET,
    "demo": ("config", "runtime_dir", *FLEET),
    "doctor": FLEET,
    "export": ("fleet",),
    "hooks": ("runtime_dir", *FLEET),
    "schema": ("config", "runtime_dir", *FLEET),
    "service": FLEET,
}
"""Flags that every command takes and that mean nothing to these: who gives one has something in mind that will not be."""


def run(options: argparse.Namespace) -> int:
    """Run the command that was asked for; returns the exit code. Errors become a sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a title may hold what this terminal cannot show
    try:
        for key in DEAF.get(options.command or "", ()):
            if getattr(options, key, None) is not None:
                raise UsageError(f"--{key.replace('_', '-')} means nothing to `bellboard {options.command}`")
        command = import_module(f"{__package__}.{FILES[options.command]}")
        if options.command in VIEWERS and fleet.wanted(options):
            return fleet.run(options, command.run)
        return command.run(options)
    except NotRunning as error:
        return fail(str(error), EXIT_NOT_RUNNING)
    except SupervisorError as error:
        return fail(str(error), error.exit_code)
    except ProtocolError as error:
        return fail(str(error), EXIT_ERROR)
