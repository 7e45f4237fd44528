"""`bellboard watch`: each change as it happens."""

import argparse
import contextlib
import select
import sys
from datetime import datetime

import msgspec

from ...protocol.event import Snapshot, topic_of
from ...protocol.subscriber import STEP_SECONDS, Item, Subscriber
from ..views import text
from . import common
from .choice import choice


def run(options: argparse.Namespace) -> int:
    """Follow the board and print, until interrupted or until nobody reads it any more."""
    prefixes = tuple(prefix.encode() for prefix in options.topic or ())
    wanted = choice(options)
    reader = _reader()
    with Subscriber(common.runtime_dir(options)) as board:
        first = board.join()
        common.warn_of_sources(options, first)
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
                said = "heard again" if heard else "not heard any more: waiting for it"
                sys.stderr.write(f"{_now()} bellboard: the supervisor is {said}\n")
    raise BrokenPipeError


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
