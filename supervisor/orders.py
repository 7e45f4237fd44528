"""Orders: what a worker is told at its start, made from the settings. The counterpart is `protocol/order.py`."""

import os
import secrets

from ..protocol.addresses import INGEST, address
from ..protocol.order import Order
from .config import Config
from .units import finite

MEMORY_SLACK = 128 << 20
"""Bytes between what a worker may use and where the system itself refuses it more: stacks and arenas count there, too."""


def order_for(config: Config, source: str, inc: int, seal: bytes = b"") -> Order:
    """Return the order for the next incarnation of a source, with a secret by which it proves that we started it."""
    wanted, work, hard = config.sources[source], config.work, config.memory.hard
    return Order(
        source=source,
        inc=inc,
        token=secrets.token_hex(16),
        endpoint=address(config.runtime_dir, INGEST),
        parent_pid=os.getpid(),
        factory=wanted.factory,
        options=wanted.options,
        since=finite(config.board.since),
        sweep=float(work.sweep),
        sweep_watched=float(work.sweep_watched),
        pulse=float(work.pulse),
        beat=float(work.beat),
        watch=work.watch,
        spool=None if config.state_dir is None else os.path.join(config.state_dir, "spool"),
        privacy=config.privacy,
        seal=seal,
        memory=None if hard is None else hard + MEMORY_SLACK,
    )
