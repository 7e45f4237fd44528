"""`bellboard` alone: the live board on a terminal, else the table once; of a running board, else of a private one."""

import argparse
import sys

from ...protocol.errors import NotRunning
from ..live import start
from . import common


def run(options: argparse.Namespace) -> int:
    """Show the board; without any session, say where was looked."""
    if start.wanted():
        return start.show(common.runtime_dir(options), ["--config", options.config] if options.config else [])
    try:
        picture = common.picture(common.runtime_dir(options))
    except NotRunning:
        picture = common.read_once(options, common.config(options))
    if picture.sessions:
        common.print_table(list(picture.sessions))
        return common.EXIT_OK
    for state in picture.health:
        sys.stderr.write(f"bellboard: {state.source}: {state.reason or 'no sessions'}\n")
    sentence = "no agent's sessions were found - `bellboard demo` shows the board with simulated ones"
    return common.fail(sentence, common.EXIT_ERROR)
