"""Cast: who plays in the demo."""

from collections.abc import Iterator

from .acts import Act
from .claude import Claude
from .codex import Codex
from .gemini import Gemini


def cast() -> list[Iterator[Act]]:
    """Return the scripts of all simulated sessions."""
    return [
        Claude("steady", 0, asks=False).acts(),
        Claude("asks for permission", 1, asks=True).acts(),
        Codex("bursty", 2).acts(),
        Gemini("slow", 3).acts(),
    ]
