"""`bellboard demo`: the board without any agent. What is played stands in `supervisor/demo`."""

import argparse

from ..demo.play import play


def run(options: argparse.Namespace) -> int:
    """Play the demo."""
    return play(options.seconds, chaos=options.chaos)
