"""App: the gateway put together as one ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from ...protocol import privacy
from ...protocol.errors import ProtocolError
from .access import Access
from .api import Api, not_answered, not_understood
from .feed import Feed
from .gate import Gate
from .login import Login
from .mirror import Mirror
from .page import names
from .rates import Rates
from .streams import Streams


class Gateway(Struct, frozen=True):
    """The application, and how a browser gets in."""

    app: ASGIApp
    login: Login
    mirror: Mirror
    streams: Streams


def gateway(
    runtime_dir: str, access: Access, level: privacy.Level, fleet: str | None = None, *, rates: Rates | None = None
) -> Gateway:
    """Put a gateway together. It follows the board of `runtime_dir` while the application runs; see `Api` for `fleet`."""
    rates = rates or Rates()
    feed = Feed()
    mirror = Mirror(runtime_dir, level, feed, fleet)
    streams = Streams(mirror, feed, rates)
    login = Login(access)
    api = Api(mirror, feed, streams, runtime_dir, level, fleet)

    @contextlib.asynccontextmanager
    async def follow(_: Starlette) -> AsyncGenerator[None]:
        task = asyncio.ensure_future(mirror.follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    inner = Starlette(
        routes=[
            Route("/login", login.ask, methods=["GET"]),
            Route("/login", login.enter, methods=["POST"]),
            *api.routes(),
        ],
        lifespan=follow,
        exception_handlers={HTTPException: not_understood, ProtocolError: not_answered},
    )
    inner.router.redirect_slashes = False  # what is not there is not there with a slash either
    return Gateway(Gate(inner, access, rates, frozenset(f"/page/{name}" for name in names())), login, mirror, streams)
