"""Follow a running board: every session, each change, and who waits for a person."""

import sys

from bellboard.protocol import NotRunning, Snapshot, Subscriber, Updated

try:
    with Subscriber() as board:
        for item in board:
            if isinstance(item, Snapshot):
                print(f"{len(item.sessions)} sessions on the board", flush=True)
            elif isinstance(item, Updated) and item.session.needs_you:
                print(f"{item.session.title} waits for {item.session.waiting_for}", flush=True)
except NotRunning as error:
    sys.exit(str(error))
except KeyboardInterrupt:
    sys.exit(130)  # Ctrl-C ends it
