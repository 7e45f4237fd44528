"""`bellboard hooks`: lets agents tell the board who waits. What it changes is decided in `supervisor/hooks`."""

import argparse

from ..hooks.install import run as run_hooks
from . import common


def run(options: argparse.Namespace) -> int:
    """Install, show or remove hooks."""
    return run_hooks(options.verb, options.agents, common.state_dir(options), print, dry_run=options.dry_run)
