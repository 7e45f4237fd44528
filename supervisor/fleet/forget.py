"""Forget: takes a machine that will not come back off the fleet's board. What it said stays in the history until it is old.

Nobody else may decide that: an exporter knows of its own machine only, and a viewer of none when it will be back.
"""

import contextlib

from .engine import Engine, Whole
from .errors import FleetError
from .keys import token


async def forget(engine: Engine, host: str) -> int:
    """Drop all that stands of a machine; returns how much that was. Raises FleetError if the machine is heard."""
    sign = await engine.hosts.get(token(host))
    if sign is not None and sign.value is not None:
        raise FleetError(f"{host} is heard: end its exporter first, which would say all of it again")
    count = 0
    async with contextlib.aclosing(engine.state.watch(token(host))) as told:
        async for each in told:
            if isinstance(each, Whole):
                break
            await engine.state.drop(each.key, each.revision)
            count += 1
    return count
