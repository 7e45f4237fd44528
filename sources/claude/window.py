"""Window: how much a model can hold, as far as anyone knows.

The client writes the size nowhere. It says `[1m]` in what it asked for (2.1.330) or in what it charged for; apart from
that there is the table of 2.1.330's program text, and the plain fact that more was held than the table allows.
"""

import re
from functools import lru_cache

from ...protocol.session import WindowFrom

SMALL = 200_000
LARGE = 1_000_000

SUFFIX = "[1m]"

_NAME = re.compile(r"claude-(?:(?P<family>[a-z]+)-(?P<version>\d{1,2}(?:-\d{1,2})?)|(?P<old>3(?:-\d)?)-[a-z]+)(?!\d)")

_LARGE = frozenset(("opus-4-7", "opus-4-8", "opus-5", "opus-5-5", "sonnet-5", "sonnet-5-5", "haiku-5-5"))
_LARGE_FAMILIES = frozenset(("fable", "mythos"))
_SMALL = frozenset((
    "opus-4", "opus-4-0", "opus-4-1", "opus-4-5", "opus-4-6", "sonnet-4", "sonnet-4-0", "sonnet-4-5", "sonnet-4-6",
    "haiku-4-5",
))  # fmt: skip


def window(model: str, asked: str | None, wide: list[str], peak: int) -> tuple[int | None, WindowFrom]:
    """Return the tokens that `model` can hold, and where that number is from.

    `asked` is the model as it was asked for, `wide` are models that were charged with the large window, `peak` is the
    most that this model has held in this session.
    """
    if asked.endswith(SUFFIX) if asked else model in wide:
        return LARGE, "reported"
    size = table(model)
    if (size or SMALL) < peak:
        return LARGE, "observed"
    return size, "table" if size else "unknown"


@lru_cache(maxsize=64)
def table(model: str) -> int | None:
    """Return the usual window of a model by its name (also `us.anthropic.claude-...`), None for an unknown one."""
    name = _NAME.search(model)
    if name is None:
        return None
    if name["old"]:
        return SMALL
    if name["family"] in _LARGE_FAMILIES or f"{name['family']}-{name['version']}" in _LARGE:
        return LARGE
    return SMALL if f"{name['family']}-{name['version']}" in _SMALL else None
