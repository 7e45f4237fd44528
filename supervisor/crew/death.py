"""Death: the end of a worker that nobody had asked for. Pure; made by `crew.py`, judged by health and quarantine."""

from msgspec import Struct

from ...protocol.recorder import Note
from .quarantine import Cause


class Death(Struct, frozen=True):
    """In words, by which cause, doing what (`note`), and where its main thread stood (innermost frame first)."""

    words: str
    cause: Cause
    note: Note | None = None
    stand: str | None = None
