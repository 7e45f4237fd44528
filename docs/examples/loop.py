"""A loop of your own: take what has come, do something else, and know how old the picture is."""

import time

from bellboard.protocol import Subscriber

with Subscriber(sources=["claude", "codex"]) as board:
    board.join()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        for item in board.receive(timeout=0.2):
            print("changed:", item.kind, flush=True)
        full = max((session.context_utilization or 0 for session in board.sessions.values()), default=0)
        lost = "" if board.connected else " (the board is not heard)"
        print(f"{len(board.sessions)} sessions, fullest context {full:.0%}{lost}", flush=True)
