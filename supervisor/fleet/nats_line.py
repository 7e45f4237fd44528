"""Line: one connection to NATS. Questions go out, answers come back below one inbox, and errors have our names.

A line is used until it is lost, and never mended: who finds it lost opens another one and starts over, because what was
missed meanwhile is not known. `nats_bucket.py` and `nats_engine.py` speak over it; what they are answered means what
`nats_answer.py` says. Nobody else imports NATS' client.
"""

import asyncio
import contextlib
import itertools
import os
import re
import ssl
from collections.abc import AsyncGenerator
from typing import Any, TypeAlias, TypeVar

import msgspec
from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from ..errors import UsageError
from .credentials import read_login
from .errors import EngineLost, EngineRefused, TooLarge
from .settings import NatsSettings

T = TypeVar("T")

Message: TypeAlias = Msg
"""What comes over a line."""

CONNECT_SECONDS = 5
ASK_SECONDS = 5.0
"""After so long without an answer a line is lost: a server that is merely slow is asked again over a new one, later."""

CLOSE_SECONDS = 2.0
PING_SECONDS = 10
MOST_UNSENT = 4 << 20
"""Bytes that wait in memory for a server that does not read; past it, whoever writes waits as well."""

_DENIED = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)


class _Strict(Client):
    """NATS' client, that tells nothing to a server that offers no encryption where it was asked for."""

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if "tls" in self.options and not info.get("tls_required"):
            raise errors.SecureConnWantedError
        await super()._process_info(info, initial_connection)


class Line:
    """A connection that was opened: `await Line.to(settings)`."""

    def __init__(self, settings: NatsSettings) -> None:
        self._settings = settings
        self._client = _Strict()
        self._numbers = itertools.count()
        self._asked: dict[str, tuple[str, asyncio.Future[Msg]]] = {}
        self._streams: set[asyncio.Queue[Msg | None]] = set()
        self._errors: list[Exception] = []
        self._lost = False
        self.inbox = ""
        self.api = "$JS.API"

    @classmethod
    async def to(cls, settings: NatsSettings) -> "Line":
        """Open a line. Raises EngineLost and EngineRefused."""
        line = cls(settings)
        try:
            await line._open()
        except BaseException:
            await line.close()
            raise
        return line

    async def ask(self, subject: str, data: bytes = b"", headers: dict[str, str] | None = None) -> Msg:
        """Publish, and return the answer."""
        if self._lost:
            raise self._gone()
        number = str(next(self._numbers))
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._asked[number] = subject, answer
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._client.publish(subject, data, f"{self.inbox}.{number}", headers)
                return await answer
        except TimeoutError:
            raise EngineLost(f"{self._settings.where} does not answer") from None
        except errors.MaxPayloadError:
            raise TooLarge(f"{self._settings.where} takes no message of {len(data)} bytes (max_payload)") from None
        except (errors.Error, OSError) as error:
            raise EngineLost(f"{self._settings.where}: {_words(error)}") from error
        finally:
            del self._asked[number]

    @contextlib.asynccontextmanager
    async def stream(self) -> AsyncGenerator[tuple[str, "asyncio.Queue[Msg | None]"]]:
        """Offer a subject for many answers, and the queue into which they come; None in it: the line is lost."""
        queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        subject = f"{self.inbox}.s{next(self._numbers)}"

        async def put(msg: Msg) -> None:
            queue.put_nowait(msg)

        if self._lost:
            raise self._gone()
        try:
            subscription = await self._client.subscribe(subject, cb=put)  # pyright: ignore[reportUnknownMemberType]
        except errors.Error as error:
            raise EngineLost(f"{self._settings.where}: {_words(error)}") from error
        self._streams.add(queue)
        try:
            yield subject, queue
        finally:
            self._streams.discard(queue)
            if not self._lost:
                with contextlib.suppress(errors.Error, OSError):
                    await subscription.unsubscribe()

    async def publish(self, subject: str, data: bytes, reply: str) -> None:
        """Publish, with answers to a subject of `stream`."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._client.publish(subject, data, reply)
        except (errors.Error, OSError) as error:
            raise EngineLost(f"{self._settings.where}: {_words(error)}") from error

    async def close(self) -> None:
        """Let go of it. Never raises."""
        self._lose()
        with contextlib.suppress(errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._client.close()

    def read(self, msg: Msg, kind: type[T]) -> T:
        """Return what an answer says. Raises EngineLost for one that no server gives: whoever else gave it, start over."""
        try:
            return msgspec.json.decode(msg.data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self.lost() from None

    def lost(self) -> EngineLost:
        """Give it up: whoever waits is told, and so is who asked for the reason."""
        self._lose()
        return self._gone()

    async def _open(self) -> None:
        settings = self._settings
        try:
            login = read_login(settings.creds)
            secure: dict[str, Any] = {"tls": ssl.create_default_context(cafile=settings.ca)} if settings.secure else {}
            async with asyncio.timeout(2 * CONNECT_SECONDS):
                await self._client.connect(
                    settings.url,
                    name=settings.name,
                    inbox_prefix=settings.inbox,
                    allow_reconnect=False,
                    reconnect_time_wait=0,
                    max_reconnect_attempts=1,
                    connect_timeout=CONNECT_SECONDS,
                    ping_interval=PING_SECONDS,
                    pending_size=MOST_UNSENT,
                    error_cb=self._hear_error,
                    closed_cb=self._hear_end,
                    **login,
                    **secure,
                )
            self.inbox = self._client.new_inbox()
            await self._client.subscribe(f"{self.inbox}.*", cb=self._hear)  # pyright: ignore[reportUnknownMemberType]
        except UsageError as error:
            raise EngineRefused(str(error)) from error
        except TimeoutError:
            raise EngineLost(f"{settings.where} does not answer") from None
        except Exception as error:
            # The client's own errors have no common root with those of nkeys and of the system.
            raise _judged(error, self._errors, settings.where) from error

    async def _hear(self, msg: Msg) -> None:
        asked = self._asked.get(msg.subject.rpartition(".")[2])
        if asked is not None and not asked[1].done():
            asked[1].set_result(msg)

    async def _hear_error(self, error: Exception) -> None:
        self._errors = [*self._errors[-7:], error]
        if found := _DENIED.search(str(error)):
            self._deny(found[1].lower(), found[2])

    async def _hear_end(self) -> None:
        self._lose()

    def _deny(self, what: str, subject: str) -> None:
        said = EngineRefused(
            f"{self._settings.where} grants no right to {'hear' if what == 'subscription' else 'say'} {subject}: the user "
            "needs that permission"
        )
        for asked, answer in self._asked.values():
            # What the client hands on of the server's sentence is in lower case.
            if (what == "subscription" or asked.lower() == subject.lower()) and not answer.done():
                answer.set_exception(said)

    def _lose(self) -> None:
        self._lost = True
        for _, answer in self._asked.values():
            if not answer.done():
                answer.set_exception(self._gone())
        for queue in self._streams:
            queue.put_nowait(None)

    def _gone(self) -> EngineLost:
        last = self._client.last_error
        return EngineLost(f"the line to {self._settings.where} was lost" + (f": {_words(last)}" if last else ""))


def _judged(error: Exception, before: list[Exception], where: str) -> EngineLost | EngineRefused:
    """Return what a connection that failed means: whether to try again soon."""
    all_of_them = [*before, error]
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in all_of_them):
        return EngineRefused(f"the certificate of {where} is not trusted: name the one that signed it with --ca")
    if isinstance(error, errors.SecureConnWantedError):
        return EngineRefused(f"{where} offers no TLS: nothing was told to it")
    if isinstance(error, ssl.SSLError):
        return EngineRefused(f"{where} speaks no TLS that can be understood: {_words(error)}")
    if isinstance(error, FileNotFoundError | PermissionError):
        return EngineRefused(f"the certificates cannot be read: {_words(error)}")
    if "authorization" in str(error).lower() or isinstance(error, errors.AuthorizationError):
        return EngineRefused(f"{where} does not accept these credentials: see --creds")
    if isinstance(error, errors.Error | OSError):
        why = next((each for each in before if isinstance(each, OSError)), error)
        return EngineLost(f"{where} is not reached: {_words(why)}")
    return EngineRefused(f"the credentials cannot be used: {type(error).__name__}")


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno and not isinstance(error, ssl.SSLError):
        return os.strerror(error.errno)
    return str(error).removeprefix("nats: ") or type(error).__name__
