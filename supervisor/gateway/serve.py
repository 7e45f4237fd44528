"""Serve: the command. Binds a port, prints the link, and serves until it is told to end.

Uvicorn speaks HTTP; what it is asked to do differently is said here: a reader that does not read is cut off for good, and
nothing of a request is logged, because addresses hold the ids of sessions.
"""

import asyncio
import ipaddress
import logging
import os
import signal
import socket
import sys
from typing import cast

import uvicorn
from msgspec import Struct
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ...protocol import privacy
from .access import Access, own_hosts
from .app import gateway
from .errors import GatewayError
from .login import TOKEN_FILE, read_token
from .settings import PORT
from .streams import Streams

MOST_CONNECTIONS = 512
BACKLOG = 128
GRACE_SECONDS = 2
REQUEST_SECONDS = 10.0
"""From the first byte of a request, or from the connection, to the end of its headers."""

IDLE_SECONDS = 30
"""From an answer to the first byte of the next request on the same connection."""


class Serving(Struct, frozen=True, kw_only=True):
    """What to serve, and to whom. `token_file` None: the one in `state_dir`; `fleet`: where its board is from."""

    runtime_dir: str
    state_dir: str
    host: str = "127.0.0.1"
    port: int = PORT
    token_file: str | None = None
    allow_hosts: tuple[str, ...] = ()
    expose: bool = False
    level: privacy.Level | None = None
    fleet: str | None = None


class Connection(H11Protocol):
    """One connection, which a request can end at once: `state["abort"]`.

    Whoever begins a request has to finish it soon: connections are counted, and one that says nothing takes a place.
    """

    _patience: asyncio.TimerHandle | None = None

    @property
    def _answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request, whatever its type says
        return cycle is not None and not cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}
        self._wait()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        super().data_received(data)
        if self._answering:
            self._calm()
        else:
            self._wait()

    def on_response_complete(self) -> None:
        """See H11Protocol: the next request may have come in part with the one that is answered now."""
        super().on_response_complete()
        if self.conn.trailing_data[0] and not self._answering:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._calm()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(REQUEST_SECONDS, self._give_up)

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        if not self._answering and self.transport.get_protocol() is self:  # and no WebSocket by now
            self.transport.abort()


class Server(uvicorn.Server):
    """Ends the streams before it waits for connections to end."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams
        self.interrupted = False

    def asked_to_end(self, number: int, _frame: object) -> None:
        """Handle a signal while the server's own handler is not there yet, and when it hands on what has ended it."""
        self.should_exit = True
        self.interrupted = self.interrupted or number == signal.SIGINT

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        self._streams.end()
        await super().shutdown(sockets)


class _OneLine(logging.Handler):
    """What libraries have to say of errors, without what a client sent and without a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        kind = record.exc_info[0] if record.exc_info else None
        words = record.getMessage().strip().partition("\n")[0]
        sys.stderr.write(f"bellboard: gateway: {words}{f' ({kind.__name__})' if kind else ''}\n")
        sys.stderr.flush()


def serve(serving: Serving) -> int:
    """Serve until SIGTERM; returns 0. Raises GatewayError, and KeyboardInterrupt after SIGINT."""
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
    names = (*serving.allow_hosts, *((serving.host,) if serving.host else ()))
    access = Access(hosts=own_hosts(listening.getsockname()[0], port, names), token=token)
    made = gateway(serving.runtime_dir, access, serving.level or ("names" if beyond else "full"), serving.fleet)
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
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=4096,
        ws_per_message_deflate=False,  # costs each stream 300 kB, for nothing on one machine
    )
    server = Server(config, made.streams)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.asked_to_end)
    name = "localhost" if serving.host == "127.0.0.1" else serving.host or listening.getsockname()[0]
    where = f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
    sys.stderr.write(f"bellboard: serving {where}/ (token in {path})\n")
    sys.stderr.write(f"bellboard: open once in a browser: {where}/login?code={made.login.code}\n")
    sys.stderr.flush()
    logging.getLogger().addHandler(_OneLine(logging.ERROR))
    with listening:
        server.run(sockets=[listening])
    if server.interrupted:
        raise KeyboardInterrupt
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
        words = error.strerror if isinstance(error, OSError) and error.strerror else "ports are 0 to 65535"
        raise GatewayError(f"cannot listen on {host}, port {port}: {words}; choose another with --port") from error
    return made


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
