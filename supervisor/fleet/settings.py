"""Settings of the fleet: where its engine is, and by what right it is spoken to. What a URL may be is said here."""

from urllib.parse import urlsplit

from msgspec import Struct

from ...protocol.privacy import Level
from ..errors import UsageError
from .keys import token

VIEWERS_INBOX = "_INBOX_view"
"""Below this subject viewers are answered."""

SCHEMES = ("nats", "tls")


class Export(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `bellboard export nats` tells, and where to: the table `[export]` of the configuration file. Flags weigh more.

    No `host_name`: this machine's own.
    """

    url: str = ""
    host_name: str = ""
    creds: str = ""
    ca: str = ""
    privacy: Level = "names"


class NatsSettings(Struct, frozen=True, kw_only=True):
    """How one exporter or viewer reaches NATS.

    `creds` is a file (`credentials.py`), `ca` one with the certificates that are trusted. Answers come below `inbox`, by
    which the server keeps users apart; `name` is shown by the server to whoever looks after it.
    """

    url: str
    creds: str | None = None
    ca: str | None = None
    inbox: str = VIEWERS_INBOX
    name: str = "bellboard"

    @property
    def secure(self) -> bool:
        """Whether nothing may be said before the line is encrypted."""
        return self.ca is not None or urlsplit(self.url).scheme == "tls"

    @property
    def local(self) -> bool:
        """Whether the server is on this machine."""
        return urlsplit(self.url).hostname in {"localhost", "127.0.0.1", "::1"}

    @property
    def where(self) -> str:
        """The server, as people are told it."""
        return urlsplit(self.url).netloc


def exporters_inbox(host: str) -> str:
    """Return the subject below which the exporter of a machine is answered."""
    return f"_INBOX_{token(host)}"


def checked(url: str) -> str:
    """Return a URL that can be meant. Raises UsageError, whose sentence repeats no password."""
    try:
        parts = urlsplit(url)
        named, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError("the URL of the fleet cannot be meant: write nats://HOST:PORT or tls://HOST:PORT") from None
    if "@" in url:
        raise UsageError(
            "the URL of the fleet must not hold a name or a password, which everybody on this machine could read: "
            "write USER:PASSWORD into a file that only you can read, and name it with --creds"
        )
    if parts.scheme not in SCHEMES or not named or parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"the URL of the fleet cannot be meant: {url!r}; write nats://HOST:PORT or tls://HOST:PORT")
    return url.rstrip("/")
