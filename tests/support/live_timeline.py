"""Timeline: what was true and what the board said, one compared with the other.

Pure. A scenario of a genuine client knows what is true from when on (`Truth`; one without any words says that from then
on nothing is known); the board's events are what it said (`Moment`). Between two truths each word of the board has to be
the true one, with one second of grace at the beginning, counted from the client's own write where the scenario can name
it. The counterpart is `live_stage.py`, which records.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from bellboard.protocol.session import SessionState

GRACE_SECONDS = 1.0

EARLY_SECONDS = 0.5
"""The board may know of a change before the scenario has seen it on the screen: so long before it, nothing is judged."""


class Moment(Struct, frozen=True, kw_only=True):
    """One word of the board: when it reached a subscriber (epoch seconds), and the whole state it carried."""

    at: float
    kind: str
    session: SessionState


class Truth(Struct, frozen=True, kw_only=True):
    """What is true of one session from `at` on. `says`: field of `shown` -> the true value, or a set of allowed ones.

    `written` is when the client wrote what tells it, None where the scenario cannot name the write (or nothing tells).
    A `brief` truth may pass before anybody has to say it.
    """

    at: float
    session: str
    name: str
    says: Mapping[str, Any]
    written: float | None = None
    brief: bool = False

    @property
    def due(self) -> float:
        """When the board has to say it."""
        return max(self.at, self.written or 0.0) + GRACE_SECONDS


def shown(state: SessionState | None) -> dict[str, Any]:
    """Return what a person sees of a session, under short names; of no session, that it is not on the board."""
    if state is None:
        return {"activity": "absent"}
    evidence = state.evidence
    return {
        "activity": state.activity,
        "waiting_for": state.waiting_for,
        "tool": state.current_tool,
        "evidence": evidence.kind if evidence else None,
        "detail": evidence.detail if evidence else None,
        "lifecycle": state.lifecycle,
        "end": state.end_reason,
        "messages": state.message_count,
        "calls": state.tool_call_count,
        "compactions": state.compaction_count,
        "helpers": sum(helper.activity == "working" for helper in state.subagents),
        "helpers_done": sum(helper.activity == "terminal" for helper in state.subagents),
        "parent": state.parent_id,
    }


def sums(state: SessionState) -> dict[str, Any]:
    """Return what does not depend on when one looks: all that was counted, and what the session is called."""
    counted = "message_count tool_call_count input_tokens output_tokens cache_read_tokens cache_creation_tokens"
    mine = [*counted.split(), "context_tokens", "compaction_count", "title", "model", "parent_id"]
    helpers = {each.id: {name: getattr(each, name) for name in counted.split()} for each in state.subagents}
    return {**{name: getattr(state, name) for name in mine}, "subagents": helpers}


def agrees(truth: Truth, state: SessionState | None) -> bool:
    """Whether the board's word is the true one."""
    seen = shown(state)
    return all(
        seen.get(name) in value if isinstance(value, frozenset | set) else seen.get(name) == value
        for name, value in truth.says.items()
    )


def disagreements(truths: Sequence[Truth], moments: Sequence[Moment], end: float) -> list[str]:
    """Return a line for each word of the board that was not the true one; `end` is when the last truth ended."""
    found: list[str] = []
    for truth in truths:
        if not truth.says:
            continue
        later = [each.at for each in truths if each.session == truth.session and each.at > truth.at]
        until = min([at - EARLY_SECONDS for at in later] or [end])
        mine = [moment for moment in moments if moment.session.id == truth.session]
        if truth.due > until and not truth.brief:
            found.append(
                f"{truth.name}: was true for less than the grace ({until - truth.at:.2f} s): nothing is proven"
            )
        if truth.due > until:
            continue
        before = [moment for moment in mine if moment.at <= truth.due]
        standing = before[-1].session if before else None
        if not agrees(truth, standing):
            found.append(f"{truth.name}: after the grace the board says {_brief(truth, standing)}")
        found += [
            f"{truth.name}: {moment.at - truth.at:.2f} s later the board says {_brief(truth, moment.session)}"
            for moment in mine
            if truth.due < moment.at < until and not agrees(truth, moment.session)
        ]
    return found


def lags(truths: Sequence[Truth], moments: Sequence[Moment]) -> dict[str, float]:
    """Return, for each truth whose write is known, the seconds from that write to the board's first true word."""
    found: dict[str, float] = {}
    for truth in truths:
        if truth.written is None:
            continue
        mine = [moment for moment in moments if moment.session.id == truth.session]
        earlier = [moment for moment in mine if moment.at < truth.written]
        if earlier and agrees(truth, earlier[-1].session):
            continue  # it said so already: another write told it
        first = next(
            (moment.at for moment in mine if moment.at >= truth.written and agrees(truth, moment.session)), None
        )
        if first is not None:
            found[truth.name] = first - truth.written
    return found


def transcript(truths: Sequence[Truth], moments: Sequence[Moment]) -> str:
    """Return both as lines in their order, for people who look for a mistake."""
    lines = [(truth.at, f"TRUE  {truth.name}: {dict(truth.says)} written={_after(truth)}") for truth in truths]
    for moment in moments:
        seen = {name: value for name, value in shown(moment.session).items() if value not in (None, 0)}
        lines.append((moment.at, f"board {moment.session.id[-6:]} {moment.kind}: {seen}"))
    start = min((at for at, _ in lines), default=0.0)
    return "\n".join(f"{at - start:8.3f} {line}" for at, line in sorted(lines))


def _brief(truth: Truth, state: SessionState | None) -> str:
    seen = shown(state)
    return str({name: seen.get(name) for name in (*truth.says, "detail") if name in seen})


def _after(truth: Truth) -> str:
    return "unknown" if truth.written is None else f"{truth.written - truth.at:+.3f}"
