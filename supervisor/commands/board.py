"""`bellboard` alone: the live board on a terminal, else the table once; of a running board, else of a private one."""

import argparse
import os
import sys

from ...protocol.addresses import CONTROL
from ...protocol.errors import NotRunning
from ..live import start
from . import common


def run(options: argparse.Namespace) -> int:
    """Show the board; without any session, say where was looked."""
    folder = common.runtime_dir(options)
    if options.fleet is not None:
        return _fleet(options, folder)
    if options.runtime_dir and not os.path.exists(os.path.join(folder, CONTROL)):
        sys.stderr.write(f"bellboard: no supervisor in {folder}: this is a private board\n")
    if start.wanted():
        return start.show(folder, ["--config", options.config] if options.config else [])
    try:
        picture = common.picture(folder)
    except NotRunning:
        picture = common.read_once(options, common.config(options))
    if picture.sessions:
        common.print_table(list(picture.sessions))
        return common.EXIT_OK
    common.tell_where_was_looked(picture)
    found = f"no agent's sessions were found{common.left_out(picture)}"
    return common.fail(f"{found} - `bellboard demo` shows the board with simulated ones", common.EXIT_ERROR)


def _fleet(options: argparse.Namespace, folder: str) -> int:
    """Show the board of a fleet, which is kept in a folder for us."""
    if start.wanted():
        return start.show_fleet(folder, options.trouble)
    sessions = list(common.picture(folder).sessions)
    if sessions:
        common.print_table(sessions)
    else:
        sys.stderr.write("bellboard: no machine of the fleet has a session\n")
    return common.EXIT_OK
