"""`bellboard notify`: tells a person, once per change. What is told and how stands in `supervisor/alerts`."""

import argparse

from ..alerts.run import run as run_notify
from ..config_file import read
from . import common


def run(options: argparse.Namespace) -> int:
    """Follow the board and tell, until interrupted."""
    given = {"on": options.on, "way": options.way, "command": options.program, "titles": options.titles}
    folder, file = common.runtime_dir(options), read(options.config).notify
    return run_notify(folder, file, given, dry_run=options.dry_run, fleet=options.fleet)
