"""Veil: a source of which only as much leaves the worker as the settings allow.

What it says goes through `protocol/privacy.py`. Its cursors hold what it needs to go on, titles and paths among them; they
are sealed with a key that only this supervisor and its workers have and that is never written down, so that neither the wire
nor the database shows what is in them. Equal cursors are sealed equally, because the board compares them.
"""

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence

from ..protocol.privacy import Level
from ..protocol.privacy import session as as_told
from ..sources.contract import Cursor, Resting, SessionHandle, Source, SourceUpdate, Watching
from ..sources.errors import SourceError

TAG_BYTES = 16


class Seal:
    """Makes text unreadable for everybody without the key. The tag, a keyed hash of the text, is both nonce and proof."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def close(self, text: str) -> str:
        """Seal a text; the same text is always sealed to the same."""
        data = zlib.compress(text.encode("utf-8", "surrogatepass"), 1)
        tag = self._tag(data)
        return b64encode(tag + self._masked(data, tag)).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed. Raises ValueError if it was not sealed with this key."""
        both = b64decode(sealed, validate=True)
        tag, masked = both[:TAG_BYTES], both[TAG_BYTES:]
        data = self._masked(masked, tag)
        if self._tag(data) != tag:
            raise ValueError("not sealed with this key")
        return zlib.decompress(data).decode("utf-8", "surrogatepass")

    def _tag(self, data: bytes) -> bytes:
        return hashlib.blake2b(data, key=self._key, digest_size=TAG_BYTES).digest()

    def _masked(self, data: bytes, tag: bytes) -> bytes:
        stream = hashlib.shake_256(self._key + tag).digest(len(data))
        mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
        return mixed.to_bytes(len(data), "big")


class Veiled:
    """A source behind the veil."""

    def __init__(self, source: Source, level: Level, seal: Seal) -> None:
        self._source = source
        self._level: Level = level
        self._seal = seal

    @property
    def name(self) -> str:
        """See `Source.name`."""
        return self._source.name

    def discover(self) -> Iterable[SessionHandle]:
        """See `Source.discover`."""
        return self._source.discover()

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """See `Source.parse`. Raises SourceError for a cursor that was sealed by somebody else."""
        try:
            inner = self._seal.open(cursor) if cursor else ""
        except (ValueError, zlib.error) as error:
            raise SourceError("a cursor that was sealed with another key") from error
        update, after = self._source.parse(handle, inner)
        told = None if update is None else as_told(update, self._level)
        return told, cursor if after == inner else self._seal.close(after)


class VeiledWatching(Veiled):
    """A source that watches folders, behind the veil."""

    def __init__(self, source: Source, watching: Watching, level: Level, seal: Seal) -> None:
        super().__init__(source, level, seal)
        self._watching = watching

    def watch(self) -> Iterable[str]:
        """See `Watching.watch`."""
        return self._watching.watch()

    def touched(self, paths: Sequence[str]) -> Iterable[SessionHandle]:
        """See `Watching.touched`."""
        return self._watching.touched(paths)

    def pulse(self) -> Iterable[SessionHandle]:
        """See `Watching.pulse`."""
        return self._watching.pulse()

    def rest(self) -> float:
        """See `Resting.rest`."""
        return self._watching.rest() if isinstance(self._watching, Resting) else 0.0


def veiled(source: Source, level: Level, key: bytes) -> Source:
    """Put a source behind the veil; at level `full` there is none."""
    if level == "full":
        return source
    if isinstance(source, Watching):
        return VeiledWatching(source, source, level, Seal(key))
    return Veiled(source, level, Seal(key))
