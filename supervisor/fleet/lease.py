"""Lease: the right to write for a machine, which is the machine's sign of life: one key that the engine forgets by itself.

It keeps two exporters that have the same name by mistake from taking turns; what is written is safe without it, because
nothing is written over that its writer has not seen (`engine.py`).
"""

from .engine import Bucket, Entry
from .errors import Conflict
from .keys import token
from .record import Presence, decode_presence, encode

TRIES = 3


class Lease:
    """One exporter's hold on its machine's key in `hosts`. `before` has ended for sure: this is its heir."""

    def __init__(self, hosts: Bucket, host: str, exporter: str, before: str | None = None) -> None:
        self._hosts = hosts
        self._key = token(host)
        self._own = frozenset((exporter, before))
        self._revision = 0

    async def hold(self, presence: Presence) -> Entry | None:
        """Say that the machine is there; returns what somebody else has said, if it is his to say. Raises FleetError."""
        for _ in range(TRIES):
            try:
                self._revision = await self._hosts.put(self._key, encode(presence), self._revision)
            except Conflict:
                stands = await self._hosts.get(self._key)
                if stands is not None and not self._mine(stands):
                    return stands
                self._revision = 0 if stands is None else stands.revision
            else:
                return None
        # Somebody writes it as often as we look: whoever it is will be seen the next time.
        return Entry(key=self._key, revision=self._revision, value=b"", at=presence.at)

    async def drop(self) -> None:
        """Let the machine be away, for everybody to see at once. Raises FleetError."""
        await self._hosts.drop(self._key, self._revision)

    def _mine(self, stands: Entry) -> bool:
        if stands.value is None:
            return True
        presence = decode_presence(stands.value)
        return presence is not None and presence.exporter in self._own
