"""Presence: what the client's own register of living sessions says about one of them.

Pure. The client keeps one record per process in `sessions/<pid>.json` and takes it away when it ends; after a SIGKILL
the record stays and goes on saying busy, so it counts only together with the process itself. The counterpart is
`living.py`, which reads the records and asks for the processes. Seen in 2.1.197 and 2.1.330; 2.1.81 was the first.
"""

import re
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from ..text import TITLE_LIMIT, tidy

Judgement: TypeAlias = Literal["alive", "dead", "unknown"]
"""Of one record: its process lives, is gone, or cannot be judged from here (another machine or container)."""

Liveness: TypeAlias = Judgement | Literal["absent", "silent"]
"""Of a session: the judgement of its record; `absent`: there is a register and it does not name the session; `silent`:
there is no register, or it could not be read."""

FIRST_WITH_REGISTER = (2, 1, 81)

CLOCK_TOLERANCE = 5.0
START_TOLERANCE = 300.0
COMPARABLE = 7 * 86400.0
"""Seconds by which a process may begin after, or before, the `startedAt` of its record, and the limit of a comparison."""

_DOMAIN = re.compile(r"^linux:([0-9a-f]{32}):(pid:\[\d+\])$")


class Record(Struct, kw_only=True):
    """One file of the register. Releases before 2.1.139 wrote only the first few fields; times are milliseconds."""

    sessionId: str | None = None  # noqa: N815 - the client's own names, here and below
    session_id: str | None = None
    pid: int | None = None
    cwd: str | None = None
    startedAt: float | None = None  # noqa: N815
    procStart: str | int | None = None  # noqa: N815
    version: str | None = None
    pidDomain: str | None = None  # noqa: N815
    name: str | None = None
    nameSource: str | None = None  # noqa: N815
    status: str | None = None
    waitingFor: str | None = None  # noqa: N815
    updatedAt: float | None = None  # noqa: N815
    statusUpdatedAt: float | None = None  # noqa: N815

    @property
    def session(self) -> str:
        """The session that the process is in; "" if the record does not say."""
        return self.sessionId or self.session_id or ""

    @property
    def since(self) -> float | None:
        """When the status began, or at least when the record was written."""
        return self.statusUpdatedAt or self.updatedAt or self.startedAt

    @property
    def title(self) -> str | None:
        """The name a person gave; names that the client derived from the folder are none."""
        return tidy(self.name, TITLE_LIMIT) if self.nameSource == "user" else None


class Presence(Struct, frozen=True):
    """What is known of a session's process at one moment."""

    liveness: Liveness
    record: Record | None = None

    @property
    def decides(self) -> bool:
        """Whether this alone says what the session is doing."""
        return self.liveness == "dead" or (self.liveness == "alive" and bool(self.record and self.record.status))

    @property
    def word(self) -> str:
        """All of it that may show on the board, as one string to compare."""
        record = self.record
        if record is None:
            return self.liveness
        shown = (record.status, record.waitingFor, record.since, record.title, record.cwd, record.version)
        return f"{self.liveness} {shown}"


def foreign(record: Record, namespace: str | None, machine: str | None) -> bool:
    """Whether a record's process belongs to another machine or pid namespace, so that its pid says nothing here.

    `pidDomain` is `linux:<content of /etc/machine-id>:pid:[<namespace>]` (2.1.330).
    """
    domain = _DOMAIN.match(record.pidDomain or "")
    if domain is None:
        return False
    return (namespace is not None and domain[2] != namespace) or (machine is not None and domain[1] != machine)


def judge(record: Record, start: str | None) -> Judgement:
    """Say whether the process of a record of this machine lives; `start` is when the process with its pid began."""
    if start is None:
        return "dead"
    told = str(record.procStart or "")
    if told.isdigit():
        return "alive" if told == start else "dead"
    # Without the kernel's own number only `startedAt` is left, with which Linux' ticks since boot do not compare.
    if record.startedAt is None or not start.isdigit():
        return "unknown"
    ahead = record.startedAt / 1000 - int(start)
    if -CLOCK_TOLERANCE <= ahead <= START_TOLERANCE:
        return "alive"
    return "dead" if -COMPARABLE < ahead < 0 else "unknown"


def registers(version: str | None) -> bool:
    """Whether a release of the client keeps the register."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version or "")
    return numbers is not None and tuple(map(int, numbers.groups())) >= FIRST_WITH_REGISTER


def when_millis(millis: float | None) -> datetime | None:
    """Return the time that a number of milliseconds since 1970 names, in UTC; None for what is no time."""
    if millis is None:
        return None
    try:
        return datetime.fromtimestamp(millis / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
