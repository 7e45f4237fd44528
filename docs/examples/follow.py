"""Follow a running board: every session, each change, and who waits for a person."""

from bellboard.protocol import Snapshot, Subscriber, Updated

with Subscriber() as board:
    for item in board:
        if isinstance(item, Snapshot):
            print(f"{len(item.sessions)} sessions on the board", flush=True)
        elif isinstance(item, Updated) and item.session.needs_you:
            print(f"{item.session.title} waits for {item.session.waiting_for}", flush=True)
