"""Keeping: how long the client keeps transcripts, which it deletes at its start when they are older than it was told.

What is deleted is not counted any more when the board has to read everything again.
"""

import msgspec
from msgspec import Struct, structs

from ..contract import Place
from ..errors import SourceError
from ..whole import read_whole

FEW_DAYS = 30
"""What the client keeps unless it is told otherwise; 0 keeps everything."""

SETTINGS_LIMIT = 1024 * 1024
"""Bytes of settings that are read."""


class _Settings(Struct, rename="camel"):
    cleanup_period_days: float | None = None


def remark(place: Place) -> Place:
    """Return a config folder with what its user should know, if it keeps transcripts for fewer days than is usual."""
    path = f"{place.path}/settings.json"
    try:
        document = read_whole(path, "", SETTINGS_LIMIT)
        days = None if document is None else msgspec.json.decode(document.data, type=_Settings).cleanup_period_days
    except (OSError, SourceError, msgspec.MsgspecError, UnicodeDecodeError):
        return place  # without settings, or with such that cannot be read, the client does what is usual
    if days is None or not 0 < days < FEW_DAYS:
        return place
    said = f"cleanupPeriodDays is {days:g}: Claude Code deletes transcripts after that many days"
    return structs.replace(place, remark=said, mend=f'set "cleanupPeriodDays": 365 in {path}')
