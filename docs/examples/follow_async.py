"""Follow a running board from asyncio."""

import asyncio

from bellboard.protocol import Subscriber


async def main() -> None:
    """Print the kind of each item: a snapshot first, then events."""
    async with Subscriber() as board:
        async for item in board:
            print(item.kind, flush=True)


asyncio.run(main())
