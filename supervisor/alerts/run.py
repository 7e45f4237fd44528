"""Run: the command `bellboard notify`, from its settings and flags to the loop."""

import os
import sys
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from ...protocol.subscriber import Subscriber
from ..errors import UsageError
from .backends import Backend, Printed
from .choose import backend, way
from .notifier import Notifier
from .settings import Notify


def run(runtime_dir: str, file: Notify, given: Mapping[str, Any], *, dry_run: bool, fleet: str | None = None) -> int:
    """Tell a person until interrupted. `given` are the flags: what is None in it is as the file says."""
    settings = join(file, given)
    if dry_run:
        how, teller = "a line each", cast("Backend", Printed(sys.stdout))
    else:
        how = way(settings, os.environ, terminal=sys.stderr.isatty())
        teller = backend(how, settings, os.environ, sys.stderr)
    with Subscriber(runtime_dir) as board:
        notifier = Notifier(board, teller, settings, fleet)
        notifier.start()
        sys.stderr.write(f"bellboard: telling of {', '.join(settings.on)} by {how}; end with Ctrl-C\n")
        while True:
            notifier.step()


def join(file: Notify, given: Mapping[str, Any]) -> Notify:
    """Return the settings with what was given by flag. Raises UsageError if they contradict each other."""
    flags = {name: value for name, value in given.items() if value is not None}
    for name in ("on", "command"):
        if name in flags:
            flags[name] = tuple(flags[name])
    if "command" in flags:
        flags.setdefault("way", "command")
    try:
        return msgspec.structs.replace(file, **flags)
    except ValueError as error:
        raise UsageError(f"notify: {error}") from error
