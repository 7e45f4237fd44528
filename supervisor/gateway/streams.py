"""Streams: the board as it happens, over HTTP (server-sent events) and WebSocket. The counterpart of `feed.py`.

A browser that comes back says what it saw last and gets what it missed, or the whole picture. One that does not read is
cut off: its connection is ended, and nothing is kept for it.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from .errors import problem
from .feed import Feed, Piece, Reader
from .mirror import Mirror
from .rates import Rates

KEEP_ALIVE_SECONDS = 15.0
SEND_SECONDS = 10.0
"""A reader that takes nothing for so long is cut off."""

RETRY = b"retry: 1000\n\n"
GOING_AWAY, NOT_ALLOWED, TRY_AGAIN_LATER = 1001, 1008, 1013
MOST_SAID = 100
"""Messages that a WebSocket client may send, for nothing."""

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class TooSlow(Exception):
    """Raised when a reader does not keep up."""


class Streams:
    """Makes one stream for each request."""

    def __init__(self, mirror: Mirror, feed: Feed, rates: Rates) -> None:
        self._mirror = mirror
        self._feed = feed
        self._rates = rates
        self.dropped = 0
        """Streams that did not keep up and were cut off."""
        self._ended = False
        self._there: set[asyncio.Event] = set()

    def end(self) -> None:
        """Let all streams end, and no new one begin."""
        self._ended = True
        for there in self._there:
            there.set()

    async def sse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for `/api/v1/events`."""
        if not self._rates.open_stream():
            response = problem(429, "too_many_streams", "as many streams are open as may be: close one", retry_after=10)
            await response(scope, receive, send)
            return
        headers = dict(scope["headers"])
        last = headers.get(b"last-event-id", b"").decode("latin-1")
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await _sent(send, RETRY)
            async with aclosing(self._pieces(last, leaving)) as pieces:
                async for piece in pieces:
                    await _sent(send, b": \n\n" if piece is None else piece.sse)
            await send({"type": "http.response.body", "body": b""})
        except TooSlow:
            self._cut(scope)
            await asyncio.wait([leaving], timeout=1.0)
        finally:
            leaving.cancel()
            self._rates.close_stream()

    async def websocket(self, socket: WebSocket) -> None:
        """Answer a WebSocket at `/api/v1/events`: the same, a message an event."""
        if not self._rates.open_stream():
            await socket.close(TRY_AGAIN_LATER, "as many streams are open as may be")
            return
        leaving: asyncio.Future[bool] | None = None
        try:
            await socket.accept()
            leaving = asyncio.ensure_future(_left(socket))
            async with aclosing(self._pieces(socket.query_params.get("last", ""), leaving)) as pieces:
                async for piece in pieces:
                    for message in () if piece is None else piece.each:
                        async with asyncio.timeout(SEND_SECONDS):
                            await socket.send_text(message.decode())
            if self._ended:
                await socket.close(GOING_AWAY, "the gateway ends")
            elif not _gone_away(leaving):
                await socket.close(NOT_ALLOWED, "nothing can be said to the board")
        except (TooSlow, TimeoutError):
            self._cut(socket.scope)
        except (WebSocketDisconnect, RuntimeError):
            pass  # it has gone
        finally:
            if leaving is not None:
                leaving.cancel()
            self._rates.close_stream()

    def _cut(self, scope: Scope) -> None:
        """Nothing can be told to who does not read; without this its unread bytes would stay with us."""
        self.dropped += 1
        scope["state"]["abort"]()

    async def _pieces(self, last: str, leaving: "asyncio.Future[Any]") -> AsyncGenerator[Piece | None]:
        """Yield what a reader is to be told until it leaves; None when there was nothing for a while."""
        there = asyncio.Event()
        self._there.add(there)
        reader = Reader(there.set)
        leaving.add_done_callback(lambda _: there.set())
        missed = self._feed.join(reader, last)
        try:
            yield self._mirror.picture() if missed is None else missed
            if missed is not None:
                yield self._mirror.present()
            while not leaving.done() and not self._ended:
                piece = reader.take()
                if piece is not None:
                    yield piece
                    continue
                if reader.lost:
                    raise TooSlow
                there.clear()
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        await there.wait()
                except TimeoutError:
                    yield None
        finally:
            self._feed.leave(reader)
            self._there.discard(there)


async def _sent(send: Send, data: bytes) -> None:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await send({"type": "http.response.body", "body": data, "more_body": True})
    except TimeoutError:
        raise TooSlow from None


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _left(socket: WebSocket) -> bool:
    """Wait for the end; what a client says is not heard: nothing can be told to the board from here.

    Returns whether it went by itself; False for one that does not stop talking.
    """
    for _ in range(MOST_SAID):
        if (await socket.receive())["type"] == "websocket.disconnect":
            return True
    return False


def _gone_away(leaving: "asyncio.Future[bool]") -> bool:
    return leaving.done() and leaving.exception() is None and leaving.result()
