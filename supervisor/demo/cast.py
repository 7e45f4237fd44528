"""Cast: who plays in the demo. Six agents of five clients, each with a manner of its own."""

from datetime import datetime

from .acts import Actor, Task
from .claude import Asking
from .codex import Codex
from .gemini import Gemini
from .helpers import Conductor
from .opencode import OpenCode
from .pi import Pi

HOMES = {
    "claude": ".claude",
    "codex": ".codex",
    "gemini": ".gemini",
    "opencode": ".local/share/opencode",
    "pi": ".pi",
}
"""Where each client keeps its files, relative to the home of its user."""


def cast(born: datetime) -> list[Actor]:
    """Return the actors, who began to play at this moment."""
    return [
        Asking("asks", Task("Add an export button to the report page", "reports", "feature/export"), born),
        Conductor("conducts", Task("Why is the checkout slow since Tuesday?", "webshop", "perf/checkout"), born),
        Codex("long", Task("Move the nightly job to the new queue", "etl", "queue-v2"), born),
        Gemini("steady", Task("Write the release notes for 2.4", "docs", "release/2.4"), born),
        OpenCode("errors", Task("Upgrade the build to Node 26", "dashboard", "main"), born),
        Pi("bursty", Task("Rename Basket to Cart everywhere", "webshop-api", "main"), born),
    ]
