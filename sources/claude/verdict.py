"""Verdict: what a session is doing, and how that is known.

Pure: state, presence and the time of asking go in. The client's register together with a living process comes first;
without it only the transcript speaks, which cannot tell a running tool from a permission prompt (both are a call
without a result) and knows nothing while an answer is written. The counterpart is `facts.py`, which reports it.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from ...protocol.session import Activity, Evidence, EvidenceKind, WaitingFor
from ..text import tidy, when
from .presence import Presence, registers, when_millis
from .state import Agent, Call, State, Transcript

SETTLE_SECONDS = 10.0
"""2.1.50 writes no stop reason: text that nothing follows for so long was the end of the answer."""

QUIET_SECONDS = 600.0
"""With no process known, a model that has written nothing for so long is not said to be working any more."""

SLACK_SECONDS = 2.0
"""Rows are written a little out of order: a subagent's last row may bear a later time than the report of its end."""

FUTURE_SECONDS = 60.0

ASKING: dict[str, WaitingFor] = {"AskUserQuestion": "question", "ExitPlanMode": "plan"}
"""Tools whose running is a person's thinking."""

LEFT = "the process of the last turn is gone, another one has the session open"

PERMISSIONS = frozenset(("permission prompt", "sandbox request", "worker request"))
"""The register's words for a permission; all others ("input needed", "goal proposal", "dialog open") are questions."""


class Verdict(Struct, kw_only=True):
    """What is reported. `due` (epoch seconds) is when the passing of time alone may change it."""

    activity: Activity
    evidence: Evidence
    waiting_for: WaitingFor | None = None
    call: Call | None = None
    end_reason: str | None = None
    due: float | None = None


def judge(state: State, presence: Presence, now: float, modified_at: float | None = None) -> Verdict:
    """Say what the session is doing. `modified_at` stands in where the rows bear no times."""
    if presence.liveness == "dead" and not _outlived(state, presence):
        return _ended("process", "the client's process is gone", "process gone")
    # A transcript in which nothing was said yet bears no version; then its client was named before it was written.
    absent = presence.liveness == "absent" and (registers(state.main.version) or not state.main.last)
    if absent or presence.liveness == "dead":
        return _ended("registry", "the client's registry no longer names the session", "closed")
    alive = presence.liveness == "alive"
    told = _told(state.main, presence) if alive else None
    if told is not None:
        return told
    if _left(state.main, presence):
        return _verdict("waiting", "registry", LEFT, _began(presence), "prompt")
    verdict = _written(state.main, _age(state.main, now, modified_at), now, alive=alive)
    if verdict.activity in {"idle", "waiting"} and verdict.waiting_for in {None, "prompt"}:
        subagents = [judge_agent(state, agent, verdict, presence, now) for agent in state.agents.values()]
        if any(subagent.activity == "working" for subagent in subagents):
            due = min((subagent.due for subagent in subagents if subagent.due is not None), default=None)
            since = when(state.main.since)
            return _verdict("working", "record", "a subagent is still running", since, due=due)
    return verdict


def judge_agent(state: State, agent: Agent, session: Verdict, presence: Presence, now: float) -> Verdict:
    """Say what one subagent is doing, given what its session is doing."""
    alive = presence.liveness == "alive"
    if session.activity == "terminal" or finished(state, agent):
        return _ended("record", "the subagent is done", "done")
    if _left(agent.transcript, presence):
        return _ended("registry", LEFT, "process gone")
    # The register says busy for as long as any subagent runs.
    if alive and session.evidence.kind == "registry" and session.waiting_for == "prompt":
        return _ended("registry", "the client's registry says idle", "done")
    call = _newest(agent.transcript)
    if call is not None or alive or parent_call(state, agent) in state.main.open:
        return _verdict("working", "record", "the subagent is at work", when(agent.transcript.since), call=call)
    age = _age(agent.transcript, now, None)
    if age < QUIET_SECONDS:
        return _verdict("working", "record", "the subagent is at work", None, due=now + QUIET_SECONDS - age)
    return _verdict("idle", "none", "nothing was written for a long time", when(agent.transcript.since))


def finished(state: State, agent: Agent) -> bool:
    """Whether a subagent has done its work: by its own rows, its meta file or its parent's rows."""
    transcript = agent.transcript
    if agent.finished or transcript.phase in {"over", "stopped", "failed", "ended"}:
        return True
    task = state.tasks.get(parent_call(state, agent) or "")
    done, last = when(agent.link.done or (task.done if task else "")), when(transcript.last)
    # One that was reported done can be asked to go on: then its rows are the younger ones.
    return done is not None and (last is None or (last - done).total_seconds() <= SLACK_SECONDS)


def parent_call(state: State, agent: Agent) -> str | None:
    """Return the call that started a subagent; before it is reported, only the words it began with tell."""
    if agent.link.call or not agent.transcript.opening:
        return agent.link.call
    return next((key for key, task in state.tasks.items() if task.opening == agent.transcript.opening), None)


def _told(main: Transcript, presence: Presence) -> Verdict | None:
    """What the register of a living process says; None if it has no status, or one that nobody knows."""
    record = presence.record
    if record is None or record.status is None:
        return None
    since, call = when_millis(record.since), None if _left(main, presence) else _newest(main)
    detail = f"the client's registry says {tidy(record.waitingFor or record.status, 40)}"
    if record.status == "busy":
        return _verdict("working", "registry", detail, since, call=call)
    if record.status == "waiting":
        permission = record.waitingFor in PERMISSIONS or (call is not None and not record.waitingFor)
        asked: WaitingFor = "permission" if permission else "question"
        return _verdict("waiting", "registry", detail, since, ASKING.get(call.name, asked) if call else asked, call)
    if record.status in {"idle", "shell"}:
        if main.messages:
            return _verdict("waiting", "registry", detail, since, "prompt")
        return _verdict("idle", "registry", detail, since)
    return None


def _written(main: Transcript, age: float, now: float, *, alive: bool) -> Verdict:
    """What the rows alone say."""
    since, call = when(main.since), _newest(main)
    if call is not None:
        asked = ASKING.get(call.name)
        detail = f"{tidy(call.name, 80)} has no result yet" + ("" if asked else "; it may wait for permission")
        return _verdict("waiting" if asked else "working", "tool", detail, when(call.since), asked, call)
    if main.phase == "busy":
        if alive or age < QUIET_SECONDS:
            due = None if alive else now + QUIET_SECONDS - age
            return _verdict("working", "record", "the model's turn has not ended", since, due=due)
        return _verdict("idle", "none", "the turn has not ended, but nothing was written for a long time", since)
    if main.phase == "said":
        if age < SETTLE_SECONDS:
            return _verdict("working", "record", "an answer was begun", since, due=now + SETTLE_SECONDS - age)
        return _verdict("waiting", "age", "nothing followed the last answer", since, "prompt")
    if main.phase == "ended":
        return _ended("record", "the model ended the session", "ended by the model")
    if main.phase == "":
        return _verdict("idle", "none", "no turn has begun", None)
    return _verdict("waiting", "record", _OVER[main.phase], since, "prompt")


_OVER: dict[Literal["over", "stopped", "failed"], str] = {
    "over": "the turn ended",
    "stopped": "the turn was interrupted",
    "failed": "the turn ended in an error",
}


def _outlived(state: State, presence: Presence) -> bool:
    """Whether a record is only what a killed process left behind: a later one was alive, and took its own away."""
    pid = presence.record.pid if presence.record else None
    return bool(state.lived and pid and pid != state.lived)


def _left(transcript: Transcript, presence: Presence) -> bool:
    """Whether a turn was left open by an earlier process: the one that has the session now began after its last row."""
    began = _began(presence)
    if began is None or transcript.phase not in {"busy", "said"}:
        return False
    since = when(transcript.since)
    return since is not None and since < began


def _began(presence: Presence) -> datetime | None:
    return when_millis(presence.record.startedAt) if presence.record else None


def _newest(transcript: Transcript) -> Call | None:
    return next(reversed(transcript.open.values()), None)


def _age(transcript: Transcript, now: float, modified_at: float | None) -> float:
    """How long ago the last row was written, in seconds; the file's own time speaks for a row that bears a wrong one."""
    last, latest = when(transcript.last), now + FUTURE_SECONDS
    at = None if last is None else last.timestamp()
    if at is None or at > latest:
        at = modified_at
    return float("inf") if at is None or at > latest else max(now - at, 0.0)


def _verdict(
    activity: Activity,
    kind: EvidenceKind,
    detail: str,
    since: datetime | None,
    waiting_for: WaitingFor | None = None,
    call: Call | None = None,
    *,
    due: float | None = None,
) -> Verdict:
    evidence = Evidence(kind=kind, detail=detail, since=since)
    return Verdict(activity=activity, evidence=evidence, waiting_for=waiting_for, call=call, due=due)


def _ended(kind: EvidenceKind, detail: str, reason: str) -> Verdict:
    return Verdict(activity="terminal", evidence=Evidence(kind=kind, detail=detail), end_reason=reason)
