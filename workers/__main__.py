"""Entry of a worker process: `python -m bellboard.workers ORDER_FD PIPE_FD [PAGE_FD]`, started by the supervisor alone."""

import os
import sys

from ..protocol.codec import ORDER, DecodeFault
from .leash import Leash
from .recorder import shared
from .runner import Runner

EXIT_USAGE = 2


def main() -> int:
    """Read the order, tie the leash, work. Returns the exit code."""
    try:
        order_fd, pipe, *page = (int(word) for word in sys.argv[1:4])
    except ValueError:
        sys.stderr.write("bellboard.workers is started by `bellboard run`, not by hand\n")
        return EXIT_USAGE
    with os.fdopen(order_fd, "rb") as file:
        order = ORDER.decode(file.read())
    if isinstance(order, DecodeFault):
        sys.stderr.write(f"bellboard.workers: unreadable order ({order.code}: {order.detail})\n")
        return EXIT_USAGE
    leash = Leash(order.parent_pid, pipe, order.memory)
    return Runner(order, leash, shared(page[0]) if page else None).run()


if __name__ == "__main__":
    sys.exit(main())
