"""Source: the sessions of Gemini CLI, from its folder `~/.gemini`. The only file here that parses with files in hand.

There is no registry of living clients and no lock: whether a session's process still runs is not on disk, so no
evidence of the present moment is looked at and nothing is called `live`.
"""

import math
import os
from collections.abc import Sequence

import msgspec

from ...protocol.update import SourceUpdate
from ..contract import READ_LIMIT, Cursor, Place, Registry, SessionHandle
from ..cursors import Memo
from ..errors import SourceError, SourceUnavailable
from ..files import home_of, why_of
from ..hearing import Hearing
from ..spool import Spool
from ..tail import read_on
from ..unseen import Unseen
from ..whole import read_whole
from .catalog import NAME, Artifact, Catalog, Group, describe
from .facts import facts, leading, report
from .fold import fold, fold_document, pass_over
from .rows import LINES, Row, read_document
from .state import Chat, Part, State, load, store

HOME_VARIABLE = "GEMINI_CLI_HOME"
"""Stands for the home folder: the client puts its own folder `.gemini` below it."""


GRANTED = "that it was given shows only when the tool has ended"
"""What the hooks of this client do not tell of a permission: none of them runs when a person has answered."""


class GeminiSource:
    """Gemini CLI. `home` is one or several `.gemini` folders; None is where the client itself would look."""

    name = NAME

    def __init__(self, *, home: str | Sequence[str] | None = None) -> None:
        self._homes = _homes(home)
        self._why = why_of(home, HOME_VARIABLE)
        self._catalog = Catalog(self._homes)
        self._memo: Memo[State] = Memo()

    def discover(self) -> list[SessionHandle]:
        """List the sessions. Raises SourceUnavailable if there is no `.gemini` folder."""
        if not any(os.path.isdir(home) for home in self._homes):
            raise SourceUnavailable(self._homes)
        return [group.handle for group in self._catalog.scan()]

    def where(self) -> list[Place]:
        """See `Placed.where`."""
        return [Place(path=home, why=self._why) for home in self._homes]

    def watch(self) -> list[str]:
        """Return the folders of sessions and of subagents, and those in which new ones appear."""
        return list(self._catalog.watched())

    def touched(self, paths: Sequence[str]) -> list[SessionHandle]:
        """Return the sessions of these files; a new folder is found by the next discover."""
        return [group.handle for group in self._catalog.at(paths)]

    def pulse(self) -> tuple[SessionHandle, ...]:
        """Return nothing: without a word of the client's process only files can change."""
        return ()

    def rest(self) -> float:
        """See `Resting.rest`: there is nothing that a pulse could find."""
        return math.inf

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """Read on in the files of one session, see `Source.parse`. Raises OSError, ArtifactTooLarge."""
        if handle.stamp and cursor.startswith(f"{handle.stamp}|"):
            return None, cursor
        group = self._catalog.find(handle)
        if group is None:
            return None, cursor
        reading = _Reading(self._catalog, group, handle.id, cursor, self._memo.take(cursor))
        found, after = reading.update()
        if after != cursor:
            self._memo.keep(after, reading.state)
        return found, after


class _Reading:
    """One call of `parse`: reads at most `READ_LIMIT` bytes in the files of a session and reports."""

    def __init__(self, catalog: Catalog, group: Group, handle: str, cursor: Cursor, state: State | None) -> None:
        self._catalog = catalog
        self._group = group
        self._handle = handle
        self._cursor = cursor
        self._budget = READ_LIMIT
        self._restart = False
        try:
            self.state = state or load(cursor)
        except msgspec.MsgspecError:  # a cursor of another version: begin again
            self.state, self._restart = State(), True

    def update(self) -> tuple[SourceUpdate | None, Cursor]:
        said = facts(self.state)
        self._forget_gone_files()
        stamps = self._read_files()
        if not self.state.files:
            return None, self._cursor
        self._look_around()
        found = report(said, self.state, self._handle, restart=self._restart)
        stamp = describe(stamps, self._group.evidence) if all(stamps) else ""
        return found, store(stamp, self.state)

    def _forget_gone_files(self) -> None:
        present = {artifact.path for artifact in self._group.files}
        kept = {path: part for path, part in self.state.files.items() if path in present}
        # All of them elsewhere at once: the folder was moved, or another session took over the name.
        self._restart |= bool(self.state.files) and not kept
        self.state.files = kept

    def _read_files(self) -> list[str]:
        """Read on in each file. Returns their stamps, "" for one that may hold more."""
        stamps: list[str] = []
        problem: OSError | SourceError | None = None
        for artifact in self._group.files:
            try:
                part = self.state.files.get(artifact.path) or Part()
                stamps.append(self._read(artifact, part))
                self.state.files[artifact.path] = part
            except FileNotFoundError:
                stamps.append("")
            except (OSError, SourceError) as error:
                problem = error
                stamps.append("")
        # What the other files brought is not lost: the error comes up when there is nothing else to say.
        if problem is not None and self._budget == READ_LIMIT:
            raise problem
        return stamps

    def _read(self, artifact: Artifact, part: Part) -> str:
        if self._budget <= 0:
            return ""
        if artifact.path.endswith(".json"):
            return self._read_document(artifact, part)
        piece = read_on(artifact.path, part.mark, self._budget)
        if piece is None:
            return part.mark.stamp
        self._budget -= max(1, len(piece.data))
        if piece.replaced:
            self._replace(part)
        rows, bad = LINES.read(piece.data)
        fold(part.chat, rows, bad)
        for head in piece.overlong:
            pass_over(part.chat, head)
        part.mark = piece.mark
        return piece.mark.stamp

    def _read_document(self, artifact: Artifact, part: Part) -> str:
        document = read_whole(artifact.path, part.stamp)
        if document is None:
            return part.stamp
        self._budget -= max(1, len(document.data))
        # Also that of a document caught half written: it is looked at again when its writer has gone on.
        part.stamp = document.stamp
        row: Row | None = read_document(document.data)
        if row is not None:
            if part.chat.session and row.session_id and row.session_id != part.chat.session:
                self._replace(part)
            fold_document(part.chat, row)
        return document.stamp

    def _replace(self, part: Part) -> None:
        part.chat = Chat()
        self._restart = True

    def _look_around(self) -> None:
        """Take over what stands around the files: where the session worked, whose subagent it is, and its own."""
        part = leading(self.state)
        project = part.chat.project if part is not None else ""
        self.state.folder = self._group.folder or self._catalog.folder_with(project)
        self.state.parent = self._group.parent
        self.state.subagent_since = self._group.subagent_since


def _homes(home: str | Sequence[str] | None) -> tuple[str, ...]:
    if home is not None and not isinstance(home, str):
        return tuple(home_of(one, None, "") for one in home)
    return (home_of(home, None, f"{os.environ.get(HOME_VARIABLE) or '~'}/.gemini"),)


def register(registry: Registry, *, home: str | Sequence[str] | None = None) -> None:
    """Make this source known; `home` is the `.gemini` folder (or several)."""
    registry.add(NAME, lambda: Unseen(Hearing(GeminiSource(home=home), Spool(NAME)), permission=GRANTED))
