"""What a session is doing: the register of a living client first, then the rows, then their age; never a guess."""

from datetime import UTC, datetime, timedelta

import pytest
from claude_home import NOON, answer, call, line, note, prompt, result, told

from bellboard.protocol.session import Evidence
from bellboard.sources.claude.presence import Presence, Record
from bellboard.sources.claude.state import Agent, Link, State, Transcript, fresh
from bellboard.sources.claude.verdict import QUIET_SECONDS, SETTLE_SECONDS, Verdict, finished, judge, judge_agent

TWELVE = datetime(2026, 11, 22, 12, tzinfo=UTC)
SILENT = Presence("silent")


def at(seconds: float) -> datetime:
    return TWELVE + timedelta(seconds=seconds)


def living(status: str | None = None, waiting_for: str | None = None) -> Presence:
    return Presence("alive", Record(status=status, waitingFor=waiting_for, statusUpdatedAt=(NOON + 7) * 1000))


def seen(state: State, presence: Presence = SILENT, now: float = 30) -> tuple[str, str | None, str, str | None]:
    """Return activity, whom it waits for, the kind of evidence, and the tool."""
    verdict = judge(state, presence, NOON + now)
    return verdict.activity, verdict.waiting_for, verdict.evidence.kind, verdict.call.name if verdict.call else None


ASKED = (prompt(at=0), answer("m", call(name="Bash"), stop="tool_use", at=1))


def test_a_living_busy_client_works_with_the_tool_that_has_no_result() -> None:
    assert seen(told(*ASKED), living("busy")) == ("working", None, "registry", "Bash")
    assert seen(told(*ASKED, result(at=2)), living("busy")) == ("working", None, "registry", None)
    assert seen(told(), living("busy")) == ("working", None, "registry", None)


def test_the_evidence_says_what_was_seen_and_since_when() -> None:
    verdict = judge(told(*ASKED), living("waiting", "permission prompt"), NOON)
    detail = "the client's registry says permission prompt"
    assert verdict.evidence == Evidence(kind="registry", detail=detail, since=at(7))


@pytest.mark.parametrize(
    ("waiting_for", "tool", "meant"),
    [
        ("permission prompt", "Write", "permission"),
        ("sandbox request", "Bash", "permission"),
        ("worker request", "Bash", "permission"),
        ("permission prompt", "ExitPlanMode", "plan"),
        ("input needed", "AskUserQuestion", "question"),
        ("dialog open", "Bash", "question"),
        ("goal proposal", "Bash", "question"),
        ("something new", "Bash", "question"),
        (None, "Bash", "permission"),
    ],
)
def test_a_waiting_client_says_for_what(waiting_for: str | None, tool: str, meant: str) -> None:
    state = told(prompt(at=0), answer("m", call(name=tool), stop="tool_use", at=1))
    assert seen(state, living("waiting", waiting_for)) == ("waiting", meant, "registry", tool)


def test_a_client_that_waits_without_any_open_call_asks_a_question() -> None:
    assert seen(told(prompt()), living("waiting")) == ("waiting", "question", "registry", None)
    assert seen(told(), living("waiting", "permission prompt")) == ("waiting", "permission", "registry", None)


@pytest.mark.parametrize("status", ["idle", "shell"])
def test_an_idle_client_waits_at_the_prompt_once_there_was_a_turn(status: str) -> None:
    assert seen(told(), living(status)) == ("idle", None, "registry", None)
    assert seen(told(prompt("<command-name>/model</command-name>")), living(status)) == ("idle", None, "registry", None)
    assert seen(told(*ASKED), living(status)) == ("waiting", "prompt", "registry", None)


@pytest.mark.parametrize("status", [None, "brand-new"])
def test_a_living_client_without_a_known_status_leaves_it_to_the_rows_however_old(status: str | None) -> None:
    assert seen(told(*ASKED, result(at=2)), living(status), now=1e6) == ("working", None, "record", None)
    assert seen(told(*ASKED), living(status), now=1e6) == ("working", None, "tool", "Bash")
    assert seen(told(prompt(), answer(at=1)), living(status), now=1e6) == ("waiting", "prompt", "record", None)


def test_a_dead_process_is_the_end_whatever_the_rows_say() -> None:
    verdict = judge(told(*ASKED), Presence("dead", Record(status="busy")), NOON)
    assert (verdict.activity, verdict.end_reason, verdict.call) == ("terminal", "process gone", None)
    assert verdict.evidence.kind == "process"


def test_a_session_that_a_register_does_not_name_is_closed_if_its_client_keeps_one() -> None:
    new, old = told(prompt(version="2.1.81")), told(prompt(version="2.1.80"))
    assert judge(new, Presence("absent"), NOON).end_reason == "closed"
    assert judge(old, Presence("absent"), NOON).activity == "working"
    assert judge(new, Presence("silent"), NOON).activity == "working"
    assert judge(new, Presence("unknown", Record(status="waiting")), NOON).activity == "working"


def test_a_transcript_in_which_nothing_was_said_is_closed_when_nobody_names_it() -> None:
    assert judge(told(note("mode", mode="normal")), Presence("absent"), NOON).end_reason == "closed"


def test_a_call_without_a_result_is_a_running_tool_unless_it_asks_the_person() -> None:
    verdict = judge(told(*ASKED), SILENT, NOON + 1e6)
    assert verdict.evidence == Evidence(
        kind="tool", detail="Bash has no result yet; it may wait for permission", since=at(1)
    )
    assert seen(told(*ASKED)) == ("working", None, "tool", "Bash")
    for tool, meant in (("AskUserQuestion", "question"), ("ExitPlanMode", "plan")):
        state = told(prompt(), answer("m", call(name=tool), stop="tool_use"))
        assert seen(state) == ("waiting", meant, "tool", tool)


def test_the_newest_of_several_open_calls_is_the_current_one() -> None:
    state = told(prompt(), answer("m", call("a", "Read"), call("b", "Grep"), stop="tool_use"))
    assert seen(state) == ("working", None, "tool", "Grep")
    assert seen(told(result("b"), state=state)) == ("working", None, "tool", "Read")


def test_the_models_turn_is_working_until_it_was_silent_for_too_long() -> None:
    state = told(prompt(at=0))
    verdict = judge(state, SILENT, NOON + QUIET_SECONDS - 1)
    assert (verdict.activity, verdict.evidence.kind, verdict.due) == ("working", "record", NOON + QUIET_SECONDS)
    assert seen(state, now=QUIET_SECONDS) == ("idle", None, "none", None)


def test_a_text_without_a_stop_reason_is_the_end_once_nothing_follows() -> None:
    state = told(prompt(at=0), answer("m", stop=None, at=1))
    verdict = judge(state, SILENT, NOON + 2)
    assert (verdict.activity, verdict.due) == ("working", NOON + 1 + SETTLE_SECONDS)
    assert seen(state, now=1 + SETTLE_SECONDS) == ("waiting", "prompt", "age", None)


@pytest.mark.parametrize(
    ("last", "detail"),
    [
        (answer("m", at=1), "the turn ended"),
        (line("system", 1, subtype="turn_duration"), "the turn ended"),
        (prompt("[Request interrupted by user]", at=1), "the turn was interrupted"),
        (answer("m", model="<synthetic>", isApiErrorMessage=True, at=1), "the turn ended in an error"),
    ],
)
def test_an_ended_turn_waits_at_the_prompt(last: bytes, detail: str) -> None:
    verdict = judge(told(prompt(at=0), last), SILENT, NOON + 1e6)
    assert (verdict.activity, verdict.waiting_for) == ("waiting", "prompt")
    assert verdict.evidence == Evidence(kind="record", detail=detail, since=at(1))


def test_before_any_turn_nothing_is_known() -> None:
    assert seen(told()) == ("idle", None, "none", None)


def test_the_model_may_have_ended_the_session() -> None:
    assert judge(told(answer(), note("ended-by-model")), SILENT, NOON).end_reason == "ended by the model"


def test_rows_from_the_future_or_without_times_say_nothing_of_age() -> None:
    assert judge(told(prompt(at=3000)), SILENT, NOON).activity == "idle"
    assert judge(told(prompt(at=3000)), SILENT, NOON, modified_at=NOON - 5).activity == "working"
    assert judge(told(prompt(at=3000)), SILENT, NOON, modified_at=NOON + 3000).activity == "idle"
    timeless = told(prompt(timestamp=None))
    assert judge(timeless, SILENT, NOON).activity == "idle"
    assert judge(timeless, SILENT, NOON, modified_at=NOON - 5).activity == "working"


def subagent(*, last: float = 5, done: float | None = None, **fields: object) -> Agent:
    """A subagent that wrote its last row at second `last` and was reported done at second `done`."""
    stamp = f"2026-11-22T12:00:{last:06.3f}Z"
    transcript = Transcript(phase="busy", since=stamp, last=stamp)
    for name, value in fields.items():
        setattr(transcript, name, value)
    return Agent(transcript, Link(call="toolu_1", done="" if done is None else f"2026-11-22T12:00:{done:06.3f}Z"))


def test_a_subagent_is_done_by_its_own_rows_its_meta_file_or_its_parents_report() -> None:
    assert not finished(fresh(), subagent())
    assert finished(fresh(), subagent(phase="over"))
    assert finished(fresh(), subagent(phase="stopped"))
    assert finished(fresh(), subagent(phase="failed"))
    assert finished(fresh(), subagent(phase="ended"))
    assert finished(fresh(), subagent(last=5, done=6))
    assert finished(fresh(), subagent(last=6, done=5))
    agent = subagent()
    agent.finished = True
    assert finished(fresh(), agent)


def test_a_subagent_that_writes_on_after_it_was_reported_is_at_work_again() -> None:
    assert not finished(fresh(), subagent(last=9, done=5))


def background(state: State, presence: Presence, now: float, agent: Agent) -> tuple[Verdict, Verdict]:
    """Return what a session whose own turn is over does, and what its one subagent does."""
    state.agents = {"a1": agent}
    session = judge(state, presence, NOON + now)
    return session, judge_agent(state, agent, session, presence, NOON + now)


def test_a_session_works_for_as_long_as_a_subagent_of_it_does() -> None:
    over = told(prompt(at=0), answer(at=1))
    session, agent = background(over, SILENT, 10, subagent(last=5))
    assert (session.activity, session.evidence.detail) == ("working", "a subagent is still running")
    assert (agent.activity, session.due, agent.due) == ("working", NOON + 5 + QUIET_SECONDS, NOON + 5 + QUIET_SECONDS)

    session, agent = background(over, SILENT, 5 + QUIET_SECONDS, subagent(last=5))
    assert (session.activity, session.waiting_for, agent.activity) == ("waiting", "prompt", "idle")

    session, agent = background(over, SILENT, 10, subagent(last=5, done=6))
    assert (session.activity, session.waiting_for, agent.activity) == ("waiting", "prompt", "terminal")


def test_an_interrupted_question_is_not_overruled_by_a_subagent() -> None:
    asking = told(prompt(at=0), answer("m", call(name="AskUserQuestion"), stop="tool_use", at=1))
    session, agent = background(asking, SILENT, 10, subagent())
    assert (session.waiting_for, agent.activity) == ("question", "working")


def test_a_subagent_whose_call_is_still_open_works_however_long_it_says_nothing() -> None:
    state = told(prompt(at=0), answer("m", call("toolu_1", "Task", prompt="Go"), stop="tool_use", at=1))
    _, agent = background(state, SILENT, 1e6, subagent())
    assert agent.activity == "working"


def test_a_living_client_that_is_idle_has_no_subagent_at_work() -> None:
    over = told(prompt(at=0), answer(at=1))
    assert background(over, living("idle"), 10, subagent())[1].activity == "terminal"
    assert background(over, living("busy"), 1e6, subagent())[1].activity == "working"
    assert background(over, living("waiting", "permission prompt"), 1e6, subagent())[1].activity == "working"


def test_a_session_that_has_ended_takes_its_subagents_along() -> None:
    session, agent = background(told(prompt()), Presence("dead", Record()), 10, subagent())
    assert (session.activity, agent.activity) == ("terminal", "terminal")


def test_a_turn_that_an_earlier_process_left_open_does_not_go_on_in_the_next_one() -> None:
    later = Presence("alive", Record(pid=5, startedAt=(NOON + 60) * 1000))
    verdict = judge(told(*ASKED), later, NOON + 61)
    detail = "the process of the last turn is gone, another one has the session open"
    assert verdict.evidence == Evidence(kind="registry", detail=detail, since=at(60))
    assert seen(told(*ASKED), later) == ("waiting", "prompt", "registry", None)
    assert seen(told(*ASKED, prompt("Go on", at=62)), later)[0] == "working"
    busy = Presence("alive", Record(pid=5, startedAt=(NOON + 60) * 1000, status="busy"))
    assert seen(told(*ASKED), busy) == ("working", None, "registry", None)
    assert seen(told(prompt(), answer(stop="end_turn", at=1)), later) == ("waiting", "prompt", "record", None)
    same = Presence("alive", Record(pid=5, startedAt=(NOON - 60) * 1000, status="busy"))
    assert seen(told(*ASKED), same) == ("working", None, "registry", "Bash")


def test_what_a_killed_process_left_in_the_registry_says_nothing_of_the_one_after_it() -> None:
    left = Presence("dead", Record(pid=4242))
    state = told(*ASKED)
    assert judge(state, left, NOON).end_reason == "process gone"
    state.lived = 5
    assert judge(state, left, NOON).end_reason == "closed"
    state.lived = 4242
    assert judge(state, left, NOON).end_reason == "process gone"
