"""One agent a source: the contract, the readers they share, and the built-in ones."""

from .contract import Cursor, Registry, SessionHandle, Source, SourceUpdate, Watching
from .errors import SourceError, SourceUnavailable

__all__ = [
    "Cursor",
    "Registry",
    "SessionHandle",
    "Source",
    "SourceError",
    "SourceUnavailable",
    "SourceUpdate",
    "Watching",
]
