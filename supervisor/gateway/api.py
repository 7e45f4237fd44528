"""API: what can be asked over HTTP. All of it is reading; the board is told nothing from here.

The document that describes it is `openapi.py`; its counterpart, the tests, validates each answer against it.
"""

import asyncio
from collections import Counter
from http import HTTPStatus
from typing import get_args

import msgspec
from msgspec import UNSET
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from ...protocol import privacy, recall
from ...protocol.errors import NotRunning, ProtocolError
from ...protocol.event import SCHEMA_VERSION
from ...protocol.replica import Key
from ...protocol.session import Activity
from ..views.text import unheard
from .errors import problem
from .feed import Feed
from .metrics import registry, text
from .mirror import Mirror
from .openapi import SourceSummary, document
from .page import asset, names
from .streams import Streams

NO_STORE = {"cache-control": "no-store"}
ACTIVITIES: tuple[str, ...] = get_args(Activity)
PULSES_SECONDS = 1.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Api:
    """The routes. `runtime_dir` is where the board is asked about the last hour, `fleet` where it comes from, if any."""

    def __init__(
        self,
        mirror: Mirror,
        feed: Feed,
        streams: Streams,
        runtime_dir: str,
        level: privacy.Level,
        fleet: str | None = None,
    ) -> None:
        self._unheard = f"the board is not heard: {unheard(fleet)}"
        self._mirror = mirror
        self._streams = streams
        self._runtime_dir = runtime_dir
        self._level: privacy.Level = level
        self._registry = registry(mirror, feed, streams)
        self._asking = asyncio.Lock()
        self._pulses_told, self._pulses_until = b"", 0.0

    def routes(self) -> list[BaseRoute]:
        """Return all routes but those of the login."""
        return [
            Route("/", self._page),
            Route("/page/{name}", self._page),
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._metrics),
            Route("/api/v1/openapi.json", self._openapi),
            Route("/api/v1/sessions", self._sessions),
            Route("/api/v1/sessions/{source}/{id:path}/history", self._history),
            Route("/api/v1/sessions/{source}/{id:path}", self._session),
            Route("/api/v1/pulses", self._pulses),
            Route("/api/v1/sources", self._sources),
            Route("/api/v1/health", self._health),
            Route("/api/v1/events", _Stream(self._streams)),
            WebSocketRoute("/api/v1/events", self._streams.websocket),
        ]

    async def _page(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in names():
            raise HTTPException(404)
        return asset(name, known=request.headers.get("if-none-match", ""))

    async def _healthz(self, _: Request) -> Response:
        return _json({"status": "ok"})

    async def _readyz(self, _: Request) -> Response:
        if self._mirror.status.connected:
            return _json({"status": "ready"})
        return problem(503, "no_board", self._unheard, retry_after=1)

    async def _metrics(self, _: Request) -> Response:
        return Response(text(self._registry), headers={**NO_STORE, "content-type": METRICS_TYPE})

    async def _openapi(self, _: Request) -> Response:
        return Response(document(), headers=NO_STORE, media_type="application/json")

    async def _sessions(self, request: Request) -> Response:
        wanted = dict(request.query_params)
        if unknown := wanted.keys() - {"source", "host", "activity", "needs_you"}:
            return problem(
                400, "bad_query", f"unknown: {', '.join(sorted(unknown))}; known: activity, host, needs_you, source"
            )
        if (activity := wanted.get("activity")) is not None and activity not in ACTIVITIES:
            return problem(400, "bad_query", f"activity is one of {', '.join(ACTIVITIES)}")
        if wanted.get("needs_you", "true") not in {"true", "false"}:
            return problem(400, "bad_query", "needs_you is true or false")
        if not wanted:
            return Response(self._mirror.document(), headers=NO_STORE, media_type="application/json")
        chosen = [
            each
            for each in self._mirror.sessions.values()
            if wanted.get("source", each.source) in {each.source, each.origin}
            and wanted.get("host", each.host) == each.host
            and wanted.get("activity", each.activity) == each.activity
            and ("needs_you" not in wanted or each.needs_you == (wanted["needs_you"] == "true"))
        ]
        return _json(self._mirror.whole(chosen))

    async def _session(self, request: Request) -> Response:
        key = request.path_params["source"], request.path_params["id"]
        return self._told(key)

    def _told(self, key: Key) -> Response:
        session = self._mirror.sessions.get(key)
        if session is None:
            return problem(404, "no_such_session", "no session of this source and id is on the board")
        return _json({"schema_version": SCHEMA_VERSION, "session": session})

    async def _history(self, request: Request) -> Response:
        source, name = request.path_params["source"], request.path_params["id"]
        if (source, name) not in self._mirror.sessions:
            return self._told((source, f"{name}/history"))  # an id may end so
        self._demand()
        found = await asyncio.to_thread(recall.history, self._runtime_dir, source, name)
        return _json({"schema_version": SCHEMA_VERSION, "history": privacy.history(found, self._level)})

    async def _pulses(self, _: Request) -> Response:
        self._demand()
        async with self._asking:  # all who come while one asks share the answer
            loop = asyncio.get_running_loop()
            if loop.time() > self._pulses_until:
                found = await asyncio.to_thread(recall.pulses, self._runtime_dir)
                self._pulses_told = msgspec.json.encode({"schema_version": SCHEMA_VERSION, "pulses": found})
                self._pulses_until = loop.time() + PULSES_SECONDS
        return Response(self._pulses_told, headers=NO_STORE, media_type="application/json")

    def _demand(self) -> None:
        """Raise NotRunning at once if nobody would answer: waiting for it would keep others waiting."""
        if not self._mirror.status.connected:
            raise NotRunning(self._unheard)

    async def _sources(self, _: Request) -> Response:
        counts = Counter(source for source, _ in self._mirror.sessions)
        told = [self._summary(name, counts[name]) for name in self._mirror.sources()]
        return _json({"schema_version": SCHEMA_VERSION, "sources": told})

    def _summary(self, origin: str, sessions: int) -> SourceSummary:
        source, _, host = origin.rpartition("@") if self._mirror.fleet else (origin, "", UNSET)
        health = self._mirror.health.get(origin)
        return SourceSummary(source=source, status=health and health.status, sessions=sessions, host=host)

    async def _health(self, _: Request) -> Response:
        health = [self._mirror.health[name] for name in sorted(self._mirror.health)]
        return _json({"schema_version": SCHEMA_VERSION, "board": self._mirror.status, "health": health})


class _Stream:
    """The stream of events as an application of its own: what Starlette wraps would buffer and could not be cut off."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await problem(405, "wrong_method", "only GET is understood here")(scope, receive, send)
            return
        await self._streams.sse(scope, receive, send)


SESSIONS = "/api/v1/sessions/"


async def not_understood(request: Request, error: Exception) -> Response:
    """Turn what routing has to say into an error like all others."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == HTTPStatus.NOT_FOUND and request.url.path.startswith(SESSIONS):
        return problem(404, "not_found", f"a session has its source before its id: {SESSIONS}SOURCE/ID")
    if status == HTTPStatus.NOT_FOUND:
        return problem(404, "not_found", "there is nothing here: /api/v1/openapi.json says what there is")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return problem(405, "wrong_method", "this board is only read: GET")
    return problem(status, "error", HTTPStatus(status).phrase)


async def not_answered(_: Request, error: Exception) -> Response:
    """Say that the board could not be asked."""
    return problem(
        503, "no_board", str(error) if isinstance(error, ProtocolError) else "the board is not heard", retry_after=1
    )


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), headers=NO_STORE, media_type="application/json")
