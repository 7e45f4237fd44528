"""NatsEngine: a fleet's engine that is NATS with JetStream: two key-value buckets and one stream.

See `engine.py` for what an engine is. What a server lacks is made by whoever has the right to; who has not, and finds it
missing, is told of `--init`.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from .engine import PRESENCE_SECONDS
from .errors import EngineLost, EngineRefused
from .keys import token
from .nats_answer import Problem, accepted, problem
from .nats_bucket import NANO, NatsBucket
from .nats_line import Line
from .settings import NatsSettings

STATE, HOSTS, HISTORY = "bellboard_state", "bellboard_hosts", "BELLBOARD"
HISTORY_SUBJECT = "bellboard"

MOST_VALUE = 512 << 10
"""Bytes of a record. An update of a session has at most 256 KiB; a server takes 1 MiB unless it was told otherwise."""

IMPORTED_API = "FLEET.API"
"""Under this name accounts import what they may ask of the fleet's JetStream (docs/examples/fleet/nats-server.conf)."""

MARKERS_STAY = timedelta(hours=1)
"""So long a key that was dropped leaves a marker at least: by then everybody has heard of it, or looks anew."""

NOT_ENABLED = 10039
DAY = 86400 * NANO


def _bucket(name: str, *, age: float = 0.0) -> dict[str, Any]:
    return {
        "name": f"KV_{name}",
        "subjects": [f"$KV.{name}.>"],
        "retention": "limits",
        "max_msgs_per_subject": 1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": int(age * NANO),
        "max_msg_size": MOST_VALUE,
        "storage": "file",
        "discard": "new",
        "num_replicas": 1,
        "duplicate_window": int(min(age, 120) * NANO) or 120 * NANO,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
        "allow_direct": True,
    }


STREAMS: dict[str, dict[str, Any]] = {
    STATE: _bucket(STATE),
    HOSTS: _bucket(HOSTS, age=PRESENCE_SECONDS),
    HISTORY: {
        "name": HISTORY,
        "subjects": [f"{HISTORY_SUBJECT}.>"],
        "retention": "limits",
        "max_msgs_per_subject": -1,
        "max_msgs": -1,
        "max_bytes": 1 << 30,
        "max_age": 7 * DAY,
        "max_msg_size": MOST_VALUE,
        "storage": "file",
        "discard": "old",
        "num_replicas": 1,
        "duplicate_window": 600 * NANO,
    },
}
"""What has to be there, as JetStream is told it. Buckets are as NATS' own tools make them, which so can look into them."""


class _Made(Struct, frozen=True):
    config: dict[str, Any] = {}
    error: Problem | None = None


class NatsEngine:
    """One exporter's or viewer's way to NATS; nothing is done before `connect`."""

    def __init__(self, settings: NatsSettings) -> None:
        self._settings = settings
        self._line: Line | None = None
        self._state = NatsBucket(STATE)
        self._hosts = NatsBucket(HOSTS)

    @property
    def state(self) -> NatsBucket:
        """See engine.Engine."""
        return self._state

    @property
    def hosts(self) -> NatsBucket:
        """See engine.Engine."""
        return self._hosts

    async def connect(self) -> None:
        """See engine.Engine."""
        await self.close()
        line = await Line.to(self._settings)
        try:
            if await _elsewhere(line):
                line.api = IMPORTED_API
            else:
                for name, config in STREAMS.items():
                    await _ensure(line, name, config)
        except BaseException:
            await line.close()
            raise
        self._use(line)

    async def set_up(self) -> list[str]:
        """Make the buckets and the stream, or make them as they should be, and tidy up; returns what was done, a line each.

        What somebody has set otherwise on purpose (how much is kept, replicas, where) stays.
        """
        line = await Line.to(self._settings)
        try:
            done = [f"{name}: {await _set_up(line, name, config)}" for name, config in STREAMS.items()]
            self._state.use(line)
            count = await self._state.purge(datetime.now(UTC) - MARKERS_STAY)
            return [*done, f"{STATE}: {count} markers of keys that are gone were purged"]
        finally:
            self._state.use(None)
            await line.close()

    async def append(self, path: tuple[str, ...], value: bytes, once: str) -> None:
        """See engine.Engine."""
        line = self._line
        if line is None:
            raise EngineLost("not connected")
        subject = ".".join((HISTORY_SUBJECT, *(token(each) for each in path)))
        msg = await line.ask(subject, value, {"Nats-Msg-Id": once})
        accepted(msg, HISTORY, line)

    async def close(self) -> None:
        """See engine.Engine."""
        line, self._line = self._line, None
        self._use(None)
        if line is not None:
            await asyncio.shield(line.close())

    def _use(self, line: Line | None) -> None:
        self._line = line
        for bucket in (self._state, self._hosts):
            bucket.use(line)


OWN_CHOICE = (
    "max_bytes",
    "max_age",
    "max_msgs",
    "max_msg_size",
    "num_replicas",
    "storage",
    "placement",
    "duplicate_window",
)
"""What whoever looks after the server may have set otherwise."""


async def _elsewhere(line: Line) -> bool:
    """Whether this user's account has no JetStream of its own: then it is given that of the fleet's account, in parts."""
    try:
        found = await _api(line, "INFO", STREAMS[STATE]["name"])
    except EngineRefused as error:
        if "grants no right" in str(error):
            return False
        raise
    return found.error is not None and found.error.err_code == NOT_ENABLED


async def _ensure(line: Line, name: str, config: dict[str, Any]) -> None:
    """Make what is missing, if one has the right to. Who may not even ask has to trust that it is there."""
    try:
        found = await _api(line, "INFO", config["name"])
        if found.error is not None and found.error.code == 404:
            await _made(line, name, "CREATE", config)
    except EngineRefused as error:
        if "grants no right" not in str(error):
            raise


async def _set_up(line: Line, name: str, config: dict[str, Any]) -> str:
    found = await _api(line, "INFO", config["name"])
    if found.error is not None and found.error.code == 404:
        await _made(line, name, "CREATE", config)
        return "made"
    if found.error is not None:
        raise EngineRefused(f"{name} cannot be set up by this user: {found.error.description}; --creds of an admin can")
    wanted = {**found.config, **{key: value for key, value in config.items() if key not in OWN_CHOICE}}
    if name == HOSTS:
        wanted["max_age"] = config["max_age"]  # no choice: it is how soon a machine counts as offline
    if wanted == found.config:
        return "as it should be"
    await _made(line, name, "UPDATE", wanted)
    return "brought up to date"


async def _made(line: Line, name: str, verb: str, config: dict[str, Any]) -> None:
    answer = await _api(line, verb, config["name"], msgspec.json.encode(config))
    if answer.error is not None:
        raise EngineRefused(f"{name}: {answer.error.description}")


async def _api(line: Line, verb: str, stream: str, data: bytes = b"") -> _Made:
    msg = await line.ask(f"{line.api}.STREAM.{verb}.{stream}", data)
    if (msg.headers or {}).get("Status"):
        raise problem(msg, stream, line)
    return line.read(msg, _Made)
