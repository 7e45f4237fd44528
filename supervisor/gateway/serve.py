"""Serve: the command. Binds a port, prints the link, and serves until it is told to end.

Uvicorn speaks HTTP; what it is asked to do differently is said here: a reader that does not read is cut off for good, and
nothing of a request is logged, because addresses hold the ids of sessions.
"""

import asyncio
import ipaddress
import os
import socket
import sys

import uvicorn
from msgspec import Struct
from uvicorn.protocols.http.h11_impl import H11Protocol

from ...protocol import privacy
from .access import Access, own_hosts
from .app import gateway
from .errors import GatewayError
from .login import TOKEN_FILE, read_token

PORT = 2355
"""BELL on a telephone's keys."""

MOST_CONNECTIONS = 512
BACKLOG = 128
GRACE_SECONDS = 2


class Serving(Struct, frozen=True, kw_only=True):
    """What to serve, and to whom. `token_file` None: the one in `state_dir`."""

    runtime_dir: str
    state_dir: str
    host: str = "127.0.0.1"
    port: int = PORT
    token_file: str | None = None
    allow_hosts: tuple[str, ...] = ()
    expose: bool = False
    level: privacy.Level | None = None


class Connection(H11Protocol):
    """One connection, which a request can end at once: `state["abort"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}


def serve(serving: Serving) -> int:
    """Serve until SIGINT or SIGTERM; returns 0. Raises GatewayError."""
    beyond = not _is_loopback(serving.host)
    if beyond and not serving.expose:
        raise GatewayError(
            f"{serving.host} is reachable from other machines: say --expose if that is meant, and mind that plain HTTP "
            "can be read on the way; `ssh -L` to the default is safer"
        )
    path = serving.token_file or os.path.join(serving.state_dir, TOKEN_FILE)
    token = read_token(path, make=serving.token_file is None)
    listening = _bound(serving.host, serving.port)
    port = listening.getsockname()[1]
    access = Access(hosts=own_hosts(serving.host, port, serving.allow_hosts), token=token)
    made = gateway(serving.runtime_dir, access, serving.level or ("names" if beyond else "full"))
    config = uvicorn.Config(
        made.app,
        http=Connection,
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=4096,
    )
    name = "localhost" if not beyond else serving.host
    where = f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
    sys.stderr.write(f"bellboard: serving {where}/ (token in {path})\n")
    sys.stderr.write(f"bellboard: open once in a browser: {where}/login?code={made.login.code}\n")
    sys.stderr.flush()
    server = uvicorn.Server(config)
    with listening:
        server.run(sockets=[listening])
    return 0


def _bound(host: str, port: int) -> socket.socket:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(kind, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(BACKLOG)  # whoever opens the link at once waits, and is not turned away
    except (OSError, OverflowError) as error:
        made.close()
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise GatewayError(f"cannot listen on {host}, port {port}: {words}; choose another with --port") from error
    return made


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
