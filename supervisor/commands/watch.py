"""`bellboard watch`: each change as it happens."""

import argparse
import sys

import msgspec

from ...protocol.event import Snapshot, topic_of
from ...protocol.subscriber import Item, Subscriber
from ..views import text
from . import common
from .choice import choice


def run(options: argparse.Namespace) -> int:
    """Follow the board and print, until interrupted."""
    prefixes = tuple(prefix.encode() for prefix in options.topic or ())
    wanted = choice(options)
    with Subscriber(common.runtime_dir(options)) as board:
        for whole in board:
            item = wanted.of(whole)
            item = below(item, prefixes) if item is not None and prefixes else item
            if item is None:
                continue
            line = msgspec.json.encode(item).decode("utf-8") if options.jsonl else text.event_line(item)
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    return common.EXIT_OK


def below(item: Item, prefixes: tuple[bytes, ...]) -> Item | None:
    """Return what of an item lies below the topics: of a snapshot its sessions and sources, of an event all or nothing."""
    if not isinstance(item, Snapshot):
        return item if topic_of(item).startswith(prefixes) else None
    sessions = [each for each in item.sessions if f"session.{each.source}.{each.id}".encode().startswith(prefixes)]
    health = [each for each in item.health if f"health.{each.source}".encode().startswith(prefixes)]
    return msgspec.structs.replace(item, sessions=tuple(sessions), health=tuple(health))
