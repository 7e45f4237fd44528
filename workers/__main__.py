"""Entry of a worker process: `python -m bellboard.workers ORDER_FD PIPE_FD [PAGE_FD]`, started by the supervisor alone."""

import socket
import sys

from ..protocol.codec import ORDER, DecodeFault
from .leash import EXIT_ORPHANED, Leash
from .recorder import shared
from .runner import Runner
from .spare import receive

EXIT_USAGE = 2


def main() -> int:
    """Tie the leash, wait for the order, work. Returns the exit code."""
    try:
        order_fd, pipe, *page = (int(word) for word in sys.argv[1:4])
    except ValueError:
        sys.stderr.write("bellboard.workers is started by `bellboard run`, not by hand\n")
        return EXIT_USAGE
    leash = Leash(pipe)
    try:
        with socket.socket(fileno=order_fd) as line:
            order = ORDER.decode(receive(line))
    except ConnectionError:
        return EXIT_ORPHANED
    if isinstance(order, DecodeFault):
        sys.stderr.write(f"bellboard.workers: unreadable order ({order.code}: {order.detail})\n")
        return EXIT_USAGE
    leash.bind(order.parent_pid, order.memory)
    return Runner(order, leash, shared(page[0]) if page else None).run()


if __name__ == "__main__":
    sys.exit(main())
