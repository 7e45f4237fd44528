"""`bellboard sessions`: the sessions on the board, or, with `--once`, in the agents' files as they are now."""

import argparse
import sys
import time
from datetime import UTC, datetime

from msgspec import structs

from ...protocol.errors import NotRunning
from ...protocol.event import Snapshot
from ...protocol.session import SessionState
from ..errors import SupervisorError, UsageError
from ..units import Seconds, seconds
from ..views import document
from ..views.board import detail
from ..views.board.ink import text_of
from . import common
from .choice import Choice, choice


def run(options: argparse.Namespace) -> int:
    """Print the sessions that were asked for."""
    wanted = _choice(options)
    whole = _picture(options)
    chosen = [session for session in whole.sessions if wanted.takes(session)]
    picture = structs.replace(whole, sessions=tuple(chosen))
    if not options.once:
        common.refuse_sources(options, whole)
    if options.id is not None and not chosen:
        raise SupervisorError(f"no session whose id begins with {options.id!r} (of a folder: --project NAME)")
    if options.json:
        sys.stdout.write(document.sessions_json(picture) + "\n")
    elif options.id is not None:
        sys.stdout.write("\n\n".join(_detail(session) for session in chosen) + "\n")
    elif chosen:
        common.print_table(chosen)
    elif whole.sessions:
        sys.stderr.write(f"bellboard: {'nobody needs you' if options.needs_you else 'no sessions that match'}\n")
    else:
        common.tell_where_was_looked(whole)
        sys.stderr.write("bellboard: no sessions" + ("" if options.once else common.left_out(whole)) + "\n")
    unwell = [state for state in picture.health if state.status in {"degraded", "failed"}]
    for state in unwell:
        # What a board says of a source whose folder is not there, nobody reads any more.
        if options.once or state.absent:
            sys.stderr.write(f"bellboard: {state.source} {state.status}: {state.reason}\n")
    incomplete = any(
        state.status == "failed" or state.discover_failures or state.quarantined or state.absent for state in unwell
    )
    if options.needs_you and chosen:
        return common.EXIT_SOMEONE_WAITS
    return common.EXIT_ERROR if options.once and incomplete else common.EXIT_OK


def _detail(session: SessionState) -> str:
    """Return all about a session, as the live board's details say it."""
    return "\n".join(text_of(line) for line in detail.session(session, datetime.now(UTC), common.columns()))


def _picture(options: argparse.Namespace) -> Snapshot:
    if not options.once:
        if any("=" in word for word in options.source or ()):
            raise UsageError("--source NAME=FOLDER reads a folder now, which needs --once")
        try:
            return common.picture(common.runtime_dir(options))
        except NotRunning as error:
            raise NotRunning(f"{error}, or read the agents' files with --once") from error
    config = common.config(options)
    # Who waits may have written nothing for days: then all is read, and what is old is left out afterwards.
    since = _age(options.since or "all")
    board = structs.replace(config.board, since=Seconds("inf") if options.needs_you else since)
    return common.read_once(options, structs.replace(config, board=board))


def _choice(options: argparse.Namespace) -> Choice:
    oldest = None if options.since is None else time.time() - _age(options.since)
    return structs.replace(choice(options), id=options.id, oldest=oldest)


def _age(word: str) -> Seconds:
    try:
        return seconds(word)
    except ValueError as error:
        raise UsageError(f"--since: {error}") from error
