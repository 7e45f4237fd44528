"""Gate: what every request passes before anything looks at it, and what every answer carries.

Host, origin and token (`access.py`), how often (`rates.py`), how large; on the streams and WebSockets as well. It stands
outside of everything, so no route can forget it.
"""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from .access import Access, Refusal
from .errors import problem
from .feed import MOST_DIGITS
from .page import asset
from .rates import Rates

MOST_BODY = 4096
"""Bytes: nothing that anybody may say here is longer."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a browser may do with our page: nothing from elsewhere, nothing to elsewhere, nothing written into it."""

HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # with no-referrer browsers send our own form with `Origin: null`
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
READ_ONLY = frozenset(("GET", "HEAD"))


class Gate:
    """An application behind the gate. `public` are paths that need no token: the page's own files."""

    def __init__(self, inner: ASGIApp, access: Access, rates: Rates, public: frozenset[str]) -> None:
        self._inner = inner
        self._access = access
        self._rates = rates
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._inner(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refused(scope, headers)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._inner(scope, receive, send)
            else:
                await WebSocketClose(1008, refusal.message)(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        if refusal is None:
            await self._inner(scope, receive, with_headers)
            return
        # A person who opens the board without the cookie is asked for the token, a program is told.
        if refusal.code == "no_token" and scope["path"] == "/" and "text/html" in headers.get("accept", ""):
            response = asset("login.html", status=401)
        else:
            response = problem(refusal.status, refusal.code, refusal.message, retry_after=refusal.retry_after)
        await response(scope, receive, with_headers)

    def _refused(self, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        path = "/login" if scope["path"] in self._public else scope["path"]
        refusal = self._access.judge(path, headers)
        if refusal is not None:
            return refusal
        client = scope.get("client")
        if wait := self._rates.ask(client[0] if client else "", time.monotonic()):
            return Refusal(429, "too_many_requests", "too many requests: wait a little", wait)
        if scope["type"] == "http":
            return _too_large(scope["method"], scope["path"], headers)
        return None


def _too_large(method: str, path: str, headers: dict[str, str]) -> Refusal | None:
    length = headers.get("content-length", "0")
    most = 0 if method in READ_ONLY or path != "/login" else MOST_BODY
    if "transfer-encoding" in headers or len(length) > MOST_DIGITS or not length.isdecimal() or int(length) > most:
        return Refusal(413, "too_large", f"a request has at most {most} bytes of its own here, and says how many")
    return None
