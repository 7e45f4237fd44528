"""Faults for system tests, put on PYTHONPATH by them alone.

BELLBOARD_TEST_WIRE=1 makes every worker's line bad: a message may be lost, come twice, or come again much later.
BELLBOARD_TEST_LOOSE=1 loosens the ledger: every update is applied, whatever cursor it starts from (negative control).
"""

import os
import random
import sys

_WORDS = sys.orig_argv


def _bad_wire() -> None:
    from bellboard.protocol.channel import Asking

    send = Asking.send
    kept: list[list[bytes]] = []

    def noisy(self: Asking, frames: list[bytes]) -> bool:
        if random.random() < 0.05:
            return True  # lost: nobody is told
        done = send(self, frames)
        if done:
            kept.append(list(frames))
            if random.random() < 0.3:
                send(self, frames)
            if random.random() < 0.2:
                send(self, kept[random.randrange(len(kept))])
        return done

    Asking.send = noisy  # type: ignore[method-assign]


def _loose_ledger() -> None:
    from bellboard.supervisor.aggregator import ledger

    ledger.Ledger.judge = lambda self, source, update, staged: ledger.Verdict("apply")  # type: ignore[method-assign]


if os.environ.get("BELLBOARD_TEST_WIRE") and "bellboard.workers" in _WORDS:
    _bad_wire()
if os.environ.get("BELLBOARD_TEST_LOOSE") and "bellboard.supervisor" in _WORDS:
    _loose_ledger()
