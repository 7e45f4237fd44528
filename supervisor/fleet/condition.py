"""Condition: how a relay is doing, in a file beside its sockets, for whoever started it. Whoever looks is not waited for."""

import contextlib
import os
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

FILE = "condition.json"

Stage: TypeAlias = Literal["starting", "reading", "live", "lost", "refused", "unusable"]
"""`reading`: the engine is reached, and not everything that stands there is known yet. `unusable`: as it was asked for."""


class Condition(Struct, frozen=True, kw_only=True):
    """`text` is what keeps it from being live, in a sentence; `odd` how many keys of the engine are not ours to read."""

    stage: Stage = "starting"
    text: str = ""
    odd: int = 0


def write(folder: str, condition: Condition) -> None:
    """Say how the relay is doing. A disk that is full leaves what was said before."""
    path = os.path.join(folder, FILE)
    with contextlib.suppress(OSError):
        with open(f"{path}.new", "wb") as file:
            file.write(msgspec.json.encode(condition))
        os.replace(f"{path}.new", path)


def read(folder: str) -> Condition:
    """Return how the relay is doing; one that has said nothing is only starting."""
    try:
        with open(os.path.join(folder, FILE), "rb") as file:
            return msgspec.json.decode(file.read(), type=Condition)
    except (OSError, msgspec.DecodeError):
        return Condition()
