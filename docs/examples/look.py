"""One look at a running board: who waits for a person, and why we say so."""

import sys

from bellboard.protocol import NotRunning, Subscriber

try:
    with Subscriber() as board:
        picture = board.join()
except NotRunning as error:
    sys.exit(str(error))
for session in picture.sessions:
    if session.needs_you and session.evidence:
        print(f"{session.source} {session.id}: {session.waiting_for} ({session.evidence.kind})")
sys.exit(10 if any(session.needs_you for session in picture.sessions) else 0)
