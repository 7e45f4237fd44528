"""Spare: how a worker gets its order, and what it does while it has none.

The order comes over a socket, and with it the descriptor of the lock that keeps a twin away. A worker that finds none there
is a spare: it imports what any worker needs, says that it is ready, and waits. The counterpart is
`supervisor/crew/process.py`.
"""

import contextlib
import os
import select
import socket

from ..sources.catalog import warm
from .watches import Watches

READY = b"r"
PIECE_BYTES = 65536
MOST_DESCRIPTORS = 4


def receive(line: socket.socket) -> bytes:
    """Wait for the order; returns its bytes, none if the supervisor has gone."""
    if not select.select([line], [], [], 0)[0]:
        warm()
        Watches().close()
        with contextlib.suppress(BrokenPipeError):  # the order came meanwhile
            line.sendall(READY)
    words = b""
    while True:
        piece, descriptors, _, _ = socket.recv_fds(line, PIECE_BYTES, MOST_DESCRIPTORS)
        for fd in descriptors:
            os.set_inheritable(fd, True)  # the lock lasts as long as the worker, or whatever it started, lives
        if not piece:
            return words
        words += piece
