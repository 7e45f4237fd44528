"""Damage: what SQLite and the system raise, told apart: a file that is spoilt, or one that cannot be used just now.

The counterparts are `database.py`, which moves a damaged file aside, and `fleet/outbox.py`, which begins anew; `translated`
is the border at which all else becomes StorageError.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from .errors import StorageError

_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))


class Damaged(sqlite3.DatabaseError):
    """Raised when what the file holds cannot be what was written."""


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file is spoilt."""
    # An operational error (no room, no permission, locked) says nothing against what the file holds.
    return isinstance(error, Damaged) or _code(error) & 0xFF in _DAMAGED


def is_refusal(error: BaseException) -> bool:
    """Whether SQLite refuses what was asked. Where that is right, the tables are not as they were made."""
    return isinstance(error, sqlite3.OperationalError) and _code(error) == sqlite3.SQLITE_ERROR


def _code(error: BaseException) -> int:
    """Return SQLite's own code, whose lowest byte is what it is; 0 if it is an error of anybody else's."""
    return getattr(error, "sqlite_errorcode", 0)


@contextmanager
def sane() -> Generator[None]:
    """Make damage of what Python cannot read as text: a flipped bit. It quotes the text, which nobody is to see."""
    try:
        yield
    except UnicodeDecodeError:
        raise Damaged("a text in it is none") from None
    except sqlite3.OperationalError as error:
        if "Could not decode to UTF-8" in str(error):
            raise Damaged("a text in it is none") from None
        raise


@contextmanager
def translated(doing: str) -> Generator[None]:
    """Turn what SQLite and the system raise into StorageError."""
    try:
        with sane():
            yield
    except StorageError:
        raise
    except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
        raise StorageError(f"cannot {doing} the database: {error}") from error
