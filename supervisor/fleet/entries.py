"""Entries: what stands of one machine in the engine's bucket `state`, and how that comes to be what its board says.

A key is owed from the moment its board says something new of it until it is known to stand; however often it changes
meanwhile, only the last record is written. Whenever either side may have missed something, all keys are compared, and
somebody else's write is judged (`reconcile.py`). The counterpart is `roll.py`, which reads what stands here.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from .engine import Bucket, Entry, Whole
from .errors import Conflict, TooLarge
from .keys import token
from .notices import Notices
from .reconcile import differing, settle
from .telling import Telling, written

TRIES = 3


class Entries:
    """The entries of the machine that a telling is of; `verify` says whether the right to write them is still ours."""

    def __init__(
        self, state: Bucket, telling: Telling, verify: Callable[[], Awaitable[bool]], notices: Notices
    ) -> None:
        self.in_doubt = True
        self._state = state
        self._telling = telling
        self._verify = verify
        self._notices = notices
        self._revisions: dict[str, int] = {}
        self._owed: set[str] = set()

    @property
    def owed(self) -> bool:
        """Whether something may not stand yet as the board says it."""
        return bool(self._owed)

    def changed(self, key: str) -> None:
        """The board has said something new of a key."""
        self._owed.add(key)

    def doubt(self) -> None:
        """The engine or the board may have missed something: all has to be compared."""
        self.in_doubt = True

    def begin(self) -> None:
        """The engine is another one, or was away: nothing is known of what stands there."""
        self._revisions.clear()
        self.doubt()

    async def compare(self) -> None:
        """Compare all keys of the machine with its board; what differs is owed, and nothing else."""
        self.in_doubt = False
        stands: dict[str, Entry] = {}
        async with contextlib.aclosing(self._state.watch(token(self._telling.host))) as told:
            async for each in told:
                if isinstance(each, Whole):
                    break
                stands[each.key] = each
        self._revisions = {key: entry.revision for key, entry in stands.items()}
        self._owed = differing(stands, self._telling)

    async def push(self, most: int) -> None:
        """Write some of what is owed, all at once. Raises EngineLost and EngineRefused."""
        keys = [self._owed.pop() for _ in range(min(most, len(self._owed)))]
        self._owed.update(keys)  # until it is known that they stand
        records = {key: self._telling.records.get(key) for key in keys}
        results = await asyncio.gather(*(self._write(key) for key in keys), return_exceptions=True)
        for key, result in zip(keys, results, strict=True):
            if isinstance(result, TooLarge):
                self._notices.about(f"large {key}", f"a session is too large for the engine, and not told: {result}")
            elif isinstance(result, BaseException):
                raise result
            elif not result:
                continue
            if self._telling.records.get(key) is records[key]:
                self._owed.discard(key)

    async def _write(self, key: str) -> bool:
        """Let what the board says of a key stand there; returns whether that is settled."""
        for _ in range(TRIES):
            record = self._telling.records.get(key)
            revision = self._revisions.get(key, 0)
            try:
                if record is not None:
                    self._revisions[key] = await self._state.put(key, written(record), revision)
                    return True
                if revision:
                    self._revisions[key] = await self._state.drop(key, revision)
                    return True
            except Conflict:
                pass  # somebody was faster, or our own write came through although its answer did not
            entry = await self._state.get(key)
            self._revisions[key] = 0 if entry is None else entry.revision
            verdict = settle(self._telling.records.get(key), entry, self._telling)
            if verdict == "leave":
                return True
            if verdict == "verify" and not await self._verify():
                return True  # it is another's to say; should that change, all is compared
        return False
