"""`bellboard` whose gateway has a second of patience where it has ten: for tests of its time limits."""

import sys

from bellboard.supervisor.cli import main
from bellboard.supervisor.gateway import login, serve, streams

SECONDS = 1.0
COMMAND = [sys.executable, __file__]

if __name__ == "__main__":
    serve.REQUEST_SECONDS = login.BODY_SECONDS = streams.SEND_SECONDS = SECONDS
    sys.exit(main())
