"""NatsBucket: a key-value bucket of NATS, by the subjects and headers that its own clients agree on.

Every right that this needs can be given for the keys below one token alone: keys are read by their subject, and a watch
is a consumer that names its filter in the subject by which it is made. A watch pulls, so that a slow reader slows nobody.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import msgspec

from .engine import Entry, Told, Whole
from .errors import Conflict, EngineLost
from .nats_answer import WRONG_LAST, Answer, accepted, problem
from .nats_line import ASK_SECONDS, Line, Message

BATCH = 512
BEAT_SECONDS = 5
PULL_SECONDS = 60
IDLE_SECONDS = 120
"""A watch that nobody asks for any more is forgotten by the server."""

NANO = 1_000_000_000


class NatsBucket:
    """One bucket, over whatever line is open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._stream = f"KV_{name}"
        self._line: Line | None = None

    def use(self, line: Line | None) -> None:
        """Speak over this line from now on."""
        self._line = line

    async def get(self, key: str) -> Entry | None:
        """See engine.Bucket."""
        subject = f"$KV.{self.name}.{key}"
        line = self._open()
        msg = await line.ask(f"{line.api}.DIRECT.GET.{self._stream}.{subject}")
        headers = msg.headers or {}
        if status := headers.get("Status"):
            if status == "404":
                return None
            raise problem(msg, self.name, line)
        try:
            at = datetime.fromisoformat(headers["Nats-Time-Stamp"])
            return Entry(key=key, revision=int(headers["Nats-Sequence"]), value=_value(msg), at=at)
        except (KeyError, ValueError):
            raise line.lost() from None

    async def put(self, key: str, value: bytes, revision: int) -> int:
        """See engine.Bucket."""
        return await self._write(key, value, revision, {})

    async def drop(self, key: str, revision: int) -> int:
        """See engine.Bucket."""
        return await self._write(key, b"", revision, {"KV-Operation": "DEL"})

    async def watch(self, prefix: str = "") -> AsyncGenerator[Told]:
        """See engine.Bucket."""
        async with contextlib.aclosing(self._all(prefix)) as all_of_them:
            whole = False
            async for told in all_of_them:
                whole = whole or isinstance(told, Whole)
                if whole or (isinstance(told, Entry) and told.value is not None):
                    yield told

    async def purge(self, before: datetime) -> int:
        """Let go of what is left of keys that were dropped before some moment; returns how many there were."""
        gone: list[Entry] = []
        async with contextlib.aclosing(self._all("")) as all_of_them:
            async for told in all_of_them:
                if isinstance(told, Whole):
                    break
                if told.value is None and told.at < before:
                    gone.append(told)
        count = 0
        for at in range(0, len(gone), BATCH):
            count += sum(await asyncio.gather(*(self.purge_marker(entry) for entry in gone[at : at + BATCH])))
        return count

    async def purge_marker(self, marker: Entry) -> int:
        """Let go of a marker, and of nothing that was written over it meanwhile; returns whether it was there."""
        line = self._open()
        asked = msgspec.json.encode({"filter": f"$KV.{self.name}.{marker.key}", "seq": marker.revision + 1})
        msg = await line.ask(f"{line.api}.STREAM.PURGE.{self._stream}", asked)
        return accepted(msg, self.name, line).purged

    async def _all(self, prefix: str) -> AsyncGenerator[Told]:
        """Tell what a watch tells, and also which keys were dropped before it began."""
        line = self._open()
        wanted = f"$KV.{self.name}.{prefix}.>" if prefix else f"$KV.{self.name}.>"
        consumer = secrets.token_hex(8)
        config = {
            "name": consumer,
            "filter_subject": wanted,
            "deliver_policy": "last_per_subject",
            "ack_policy": "none",
            "replay_policy": "instant",
            "inactive_threshold": IDLE_SECONDS * NANO,
            "mem_storage": True,
            "num_replicas": 1,
        }
        asked = msgspec.json.encode({"stream_name": self._stream, "config": config})
        made = await line.ask(f"{line.api}.CONSUMER.CREATE.{self._stream}.{consumer}.{wanted}", asked)
        accepted(made, self.name, line)
        pulled = self._pulled(line, f"{line.api}.CONSUMER.MSG.NEXT.{self._stream}.{consumer}")
        async with contextlib.aclosing(pulled):
            async for told in pulled:
                yield told

    async def _pulled(self, line: Line, subject: str) -> AsyncGenerator[Told]:
        whole = False
        last = 0
        async with line.stream() as (reply, queue):
            while True:
                await line.publish(subject, _pull(wait=whole), reply)
                for _ in range(BATCH):
                    msg = await _next(line, queue)
                    status = (msg.headers or {}).get("Status")
                    if status:
                        if not _ended(msg, status, line):
                            continue
                        break
                    last = _following(msg, last, line)
                    yield self._entry(msg, line)
                else:
                    continue
                if not whole:
                    # Nothing is left to hand out: everything that stands was told.
                    whole = True
                    yield Whole()

    async def _write(self, key: str, value: bytes, revision: int, headers: dict[str, str]) -> int:
        headers["Nats-Expected-Last-Subject-Sequence"] = str(revision)
        line = self._open()
        msg = await line.ask(f"$KV.{self.name}.{key}", value, headers)
        if (msg.headers or {}).get("Status"):
            raise problem(msg, self.name, line)
        answer = line.read(msg, Answer)
        if answer.error is not None:
            raise Conflict(key) if answer.error.err_code in WRONG_LAST else problem(msg, self.name, line)
        return answer.seq

    def _entry(self, msg: Message, line: Line) -> Entry:
        numbers = _numbers(msg, line)
        at = datetime.fromtimestamp(numbers[2] / NANO, UTC)
        return Entry(key=msg.subject.removeprefix(f"$KV.{self.name}."), revision=numbers[0], value=_value(msg), at=at)

    def _open(self) -> Line:
        if self._line is None:
            raise EngineLost("not connected")
        return self._line


def _pull(*, wait: bool) -> bytes:
    if not wait:
        return msgspec.json.encode({"batch": BATCH, "no_wait": True})
    asked: dict[str, Any] = {"batch": BATCH, "expires": PULL_SECONDS * NANO, "idle_heartbeat": BEAT_SECONDS * NANO}
    return msgspec.json.encode(asked)


async def _next(line: Line, queue: "asyncio.Queue[Message | None]") -> Message:
    """Return what comes next. Raises EngineLost if too long nothing does, not even a heartbeat."""
    try:
        async with asyncio.timeout(2 * BEAT_SECONDS + ASK_SECONDS):
            msg = await queue.get()
    except TimeoutError:
        raise line.lost() from None
    if msg is None:
        raise line.lost()
    return msg


def _ended(msg: Message, status: str, line: Line) -> bool:
    """Say whether a word of the server about a pull ends it; a heartbeat does not. Raises EngineLost for any other."""
    if status == "100":
        return False
    if status in {"404", "408"} or "Batch Completed" in (msg.headers or {}).get("Description", ""):
        return True
    raise line.lost()


def _following(msg: Message, last: int, line: Line) -> int:
    """Return the number of a message, which must be the next one of its watch. Raises EngineLost."""
    number = _numbers(msg, line)[1]
    if number != last + 1:
        raise line.lost()
    return number


def _numbers(msg: Message, line: Line) -> tuple[int, int, int]:
    """Return what the server says of a message in its reply subject: revision, number in the watch, nanoseconds.

    Raises EngineLost if it says nothing of the kind: then somebody else has said it.
    """
    tokens = msg.reply.split(".")
    at = 5 if len(tokens) == 9 else 7  # later servers say domain and account, too
    try:
        return int(tokens[at]), int(tokens[at + 1]), int(tokens[at + 2])
    except (IndexError, ValueError):
        raise line.lost() from None


def _value(msg: Message) -> bytes | None:
    return None if (msg.headers or {}).get("KV-Operation") in {"DEL", "PURGE"} else msg.data
