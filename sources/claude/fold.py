"""Fold: rows change a state, one after the other; the same rows always end in the same state.

Pure: no file, no clock. The state is changed in place. The counterpart is `verdict.py`, which reads it; `answers.py` and
`prompts.py` are the two sides of the conversation.
"""

from typing import Any, cast

from ..text import LABEL_LIMIT, PATH_LIMIT, TITLE_LIMIT, tidy
from .answers import answer
from .prompts import queued, user
from .rows import QUIET_TYPES, Row
from .state import Labels, State, Transcript
from .turn import ID_LENGTH, TOKENS_LIMIT, turn
from .window import SUFFIX

CONVERSATION = frozenset(("assistant", "user", "system", "attachment", "progress"))
"""Types of the rows that are part of the conversation; all others are notes."""

WIDE_KEPT = 8


def fold(state: State, rows: list[Row], agent: Transcript | None = None) -> None:  # noqa: C901, PLR0912 - one loop, for speed
    """Take in rows of the session's own transcript, or of the file of one subagent."""
    own = agent is None
    transcript = state.main if agent is None else agent
    labels = state.labels if own else Labels()  # what a subagent's file notes is not about the session
    last = transcript.last
    for row in rows:
        kind = row.type
        stamp = row.timestamp
        if not isinstance(stamp, str) or not "1" < stamp < "3":
            stamp = ""  # no time, or none that can be compared as a string
        elif not transcript.first:
            transcript.first = stamp[:ID_LENGTH]
        if kind in CONVERSATION:
            if stamp > last:  # noqa: PLR1730 - as in answers.py
                last = stamp
            if row.isSidechain and own:
                continue  # 1.0.x wrote a subagent's rows between those of its parent
            if row.slug is not None and row.slug != transcript.slug:
                transcript.slug = tidy(row.slug) or transcript.slug
            if kind == "assistant":
                answer(state, transcript, row, stamp, own)
            elif kind == "user":
                user(state, transcript, row, stamp, own)
            elif kind == "attachment" and own:
                queued(transcript, row)
            elif kind == "system":
                _system(transcript, row, stamp)
        elif not _note(labels, transcript, row):
            state.unknown += 1
    transcript.last = last[:ID_LENGTH]
    if own:
        _place(transcript, rows)


def _place(transcript: Transcript, rows: list[Row]) -> None:
    """Take in where the conversation was last: the newest row that says so, for each fact."""
    cwd = branch = version = None
    for row in reversed(rows):
        if row.type in CONVERSATION and not row.isSidechain:
            cwd, branch, version = cwd or row.cwd, branch or row.gitBranch, version or row.version
            if cwd and branch and version:
                break
    if cwd and cwd != transcript.cwd:
        transcript.cwd = tidy(cwd, PATH_LIMIT)
    if branch and branch != transcript.branch:
        transcript.branch = tidy(branch)
    if version and version != transcript.version:
        transcript.version = tidy(version)


def _system(transcript: Transcript, row: Row, stamp: str) -> None:
    if row.subtype == "turn_duration":
        turn(transcript, "over", stamp, begins=True)
    elif row.subtype == "compact_boundary":
        facts = cast("dict[str, Any]", row.compactMetadata) if isinstance(row.compactMetadata, dict) else {}
        after = facts.get("postTokens")
        transcript.compactions += 1
        transcript.context = after if isinstance(after, int) and 0 <= after < TOKENS_LIMIT else None
        transcript.estimated = transcript.context is not None
        # A compaction that nobody asked for happens within a turn, which then goes on.
        turn(transcript, "busy" if facts.get("trigger") == "auto" else "over", stamp)


def _note(labels: Labels, transcript: Transcript, row: Row) -> bool:
    """Take in a note about the session. Returns False for a type that nobody knows."""
    kind = row.type
    if kind in QUIET_TYPES:
        return True
    if kind == "custom-title":
        labels.custom = tidy(row.customTitle, TITLE_LIMIT)
    elif kind == "agent-name":
        labels.agent = tidy(row.agentName, TITLE_LIMIT)
    elif kind == "ai-title":
        labels.generated = tidy(row.aiTitle, TITLE_LIMIT) or labels.generated
    elif kind == "summary":
        labels.summary = tidy(row.summary, TITLE_LIMIT) or labels.summary
    elif kind == "cost-state":
        labels.wide = _wide(set(row.modelUsage or ()))
    elif kind == "ended-by-model":
        transcript.phase = "ended"
    else:
        return False
    return True


def _wide(charged: set[str]) -> list[str]:
    """Return the models that were charged with the large window and never without it."""
    names = [name.removesuffix(SUFFIX) for name in charged if name.endswith(SUFFIX)]
    return sorted(name[:LABEL_LIMIT] for name in names if name not in charged)[:WIDE_KEPT]
