"""Codec: messages to bytes and back, where bad bytes are a value and never an exception.

Messages between workers and the board are msgpack behind one version byte; what goes out to subscribers is plain JSON,
whose version stands in its field `v`, so that a client of any language can read it.
"""

from typing import Any, Generic, Literal, TypeVar

import msgspec

from .ask import Command, HistoryAnswer, PulsesAnswer, Reply, SnapshotPage, SnapshotRequest
from .event import Event
from .order import Downward, Order
from .update import Upward

M = TypeVar("M")

WIRE_LIMIT = 256 * 1024
"""Bytes: no message between a worker and the board is longer (a page of cursors included)."""

REQUEST_LIMIT = 64 * 1024
"""Bytes: no question to the snapshot or control socket is longer."""

ANSWER_LIMIT = 16 * 1024 * 1024
"""Bytes: what a client of the board accepts as one message."""

VERSION = b"\x01"


class DecodeFault(msgspec.Struct, frozen=True):
    """Bytes that are no message. `detail` names the field or rule that was broken, never the content."""

    code: Literal["empty", "version", "too_big", "malformed"]
    detail: str


class Codec(Generic[M]):
    """Encode and decode one family of messages."""

    def __init__(self, family: Any, *, version: bytes, limit: int) -> None:
        self._version = version
        self._limit = limit
        if version:
            self._encoder: msgspec.msgpack.Encoder | msgspec.json.Encoder = msgspec.msgpack.Encoder()
            self._decoder: Any = msgspec.msgpack.Decoder(family)
        else:
            self._encoder = msgspec.json.Encoder()
            self._decoder = msgspec.json.Decoder(family)

    @property
    def limit(self) -> int:
        """Bytes: what is longer is refused by `decode` and must not be sent."""
        return self._limit

    def encode(self, message: M) -> bytes:
        """Turn a message into bytes. The caller compares the length with `limit` where a message has no bound."""
        return self._version + self._encoder.encode(message)

    def decode(self, data: bytes) -> M | DecodeFault:
        """Turn bytes into a message, or say what is wrong with them."""
        if not data:
            return DecodeFault("empty", "no bytes")
        if len(data) > self._limit:
            return DecodeFault("too_big", f"{len(data)} bytes, the limit is {self._limit}")
        if not data.startswith(self._version):
            return DecodeFault("version", f"version byte {data[0]}, this side speaks {self._version[0]}")
        try:
            return self._decoder.decode(data[len(self._version) :])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
            return DecodeFault("malformed", _place(error))


def _place(error: Exception) -> str:
    # msgspec's own words name types and places ("Expected `int`, got `str` - at `$.seq`"), but quote bad tags and words.
    text = str(error)
    quotes = text.startswith(("Invalid value", "Invalid enum value"))
    return text if isinstance(error, msgspec.ValidationError) and not quotes else type(error).__name__


UPWARD: Codec[Upward] = Codec(Upward, version=VERSION, limit=WIRE_LIMIT)
DOWNWARD: Codec[Downward] = Codec(Downward, version=VERSION, limit=WIRE_LIMIT)
ORDER: Codec[Order] = Codec(Order, version=VERSION, limit=WIRE_LIMIT)
EVENT: Codec[Event] = Codec(Event, version=b"", limit=ANSWER_LIMIT)
SNAPSHOT_REQUEST: Codec[SnapshotRequest] = Codec(SnapshotRequest, version=b"", limit=REQUEST_LIMIT)
SNAPSHOT_PAGE: Codec[SnapshotPage] = Codec(SnapshotPage, version=b"", limit=ANSWER_LIMIT)
HISTORY_ANSWER: Codec[HistoryAnswer] = Codec(HistoryAnswer, version=b"", limit=ANSWER_LIMIT)
PULSES_ANSWER: Codec[PulsesAnswer] = Codec(PulsesAnswer, version=b"", limit=ANSWER_LIMIT)
COMMAND: Codec[Command] = Codec(Command, version=b"", limit=REQUEST_LIMIT)
REPLY: Codec[Reply] = Codec(Reply, version=b"", limit=REQUEST_LIMIT)
