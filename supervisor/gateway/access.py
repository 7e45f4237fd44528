"""Access: who may ask the gateway something. Pure: headers go in, a refusal comes out, or nothing.

A page of another site must not be able to read the board through the user's browser: the name under which we are asked
has to be one of ours (a foreign name that resolves to this machine is not), and whoever asks from a page has to be our own
page. Then comes the token. The counterpart that performs it is `app.py`.
"""

import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from msgspec import Struct

COOKIE = "bellboard"
ALL = frozenset(("0.0.0.0", "::"))  # noqa: S104 - compared with, not bound
"""Addresses that are no names."""

OPEN = frozenset(("/healthz", "/readyz", "/login"))
"""What may be asked without a token: it says nothing of any session."""


class Refusal(Struct, frozen=True):
    """Why a request is not answered: an HTTP status, a word for programs and a sentence for people.

    `retry_after` is in seconds.
    """

    status: int
    code: str
    message: str
    retry_after: float | None = None


class Access(Struct, frozen=True, kw_only=True):
    """`hosts` are the values of `Host` that are ours, `port` included; `token` is what has to be shown."""

    hosts: frozenset[str]
    token: str

    def judge(self, path: str, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a request is refused, None if it is not. Names of `headers` are in lower case."""
        return self._foreign(headers) or (None if path in OPEN else self._stranger(headers))

    def knows(self, shown: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(shown.encode(), self.token.encode())

    def _foreign(self, headers: Mapping[str, str]) -> Refusal | None:
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            return Refusal(421, "wrong_host", "this is not a name of this board: start it with --allow-host to add one")
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in {f"http://{host}", f"https://{host}"}:
            return Refusal(403, "wrong_origin", "pages of other sites may not ask this board")
        # Browsers say so even where they send no Origin; going to the page by a link is allowed, reading from it is not.
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return Refusal(403, "wrong_origin", "pages of other sites may not ask this board")
        return None

    def _stranger(self, headers: Mapping[str, str]) -> Refusal | None:
        kind, _, shown = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.knows(shown.strip()):
            return None
        if self.knows(_cookie(headers.get("cookie", ""))):
            return None
        if kind.lower() == "bearer" and shown.strip():
            return Refusal(401, "wrong_token", "this is not this board's token: it lies in the file that `serve` names")
        return Refusal(
            401, "no_token", "show the token: `Authorization: Bearer ...`, or open the link that `serve` printed"
        )


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def own_hosts(bind: str, port: int, more: tuple[str, ...]) -> frozenset[str]:
    """Return the values of `Host` that mean us: loopback's names, the address that is bound, and what was allowed."""
    names = {"localhost", "127.0.0.1", "[::1]", *(_bracketed(name.lower()) for name in more if name not in ALL)}
    if bind not in ALL:
        names.add(_bracketed(bind.lower()))
    ours = {name if _has_port(name) else f"{name}:{port}" for name in names}
    # Browsers leave out the port that belongs to the scheme.
    return frozenset(ours | names if port in {80, 443} else ours)


def _bracketed(name: str) -> str:
    """An address of version 6 as it stands in `Host`; a name with its port stays as it is."""
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name


def _has_port(name: str) -> bool:
    return name.rpartition(":")[2].isdecimal() and not name.endswith("]")
