"""`bellboard watch`: each change as it happens."""

import argparse
import contextlib
import select
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from ...protocol.event import Snapshot, topic_of
from ...protocol.subscriber import STEP_SECONDS, Item, Subscriber
from ..errors import UsageError
from ..mistakes import nearest
from ..views import text
from . import common
from .choice import choice

TOPICS = ("session.", "health.")
"""What the topics of events begin with; heartbeats are not shown."""


def run(options: argparse.Namespace) -> int:
    """Follow the board and print, until interrupted or until nobody reads it any more."""
    prefixes = _prefixes(options.topic or ())
    wanted = choice(options)
    reader = _reader()
    with Subscriber(common.runtime_dir(options)) as board:
        first = board.join()
        common.refuse_sources(options, first, later=True)
        items: list[Item] = [first]
        heard = True
        while not reader.poll(0):
            for whole in items:
                item = wanted.of(whole)
                item = below(item, prefixes) if item is not None and prefixes else item
                if item is not None:
                    _print(item, jsonl=options.jsonl)
            items = board.receive(STEP_SECONDS)
            if board.connected != heard:
                heard = board.connected
                sys.stderr.write(text.hearing(datetime.now(UTC), options.fleet, heard=heard))
    raise BrokenPipeError


def _prefixes(words: Sequence[str]) -> tuple[bytes, ...]:
    """Return the beginnings of topics that were asked for. Raises UsageError for one with which no topic begins."""
    for word in words:
        if not any(word.startswith(kind) or kind.startswith(word) for kind in TOPICS):
            like = nearest(word.partition(".")[0] + ".", TOPICS)
            raise UsageError(f"--topic {word}: no topic begins so{like} (known: {', '.join(TOPICS)})")
    return tuple(word.encode() for word in words)


def _print(item: Item, *, jsonl: bool) -> None:
    line = msgspec.json.encode(item).decode("utf-8") if jsonl else f"{_now()} {text.event_line(item)}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _now() -> str:
    return f"{datetime.now().astimezone():%H:%M:%S}"


def _reader() -> "select.poll":
    """Return what tells that nobody reads our output any more, which writing tells only with the next change."""
    poll = select.poll()
    with contextlib.suppress(OSError):  # no file of the system's: then nobody can close its other end
        poll.register(sys.stdout.fileno(), 0)  # that the other end is gone comes unasked
    return poll


def below(item: Item, prefixes: tuple[bytes, ...]) -> Item | None:
    """Return what of an item lies below the topics: of a snapshot its sessions and sources, of an event all or nothing."""
    if not isinstance(item, Snapshot):
        return item if topic_of(item).startswith(prefixes) else None
    sessions = [each for each in item.sessions if f"session.{each.origin}.{each.id}".encode().startswith(prefixes)]
    health = [each for each in item.health if f"health.{each.origin}".encode().startswith(prefixes)]
    return msgspec.structs.replace(item, sessions=tuple(sessions), health=tuple(health))
