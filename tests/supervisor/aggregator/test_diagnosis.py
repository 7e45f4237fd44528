import pytest
from msgspec import structs

from bellboard.protocol.session import HealthState
from bellboard.protocol.update import Beat
from bellboard.supervisor.aggregator.diagnosis import Record, Thresholds, judge

RULES = Thresholds(degraded=1, failed=5)
WELL = Record(state=HealthState(source="feed", last_error="it broke"))


def beat(**fields: int) -> Beat:
    return Beat(progress=1, phase="watching", **fields)


@pytest.mark.parametrize(
    ("known", "status", "reason"),
    [
        ({}, "healthy", None),
        ({"missing": True}, "healthy", "not found: looked in "),
        ({"missing": True, "named": True}, "degraded", "not found: looked in "),
        ({"deaths": 1}, "degraded", "the worker died and is starting again: it broke"),
        ({"deaths": 5}, "failed", "the worker died 5 times without getting anywhere: it broke"),
        (
            {"deaths": 5, "retry": 600.0},
            "failed",
            "the worker died 5 times without getting anywhere; next try in 10 min: it broke",
        ),
        ({"beat": beat(discover_failures=1)}, "degraded", "discover failed: it broke"),
        ({"beat": beat(discover_failures=5)}, "failed", "discover has failed 5 times in a row: it broke"),
        ({"beat": beat(failing=2)}, "degraded", "2 session(s) cannot be read: it broke"),
        ({"trouble": "no descriptors"}, "degraded", "no descriptors"),
        ({"condition": "hung"}, "degraded", "the worker hangs and is being ended"),
        ({"unloadable": "no such module"}, "failed", "the source cannot be loaded: no such module"),
        ({"paused": True}, "paused", "paused by command"),
        ({"closed": True}, "paused", "taken out of the configuration"),
    ],
    ids=str,
)
def test_what_is_known_of_a_source_says_how_it_is_doing(
    known: dict[str, object], status: str, reason: str | None
) -> None:
    assert judge(structs.replace(WELL, **known), RULES, None) == (status, reason)


def test_sessions_that_are_set_aside_are_counted_with_the_reason() -> None:
    state = structs.replace(WELL.state, quarantined=("one", "two"))
    record = structs.replace(WELL, state=state, why_held="killed by SIGSEGV")
    words = "2 session(s) set aside, the worker died reading them: killed by SIGSEGV"
    assert judge(record, RULES, None) == ("degraded", words)


def test_what_is_worse_is_said_first() -> None:
    record = structs.replace(WELL, deaths=1, condition="hung")
    assert judge(record, RULES, "the disk is full") == ("degraded", "nothing can be stored: the disk is full")
    assert judge(record, RULES, None) == ("degraded", "the worker hangs and is being ended")
    record = structs.replace(record, deaths=5)
    assert judge(record, RULES, "the disk is full")[0] == "failed"
    assert judge(structs.replace(record, paused=True), RULES, "the disk is full") == ("paused", "paused by command")


def test_a_record_has_settled_when_its_worker_has_completed_a_pass() -> None:
    assert not WELL.settled
    assert not structs.replace(WELL, beat=beat(passes=0)).settled
    assert structs.replace(WELL, beat=beat(passes=1)).settled
