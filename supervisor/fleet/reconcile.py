"""Reconcile: what has to be written so that the fleet says what the board says, and who is right when two wrote. Pure.

An exporter that has the lease and hears its board speaks for the machine: what stands there otherwise is put right. Only
what the same life of that board has said later is left alone: another exporter of it was faster.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from .engine import Entry
from .record import Record, decode, order
from .telling import Telling

Verdict: TypeAlias = Literal["leave", "write", "verify"]
"""What becomes of a write that met another: theirs stands; ours is written over it; ours is, if the lease is still ours."""


def differing(stands: Mapping[str, Entry], ours: Telling) -> set[str]:
    """Return the keys that have to be written: put where the board has a record, dropped where it has none."""
    keys = {key for key, record in ours.records.items() if _ahead(record, stands.get(key))}
    return keys | {key for key, entry in stands.items() if key not in ours.records and _over(entry, ours)}


def settle(record: Record | None, entry: Entry | None, ours: Telling) -> Verdict:
    """Judge a write that was refused because `entry` stands there; `record` None: the key was to be dropped."""
    if entry is None or entry.value is None:
        return "leave" if record is None else "write"
    theirs = decode(entry.value)
    if theirs is None:
        return "verify"
    if record is None:
        if theirs.epoch != ours.epoch:
            return "verify"
        return "leave" if theirs.seq > ours.seq else "write"
    match order(record, theirs):
        case "same" | "older":
            return "leave"
        case "newer":
            return "write"
        case "unlike":
            return "verify"


def _ahead(record: Record, entry: Entry | None) -> bool:
    """Whether a record of the board has to be put."""
    if entry is None or entry.value is None:
        return True
    theirs = decode(entry.value)
    return theirs is None or order(record, theirs) in {"newer", "unlike"}


def _over(entry: Entry, ours: Telling) -> bool:
    """Whether what stands under a key that the board does not have is over."""
    if entry.value is None:
        return False
    theirs = decode(entry.value)
    return theirs is None or theirs.epoch != ours.epoch or theirs.seq <= ours.seq
