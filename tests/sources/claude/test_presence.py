"""A record of the register counts only together with the process that it names."""

from datetime import UTC, datetime

import pytest
from claude_home import MACHINE, NAMESPACE, NOON

from bellboard.sources.claude.presence import Presence, Record, foreign, judge, registers, when_millis

STARTED = 1_795_343_680_476.0


@pytest.mark.parametrize(
    ("told", "start", "judgement"),
    [
        ("89087", "89087", "alive"),
        (89087, "89087", "alive"),
        ("89087", "89088", "dead"),
        ("89087", None, "dead"),
        (None, None, "dead"),
        (None, "89087", "unknown"),
        ("", "89087", "unknown"),
    ],
)
def test_on_linux_the_start_of_the_process_decides(told: str | int | None, start: str | None, judgement: str) -> None:
    assert judge(Record(procStart=told, startedAt=STARTED), start) == judgement


@pytest.mark.parametrize(
    ("start", "judgement"),
    [
        ("1795343680", "alive"),
        ("1795343400", "alive"),
        ("1795343684", "alive"),
        ("1795343700", "dead"),
        ("1795340000", "unknown"),
        ("not a number", "unknown"),
    ],
)
def test_elsewhere_the_times_are_compared_loosely(start: str, judgement: str) -> None:
    assert judge(Record(procStart="Sun Nov 22 10:34:40 2026", startedAt=STARTED), start) == judgement


def test_without_any_time_nothing_is_known_of_a_living_process() -> None:
    assert judge(Record(), "1795343680") == "unknown"


@pytest.mark.parametrize(
    ("domain", "elsewhere"),
    [
        (f"linux:{MACHINE}:{NAMESPACE}", False),
        (f"linux:{MACHINE}:pid:[4026532999]", True),
        (f"linux:{'f' * 32}:{NAMESPACE}", True),
        ("win32:something", False),
        (None, False),
    ],
)
def test_another_machine_or_namespace_is_foreign(domain: str | None, elsewhere: bool) -> None:
    assert foreign(Record(pidDomain=domain), NAMESPACE, MACHINE) is elsewhere


def test_only_what_is_known_here_can_be_compared() -> None:
    record = Record(pidDomain=f"linux:{'f' * 32}:pid:[1]")
    assert not foreign(record, None, None)
    assert foreign(record, "pid:[2]", None)
    assert foreign(record, None, MACHINE)


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("2.1.81", True),
        ("2.1.330", True),
        ("3.0.0", True),
        ("2.1.80", False),
        ("1.0.128", False),
        ("x", False),
        (None, False),
    ],
)
def test_the_register_began_with_one_release(version: str | None, known: bool) -> None:
    assert registers(version) is known


def test_a_given_name_is_a_title_and_a_derived_one_is_not() -> None:
    assert Record(name="My work\x1b", nameSource="user").title == "My work"
    assert Record(name="app-f5", nameSource="derived").title is None
    assert Record(nameSource="user").title is None


def test_a_legacy_record_names_its_session_in_another_way() -> None:
    assert Record(session_id="s").session == "s"
    assert Record().session == ""


def test_a_presence_is_described_by_all_that_may_show() -> None:
    record = Record(status="busy", statusUpdatedAt=1.0)
    words = {
        Presence("absent").word,
        Presence("silent").word,
        Presence("dead", record).word,
        Presence("alive", record).word,
        Presence("alive", Record(status="idle", statusUpdatedAt=1.0)).word,
        Presence("alive", Record(status="busy", statusUpdatedAt=2.0)).word,
        Presence("alive", Record(status="busy", statusUpdatedAt=1.0, name="n", nameSource="user")).word,
    }
    assert len(words) == 7


def test_only_death_and_a_living_clients_status_decide_alone() -> None:
    assert Presence("dead", Record()).decides
    assert Presence("alive", Record(status="idle")).decides
    assert not Presence("alive", Record()).decides
    assert not Presence("unknown", Record(status="idle")).decides
    assert not Presence("absent").decides


@pytest.mark.parametrize("millis", [None, float("nan"), float("inf"), 1e30, -1e30])
def test_milliseconds_that_are_no_time_are_not_known(millis: float | None) -> None:
    assert when_millis(millis) is None


def test_milliseconds_are_counted_from_1970() -> None:
    assert when_millis(NOON * 1000 + 250) == datetime(2026, 11, 22, 12, 0, 0, 250_000, UTC)
