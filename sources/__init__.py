"""One agent a source: the contract, the readers they share, and the built-in ones."""

from .contract import Cursor, Place, Registry, SessionHandle, Source, SourceUpdate, Watching
from .errors import SourceError, SourceUnavailable
from .tail import cursor_from, mark_from, read_on

__all__ = [
    "Cursor",
    "Place",
    "Registry",
    "SessionHandle",
    "Source",
    "SourceError",
    "SourceUnavailable",
    "SourceUpdate",
    "Watching",
    "cursor_from",
    "mark_from",
    "read_on",
]
