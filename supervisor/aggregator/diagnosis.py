"""Diagnosis: what all that is known of a source means: its status, and the reason in words for people.

Pure. The counterpart is `health.py`, which keeps a `Record` of each source and asks here. A source is `degraded` while
something of it fails and the rest works, `failed` while nothing of it works, and healthy again as soon as it does.
"""

from msgspec import Struct

from ...protocol.session import HealthState, Status
from ...protocol.update import Beat


class Thresholds(Struct, frozen=True, kw_only=True):
    """How many failures in a row (of discover, or starts without progress) make a source degraded or failed."""

    degraded: int = 1
    failed: int = 5


UNWELL: dict[str, str] = {
    "suspect": "the worker has not said anything for a while",
    "starved": "the worker gets hardly any processor time",
    "stopped": "the worker is stopped: `kill -CONT` its process, or restart it",
    "hung": "the worker hangs and is being ended",
}
"""What a worker's condition (crew/vigil.py) means, for people."""


class Record(Struct, kw_only=True):
    """What is known of one source besides its published state."""

    state: HealthState
    beat: Beat | None = None
    condition: str = "well"
    trouble: str | None = None
    retry: float | None = None
    why_held: str | None = None
    deaths: int = 0
    unloadable: str | None = None
    missing: bool = False
    named: bool = False
    paused: bool = False
    closed: bool = False

    @property
    def settled(self) -> bool:
        """Whether its worker has completed a pass over everything."""
        return self.beat is not None and self.beat.passes > 0


def judge(record: Record, thresholds: Thresholds, storage: str | None) -> tuple[Status, str | None]:
    """Return how a source is doing, and why; `storage` says why nothing can be stored, None if it can."""
    if record.closed:
        return "paused", "taken out of the configuration"
    if record.paused:
        return "paused", "paused by command"
    if (failure := _failure(record, thresholds.failed)) is not None:
        return "failed", failure
    if (trouble := _trouble(record, thresholds.degraded, storage)) is not None:
        return "degraded", trouble
    if record.missing:
        return "healthy", _not_found(record)
    return "healthy", None


def _failure(record: Record, failed: int) -> str | None:
    """Why nothing of the source works, None if something does."""
    error, discover = record.state.last_error, _discover_failures(record)
    if record.unloadable is not None:
        return f"the source cannot be loaded: {record.unloadable}"
    if record.deaths >= failed:
        again = "" if record.retry is None else f"; next try in {record.retry / 60:.0f} min"
        return f"the worker died {record.deaths} times without getting anywhere{again}: {error}"
    if discover >= failed:
        return f"discover has failed {discover} times in a row: {error}"
    return None


def _trouble(record: Record, degraded: int, storage: str | None) -> str | None:
    """What of the source does not work, None if all does."""
    error, held = record.state.last_error, len(record.state.quarantined)
    failing = record.beat.failing if record.beat is not None else 0
    reasons = (
        (storage is not None, f"nothing can be stored: {storage}"),
        (record.trouble is not None, record.trouble),
        (record.condition in UNWELL, UNWELL.get(record.condition)),
        (record.deaths >= degraded, f"the worker died and is starting again: {error}"),
        (_discover_failures(record) >= degraded, f"discover failed: {error}"),
        (record.missing and record.named, _not_found(record)),
        (failing > 0, f"{failing} session(s) cannot be read: {error}"),
        (held > 0, f"{held} session(s) set aside, the worker died reading them: {record.why_held}"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _not_found(record: Record) -> str:
    return "not found: looked in " + ", ".join(record.state.absent)


def _discover_failures(record: Record) -> int:
    return 0 if record.beat is None else record.beat.discover_failures
