"""Unseen: a source whose agent leaves no trace of its living process.

Gemini CLI, OpenCode and Pi keep no registry and no lock, and write nothing when they end: a session that was killed in the
middle of a turn, or closed after it, reads for ever as it stood. So each thing that is said of one carries this doubt,
until a record or a hook tells of its end. The counterpart is `facts.py` of each of these agents, which says the rest.
"""

from collections.abc import Iterable, Sequence

from msgspec import structs

from ..protocol.session import Evidence
from ..protocol.update import SourceUpdate
from .contract import Cursor, Place, Placed, Resting, SessionHandle, Source, Watching

DOUBT = "whether its client still runs cannot be known"
"""Added to the evidence of all that has not ended."""


class Unseen:
    """A source that says of each session besides what cannot be known of it.

    `permission` is what cannot be known of a permission that a hook told of: whether it has been given since.
    """

    def __init__(self, source: Source, *, permission: str = "") -> None:
        self._source = source
        self._watching = source if isinstance(source, Watching) else None
        self._resting = source if isinstance(source, Resting) else None
        self._permission = permission

    @property
    def name(self) -> str:
        """See `Source.name`."""
        return self._source.name

    def discover(self) -> Iterable[SessionHandle]:
        """See `Source.discover`."""
        return self._source.discover()

    def parse(self, handle: SessionHandle, cursor: Cursor) -> tuple[SourceUpdate | None, Cursor]:
        """See `Source.parse`."""
        update, after = self._source.parse(handle, cursor)
        return (None if update is None else self._doubted(update)), after

    def where(self) -> Iterable[Place]:
        """See `Placed.where`."""
        return self._source.where() if isinstance(self._source, Placed) else ()

    def watch(self) -> Iterable[str]:
        """See `Watching.watch`."""
        return () if self._watching is None else self._watching.watch()

    def touched(self, paths: Sequence[str]) -> Iterable[SessionHandle]:
        """See `Watching.touched`."""
        return () if self._watching is None else self._watching.touched(paths)

    def pulse(self) -> Iterable[SessionHandle]:
        """See `Watching.pulse`."""
        return () if self._watching is None else self._watching.pulse()

    def rest(self) -> float:
        """See `Resting.rest`."""
        return 0.0 if self._resting is None else self._resting.rest()

    def _doubted(self, update: SourceUpdate) -> SourceUpdate:
        evidence = update.evidence
        if not isinstance(evidence, Evidence) or update.activity == "terminal":
            return update
        asked = evidence.kind == "hook" and update.waiting_for == "permission"
        doubts = [evidence.detail or "", self._permission if asked else "", DOUBT]
        detail = "; ".join(doubt for doubt in doubts if doubt)
        return structs.replace(update, evidence=structs.replace(evidence, detail=detail))
