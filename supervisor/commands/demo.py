"""`bellboard demo`: the board without any agent. What is played stands in `supervisor/demo`."""

import argparse

from ..demo.play import play
from ..errors import UsageError


def run(options: argparse.Namespace) -> int:
    """Play the demo. Raises UsageError for a time in which nothing can be played."""
    if options.seconds is not None and not 0 < options.seconds < float("inf"):
        raise UsageError(f"--seconds {options.seconds:g}: write how long it goes on, more than 0")
    return play(options.seconds, chaos=options.chaos)
