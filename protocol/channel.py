"""Channels: the only file that knows ZeroMQ. High-water marks, linger and routing are decided here and nowhere else.

Nothing here blocks: `receive` returns None when nothing is there, `send` returns False when the other side does not keep
up. High-water marks are never the flow control (that is credit, see `order.Grant`); they only bound memory.
"""

from collections.abc import Iterable, Sequence
from math import ceil
from types import TracebackType
from typing import Self, cast

import zmq

from .errors import AddressError

Frames = list[bytes]

HIGH_WATER_BOARD = 1000
HIGH_WATER_WORKER = 64
HIGH_WATER_EVENTS = 2000
INBOUND_LIMIT = 1024 * 1024
SUBSCRIPTION_LIMIT = 4096
"""Bytes: no subscription is longer. What is longer than a socket's limit costs its sender the connection."""

MOST_SUBSCRIPTIONS = 1000
"""How many subscriptions are taken note of in one turn: a flood of them must not hold up the board."""

_LAST = int(zmq.DONTWAIT)
_MORE = int(zmq.DONTWAIT | zmq.SNDMORE)
"""Plain numbers, worked out once: joining flags costs as much as sending a frame."""


class Channel:
    """One socket. Close it when done; as a context manager it closes itself."""

    def __init__(self, kind: int) -> None:
        context = cast("zmq.Context[zmq.Socket[bytes]]", zmq.Context.instance())  # pyright: ignore[reportUnknownMemberType]
        self._socket: zmq.Socket[bytes] = context.socket(kind)
        self._socket.linger = 0
        # What `Socket.send` adds to this are options that nobody here uses, for twice the time.
        self._put = super(zmq.Socket, self._socket).send

    @property
    def socket(self) -> "zmq.Socket[bytes]":
        """The raw socket, for `Poll` alone."""
        return self._socket

    @property
    def fd(self) -> int:
        """File descriptor that turns readable when something may have come (edge-triggered: then drain the channel)."""
        return int(self._socket.getsockopt(zmq.FD))

    def close(self) -> None:
        """Close the socket; what was not yet sent is dropped."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bind(self, endpoint: str) -> None:
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise AddressError(f"cannot make the socket {endpoint}: {error.strerror}") from error

    def _receive(self) -> Frames | None:
        # Not `recv_multipart`: it asks the socket after each frame whether there are more, the frame itself knows.
        receive = self._socket.recv
        try:
            frame = receive(_LAST, copy=False)
        except zmq.Again:
            return None
        frames = [frame.bytes]
        while frame.more:
            frame = receive(_LAST, copy=False)
            frames.append(frame.bytes)
        return frames

    def _send(self, frames: Sequence[bytes]) -> bool:
        try:
            for frame in frames[:-1]:
                self._put(frame, _MORE)
            self._put(frames[-1], _LAST)
        except zmq.ZMQError as error:
            # Full queue, unknown peer, or a peer that just went: all mean "not delivered", and all can be said again.
            if error.errno in {zmq.EAGAIN, zmq.EHOSTUNREACH}:
                return False
            raise
        return True


class Answering(Channel):
    """The board's side of questions: the snapshot and control sockets, and the workers' ingest (ROUTER)."""

    def __init__(
        self, endpoint: str, *, inbound_limit: int = INBOUND_LIMIT, outbound_messages: int = HIGH_WATER_BOARD
    ) -> None:
        super().__init__(zmq.ROUTER)
        self._socket.router_mandatory = 1
        self._socket.maxmsgsize = inbound_limit
        self._socket.rcvhwm, self._socket.sndhwm = HIGH_WATER_BOARD, outbound_messages
        self._bind(endpoint)

    def receive(self) -> tuple[bytes, Frames] | None:
        """Return the peer and its frames, or None."""
        frames = self._receive()
        return (frames[0], frames[1:]) if frames else None

    def send(self, peer: bytes, frames: Sequence[bytes]) -> bool:
        """Send to one peer; False if it is gone or does not keep up."""
        return self._send([peer, *frames])


class Asking(Channel):
    """A client's side of questions, and a worker's line to the board (DEALER)."""

    def __init__(self, endpoint: str, *, name: bytes | None = None) -> None:
        super().__init__(zmq.DEALER)
        if name is not None:
            self._socket.routing_id = name
            self._socket.rcvhwm = self._socket.sndhwm = HIGH_WATER_WORKER
        # Without a connection sends fail at once instead of filling a queue that may never drain.
        self._socket.immediate = 1
        self._socket.reconnect_ivl = 100
        self._socket.reconnect_ivl_max = 2000
        self._socket.connect(endpoint)

    def receive(self) -> Frames | None:
        """Return the frames of the next message, or None."""
        return self._receive()

    def send(self, frames: Sequence[bytes]) -> bool:
        """Send one message; False if the board is not connected or does not keep up."""
        return self._send(frames)

    def flush_and_close(self, seconds: float) -> None:
        """Close, but give what was sent last up to `seconds` to reach the board."""
        self._socket.close(linger=int(seconds * 1000))


class Publishing(Channel):
    """The board's voice (XPUB): never blocks, a subscriber that does not keep up loses events and notices it.

    `subscriptions` is how many there are, as of the last call of `new_subscriptions`.
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__(zmq.XPUB)
        self.heard = False
        self.subscriptions = 0
        self._socket.sndhwm = HIGH_WATER_EVENTS
        self._socket.xpub_verboser = 1
        self._socket.maxmsgsize = SUBSCRIPTION_LIMIT
        self._bind(endpoint)

    def publish(self, topic: bytes, data: bytes) -> None:
        """Say `data` to all who subscribed to a prefix of `topic`."""
        self._put(topic, _MORE)
        self._put(data, _LAST)

    def new_subscriptions(self) -> int:
        """Take note of what subscribers said; returns how many subscriptions were new."""
        new = 0
        for _ in range(MOST_SUBSCRIPTIONS):
            frames = self._receive()
            if frames is None:
                break
            word = frames[0][:1]
            new += word == b"\x01"
            self.subscriptions = max(0, self.subscriptions + (word == b"\x01") - (word == b"\x00"))
        self.heard = self.heard or new > 0
        return new


class Listening(Channel):
    """A subscriber's ear (SUB)."""

    def __init__(self, endpoint: str, topics: Iterable[bytes]) -> None:
        super().__init__(zmq.SUB)
        self._socket.rcvhwm = HIGH_WATER_EVENTS
        self._socket.reconnect_ivl = 100
        self._socket.reconnect_ivl_max = 2000
        for topic in topics:
            self._socket.subscribe(topic)
        self._socket.connect(endpoint)

    def receive(self) -> bytes | None:
        """Return the data of the next event, or None."""
        frames = self._receive()
        return frames[-1] if frames else None


class Poll:
    """Wait for channels and plain file descriptors at once."""

    def __init__(self) -> None:
        self._poller = zmq.Poller()
        self._owners: dict[object, Channel] = {}

    def add(self, what: Channel | int) -> None:
        """Watch a channel or a file descriptor for input."""
        if isinstance(what, int):
            self._poller.register(what, zmq.POLLIN)
        else:
            self._owners[what.socket] = what
            self._poller.register(what.socket, zmq.POLLIN)

    def drop(self, what: Channel | int) -> None:
        """Stop watching what was added."""
        if isinstance(what, int):
            self._poller.unregister(what)
        else:
            del self._owners[what.socket]
            self._poller.unregister(what.socket)

    def wait(self, seconds: float) -> set[Channel | int]:
        """Return what has input (or was hung up), after at most `seconds`."""
        found = self._poller.poll(max(0, ceil(seconds * 1000)))
        return {self._owners.get(what, what) for what, _ in found}  # type: ignore[misc]
