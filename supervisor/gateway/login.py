"""Login: how a browser gets the token, once, and where the token is kept.

`serve` prints a link with a code that works once; it is exchanged for a cookie that scripts cannot read and other sites
cannot send. The token itself lies in a file of mode 0600 and is never part of an address.
"""

import asyncio
import contextlib
import os
import secrets
import stat
import string
import time
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .access import COOKIE, Access
from .errors import GatewayError, problem
from .page import asset
from .rates import Rates

TOKEN_FILE = "web-token"  # noqa: S105 - the name of the file that holds it
LEAST_TOKEN, MOST_TOKEN = 16, 512
LETTERS = frozenset(string.ascii_letters + string.digits + "-._~")
BODY_SECONDS = 10.0
YEAR_SECONDS = 365 * 86400


def read_token(path: str, *, make: bool) -> str:
    """Return the token in a file; `make` writes a new one if there is none.

    Raises GatewayError if it cannot be read, others may read it, or it is too short to be one.
    """
    if make and not os.path.lexists(path):
        _make(path)
    try:
        # Without waiting: nobody may ever write to what is no plain file.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            token = file.read(MOST_TOKEN + 1).strip() if stat.S_ISREG(found.st_mode) else ""
    except FileNotFoundError:
        raise GatewayError(f"no token in {path}: write one there (16 characters or more), mode 0600") from None
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayError(f"the token file {path} cannot be read: {error}") from error
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise GatewayError(f"others may read the token file {path}: chmod 600 {path}")
    if found.st_uid != os.geteuid():
        raise GatewayError(f"the token file {path} is another user's: remove it, or name another with --token-file")
    if not LEAST_TOKEN <= len(token) <= MOST_TOKEN or not token.isascii() or not set(token) <= LETTERS:
        raise GatewayError(
            f"the token in {path} is no token: 16 to 512 letters, digits and any of -._~; remove the file for a new one"
        )
    return token


def _make(path: str) -> None:
    """Write a token where none is, whole or not at all: another gateway may start at this moment."""
    folder = os.path.dirname(path)
    beside = f"{path}.{secrets.token_hex(8)}"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        try:
            with contextlib.suppress(FileExistsError):  # then the other one's is as good
                os.link(beside, path)
        finally:
            os.unlink(beside)
    except OSError as error:
        raise GatewayError(f"the token file {path} cannot be written: {error.strerror}") from error


class Login:
    """Exchanges a code, or the token itself, for the cookie."""

    def __init__(self, access: Access) -> None:
        self.code = secrets.token_urlsafe(24)
        self._access = access
        self._tries = Rates(each_second=0.2, burst=5.0)

    async def ask(self, request: Request) -> Response:
        """Answer `GET /login`: by a code, or with a form."""
        shown = request.query_params.get("code")
        if shown is None:
            return asset("login.html")
        # Not slowed down: a code cannot be guessed, and whoever tries must not lock out the one who has it.
        if self.code and secrets.compare_digest(shown.encode(), self.code.encode()):
            self.code = ""
            return self._welcome(request)
        return _refused()

    async def enter(self, request: Request) -> Response:
        """Answer `POST /login`, a form with the token."""
        if wait := self._tries.ask("", time.monotonic()):
            return problem(429, "too_many_tries", "too many tries: wait a little", retry_after=wait)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await request.body()
        except TimeoutError:
            return problem(408, "too_slow", "the form did not come")
        shown = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
        return self._welcome(request) if self._access.knows(shown.strip()) else _refused()

    def _welcome(self, request: Request) -> Response:
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            self._access.token,
            max_age=YEAR_SECONDS,
            path="/",
            httponly=True,
            samesite="strict",
            secure=request.headers.get("x-forwarded-proto") == "https",
        )
        return response


def _refused() -> Response:
    """The form again, with the sentence that is hidden at first."""
    form = bytes(asset("login.html").body).replace(b" hidden>", b">", 1)
    return Response(form, 401, {"cache-control": "no-store"}, "text/html; charset=utf-8")
