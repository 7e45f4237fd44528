"""`bellboard service`: keeps the board from login to logout. The files are made in `supervisor/service`."""

import argparse
import os

from ..service.manage import run as run_service


def run(options: argparse.Namespace) -> int:
    """Install, show or remove the service of this user."""
    words: list[str] = []
    for flag in ("config", "runtime_dir", "state_dir"):
        if (given := getattr(options, flag, None)) is not None:
            words += [f"--{flag.replace('_', '-')}", os.path.abspath(os.path.expanduser(given))]
    return run_service(options.verb, words, print, only_print=options.print)
