"""Look: one look at a source, for `bellboard doctor`. A question comes in on stdin, what was seen goes out on stdout.

It does what a worker does, once and without a board: load the source, find its sessions, watch its folders, and read the
newest sessions from their beginning, within a bound.
"""

import os
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import msgspec
from msgspec import structs

from ..protocol.place import Place
from ..protocol.sight import Question, Sight
from ..sources.catalog import load
from ..sources.contract import Placed, SessionHandle, Source, Watching
from ..sources.errors import SourceUnavailable
from .watches import Watches

NEWEST = 3
"""Sessions that are read as a trial."""

TRIAL_SECONDS = 5.0
TRIAL_CALLS = 64


def look(question: Question) -> Sight:
    """Look at a source; whatever its code raises becomes a sentence."""
    if question.spool is not None:
        os.environ["BELLBOARD_SPOOL"] = question.spool
    seen, step = Sight(version=_version()), "cannot be loaded"
    try:
        source = load(question.source, question.factory, question.options)
        step = "cannot say where it looks"
        seen = structs.replace(seen, places=tuple(source.where()) if isinstance(source, Placed) else ())
        step = "cannot list its sessions"
        handles = list(source.discover())
        seen = _counted(seen, handles, question.oldest)
        step = "cannot say what to watch"
        seen = _watched(seen, source, enabled=question.watch)
    except SourceUnavailable as error:
        places = seen.places or tuple(Place(path=path, why="default") for path in error.looked)
        return structs.replace(seen, installed=False, places=places)
    except Exception as error:  # noqa: BLE001 - a source may raise anything
        return structs.replace(seen, error=f"{step}: {type(error).__name__}: {error}")
    return _tried(seen, source, handles)


def _version() -> str:
    try:
        return version("bellboard")
    except PackageNotFoundError:
        return ""


def _counted(seen: Sight, handles: Sequence[SessionHandle], oldest: float | None) -> Sight:
    times = [handle.modified_at for handle in handles if handle.modified_at is not None]
    live = sum(handle.live for handle in handles)
    old = 0
    if oldest is not None:
        # As a round decides which sessions stay asleep: see `workers/round.py`.
        old = sum(not each.live and each.modified_at is not None and each.modified_at < oldest for each in handles)
    return structs.replace(seen, sessions=len(handles), live=live, newest=max(times, default=None), old=old)


def _watched(seen: Sight, source: Source, *, enabled: bool) -> Sight:
    if not isinstance(source, Watching):
        return structs.replace(seen, unwatched="the source names no folders to watch")
    folders = list(source.watch())
    watches = Watches(enabled=enabled)
    try:
        watches.sync(folders)
        return structs.replace(seen, folders=len(set(folders)), unwatched=watches.problem)
    finally:
        watches.close()


def _tried(seen: Sight, source: Source, handles: Sequence[SessionHandle]) -> Sight:
    """Read the newest sessions, each for a while."""
    unknown, client, unreadable = 0, None, list[str]()
    newest = sorted(handles, key=lambda handle: handle.modified_at or 0.0, reverse=True)[:NEWEST]
    until = time.monotonic() + TRIAL_SECONDS
    for handle in newest:
        cursor = ""
        try:
            for _ in range(TRIAL_CALLS):
                update, after = source.parse(handle, cursor)
                if update is not None:
                    unknown += update.unknown_records_delta
                    client = update.client_version if isinstance(update.client_version, str) else client
                if after == cursor or time.monotonic() > until:
                    break
                cursor = after
        except Exception as error:  # noqa: BLE001 - a source may raise anything
            unreadable.append(f"{handle.id}: {type(error).__name__}: {error}")
    return structs.replace(seen, tried=len(newest), unknown=unknown, client=client, unreadable=tuple(unreadable))


def main() -> int:
    """Answer one question. Returns the exit code."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a source prints must not come between
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    with answer:
        answer.write(msgspec.json.encode(look(question)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
