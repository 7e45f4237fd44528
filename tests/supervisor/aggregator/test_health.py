from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from bellboard.protocol.session import HealthState
from bellboard.protocol.update import Beat, Fault
from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.health import HealthBook
from bellboard.supervisor.crew.death import Death

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)


def opened(*sources: str, degraded: int = 1, failed: int = 5) -> HealthBook:
    """A book with pages for these sources (or one for claude), whose first news are read."""
    book = HealthBook(Thresholds(degraded=degraded, failed=failed))
    for source in sources or ("claude",):
        book.open(source)
    book.news(AT)
    return book


def beat(*, passes: int = 0, failing: int = 0, discover_failures: int = 0, lag_seconds: float | None = None) -> Beat:
    return Beat(
        progress=1,
        phase="watching",
        passes=passes,
        failing=failing,
        discover_failures=discover_failures,
        lag_seconds=lag_seconds,
    )


def judged(book: HealthBook, source: str = "claude") -> tuple[str, str | None]:
    (state,) = [each for each in book.states() if each.source == source]
    return state.status, state.reason


def test_a_new_page_is_healthy_and_news_once() -> None:
    book = HealthBook(Thresholds())
    book.open("claude")
    book.open("claude")
    assert book.news(AT) == [HealthState(source="claude", updated_at=AT)]
    assert book.news(LATER) == []
    assert book.states() == (HealthState(source="claude", updated_at=AT),)


def test_states_and_news_are_by_name() -> None:
    book = HealthBook(Thresholds())
    for source in ("gemini", "claude", "codex"):
        book.open(source)
    assert [state.source for state in book.states()] == ["claude", "codex", "gemini"]
    assert [state.source for state in book.news(AT)] == ["claude", "codex", "gemini"]


def test_news_are_the_sources_of_which_something_changed() -> None:
    book = opened("claude", "codex")
    book.started("codex", 7, 1)
    assert book.news(LATER) == [HealthState(source="codex", pid=7, incarnation=1, updated_at=LATER)]
    assert book.news(LATER) == []


def test_memory_load_and_lag_are_shown_but_are_no_news() -> None:
    book = opened()
    book.started("claude", 7, 1)
    book.beat("claude", beat(passes=1))
    book.news(AT)
    book.measured("claude", 1000, 2.5)
    book.beat("claude", beat(passes=2, lag_seconds=0.25))
    assert book.news(LATER) == []
    shown = HealthState(source="claude", pid=7, incarnation=1, updated_at=AT, settled=True)
    assert book.states() == (structs.replace(shown, rss_bytes=1000, cpu_percent=2.5, lag_seconds=0.25),)


def test_that_all_was_read_once_is_news_and_holds_until_another_worker_begins() -> None:
    book = opened()
    book.started("claude", 7, 1)
    book.beat("claude", beat())
    assert [state.settled for state in book.news(AT)] == [False]
    book.beat("claude", beat(passes=1))
    assert [state.settled for state in book.news(AT)] == [True]
    book.ended("claude", None, progressed=True)
    book.started("claude", 8, 2)
    assert [state.settled for state in book.news(LATER)] == [False]


def test_how_many_sessions_are_too_old_is_told_and_news() -> None:
    book = opened()
    book.beat("claude", Beat(progress=1, phase="watching", left_out=2))
    assert [state.left_out for state in book.news(AT)] == [2]
    book.beat("claude", Beat(progress=2, phase="watching", left_out=2))
    assert book.news(AT) == []


def test_where_an_agents_files_are_is_said_and_why_there() -> None:
    book = HealthBook(Thresholds(), "/home/anna")
    book.open("claude")
    book.place("claude", "/home/anna/.claude", "default")
    state = book.states()[0]
    assert (state.home, state.home_from) == ("~/.claude", "default")


def test_a_worker_that_dies_without_getting_anywhere_is_degraded_then_failed_and_healthy_after_a_pass() -> None:
    book = opened(failed=3)
    seen: list[tuple[str, str | None]] = []
    for inc in (1, 2, 3):
        book.started("claude", 100 + inc, inc)
        book.ended("claude", Death("killed by SIGSEGV", "crash"), progressed=False)
        seen.append(judged(book))
    assert seen == [
        ("degraded", "the worker died and is starting again: killed by SIGSEGV"),
        ("degraded", "the worker died and is starting again: killed by SIGSEGV"),
        ("failed", "the worker died 3 times without getting anywhere: killed by SIGSEGV"),
    ]

    book.started("claude", 104, 4)
    book.beat("claude", beat())
    assert judged(book)[0] == "failed"
    book.beat("claude", beat(passes=1))
    assert book.news(LATER) == [
        HealthState(
            source="claude",
            pid=104,
            incarnation=4,
            restarts=3,
            last_error="killed by SIGSEGV",
            updated_at=LATER,
            settled=True,
        )
    ]


def test_a_death_after_progress_begins_a_new_row() -> None:
    book = opened(failed=2)
    for _ in range(5):
        book.ended("claude", Death("exit code 1", "crash"), progressed=True)
        assert judged(book)[0] == "degraded"
    book.ended("claude", Death("exit code 1", "crash"), progressed=False)
    assert judged(book) == ("failed", "the worker died 2 times without getting anywhere: exit code 1")
    (state,) = book.states()
    assert state.restarts == 6


def test_an_end_that_was_asked_for_is_no_failure() -> None:
    book = opened()
    book.started("claude", 7, 1)
    book.measured("claude", 1000, 2.5)
    book.ended("claude", None, progressed=False)
    assert book.states() == (HealthState(source="claude", incarnation=1, updated_at=AT),)


def test_thresholds_say_how_many_failures_in_a_row_matter() -> None:
    book = opened(degraded=2, failed=3)
    found: list[str] = []
    for failures in (1, 2, 3, 0):
        book.fault("claude", Fault(scope="discover", code="OSError", detail="no permission"))
        book.beat("claude", beat(discover_failures=failures))
        found.append(judged(book)[0])
    assert found == ["healthy", "degraded", "failed", "healthy"]
    (state,) = book.states()
    assert (state.discover_failures, state.last_error) == (4, "no permission")


def test_failing_discover_is_said_with_its_error() -> None:
    book = opened(failed=2)
    book.fault("claude", Fault(scope="discover", code="OSError", detail="no permission"))
    book.beat("claude", beat(discover_failures=1))
    assert judged(book) == ("degraded", "discover failed: no permission")
    book.beat("claude", beat(discover_failures=2))
    assert judged(book) == ("failed", "discover has failed 2 times in a row: no permission")


def test_a_completed_pass_does_not_end_a_row_of_deaths_while_discover_fails() -> None:
    book = opened()
    book.ended("claude", Death("exit code 1", "crash"), progressed=False)
    book.beat("claude", beat(passes=1, discover_failures=1))
    assert judged(book) == ("degraded", "the worker died and is starting again: exit code 1")
    book.beat("claude", beat(passes=1))
    assert judged(book) == ("healthy", None)


def test_sessions_that_cannot_be_read_degrade_a_source_until_they_can() -> None:
    book = opened()
    book.fault("claude", Fault(scope="handle", handle="h", code="ValueError", detail="ValueError at x.py:3"))
    book.beat("claude", beat(passes=1, failing=2))
    assert judged(book) == ("degraded", "2 session(s) cannot be read: ValueError at x.py:3")
    book.beat("claude", beat(passes=2))
    assert judged(book) == ("healthy", None)
    (state,) = book.states()
    assert (state.parse_failures, state.discover_failures) == (1, 0)


def test_a_source_that_cannot_be_loaded_has_failed_until_it_gets_through_a_pass() -> None:
    book = opened()
    book.fault("claude", Fault(scope="source", code="not loadable", detail="ModuleNotFoundError"))
    assert judged(book) == ("failed", "the source cannot be loaded: ModuleNotFoundError")
    book.ended("claude", Death("exit code 1", "crash"), progressed=False)
    book.started("claude", 8, 2)
    assert judged(book) == ("failed", "the source cannot be loaded: ModuleNotFoundError")
    book.beat("claude", beat(passes=1))
    assert judged(book) == ("healthy", None)


def test_a_bad_record_is_told_but_degrades_nothing() -> None:
    book = opened()
    book.fault("claude", Fault(scope="record", code="malformed", detail="unreadable message: x"))
    assert book.news(LATER) == [HealthState(source="claude", last_error="unreadable message: x", updated_at=LATER)]


def test_unknown_records_are_counted_and_alone_degrade_nothing() -> None:
    book = opened()
    book.unknown("claude", 3, "2.1.330", AT)
    book.unknown("claude", 4, None, LATER)
    assert book.news(LATER) == [
        HealthState(source="claude", unknown_records=7, unknown_since=AT, unknown_client="2.1.330", updated_at=LATER)
    ]


def test_an_agent_that_is_not_installed_is_healthy_and_says_where_it_was_looked_for() -> None:
    book = opened()
    book.started("claude", 7, 1)
    book.absent("claude", ("/home/anna/.claude", "/opt/claude"))
    book.ended("claude", None, progressed=False)
    assert judged(book) == ("healthy", "not found: looked in ~/.claude, /opt/claude")
    book.started("claude", 8, 2)
    assert judged(book) == ("healthy", None)


def test_a_folder_that_somebody_named_and_that_is_not_there_is_a_trouble_until_it_is_found_or_another_is_named() -> (
    None
):
    book = opened()
    book.place("claude", "/nowhere", "configuration", named=True)
    book.absent("claude", ("/nowhere",))
    assert judged(book) == ("degraded", "not found: looked in /nowhere")
    assert book.settled("claude")
    book.started("claude", 8, 2)
    assert judged(book) == ("healthy", None)
    book.absent("claude", ("/nowhere",))
    book.place("claude", "/elsewhere", "configuration", named=True)
    assert (judged(book), book.states()[0].absent) == (("healthy", None), ())
    book.place("claude", "~/.claude", "default")
    book.absent("claude", ("~/.claude",))
    assert judged(book) == ("healthy", "not found: looked in ~/.claude")


def test_paused_outweighs_everything_and_what_was_below_it_comes_back() -> None:
    book = opened()
    book.fault("claude", Fault(scope="source", code="not loadable", detail="ImportError"))
    book.paused("claude", paused=True)
    assert judged(book) == ("paused", "paused by command")
    book.paused("claude", paused=False)
    assert judged(book) == ("failed", "the source cannot be loaded: ImportError")


def test_a_store_that_does_not_work_degrades_every_source_that_has_not_failed() -> None:
    book = opened("claude", "codex", "gemini")
    book.fault("codex", Fault(scope="source", code="not loadable", detail="ImportError"))
    book.paused("gemini", paused=True)
    book.news(AT)
    book.storage("cannot write the database: disk full in /home/anna")
    assert [(state.source, state.status, state.reason) for state in book.news(LATER)] == [
        ("claude", "degraded", "nothing can be stored: cannot write the database: disk full in ~")
    ]
    book.storage(None)
    assert [(state.source, state.status, state.reason) for state in book.news(LATER)] == [("claude", "healthy", None)]


@pytest.mark.parametrize("scope", ["source", "discover", "handle", "record"])
def test_what_a_worker_says_went_wrong_is_redacted(scope: str) -> None:
    book = opened()
    detail = "no \x1b[31m/home/anna/.claude/projects/secret/file.jsonl\nsecond line"
    book.fault("claude", Fault(scope=scope, code="x", detail=detail))  # type: ignore[arg-type]
    (state,) = book.states()
    assert state.last_error == "no  [31m~/.claude/..."
    assert "anna" not in (state.reason or "")


def test_how_a_worker_ended_is_redacted() -> None:
    book = opened()
    book.ended("claude", Death("cannot read /root/.claude\x00", "crash"), progressed=False)
    (state,) = book.states()
    assert state.last_error == "cannot read ~/.claude "


def test_the_users_own_home_is_redacted_wherever_it_is() -> None:
    book = HealthBook(Thresholds(), "/data/anna")
    book.open("claude")
    book.fault("claude", Fault(scope="source", code="x", detail="no /data/anna/.claude"))
    assert judged(book) == ("failed", "the source cannot be loaded: no ~/.claude")
    book.storage("no room in /data/anna")
    book.started("claude", 7, 1)
    book.beat("claude", beat(passes=1))
    assert judged(book) == ("degraded", "nothing can be stored: no room in ~")


def test_a_source_is_settled_when_it_has_shown_all_or_never_will() -> None:
    book = opened("passed", "reading", "absent", "failed", "paused", "dying", failed=2)
    book.beat("passed", beat(passes=1))
    book.beat("reading", beat())
    book.absent("absent", ())
    book.fault("failed", Fault(scope="source", code="x", detail="x"))
    book.paused("paused", paused=True)
    book.ended("dying", Death("exit code 1", "crash"), progressed=False)
    assert {
        source for source in ("passed", "reading", "absent", "failed", "paused", "dying") if book.settled(source)
    } == {
        "passed",
        "absent",
        "failed",
        "paused",
    }
    book.ended("dying", Death("exit code 1", "crash"), progressed=False)
    assert book.settled("dying")
    book.started("passed", 9, 2)
    assert not book.settled("passed")


def test_the_users_own_home_is_written_as_a_tilde_wherever_it_is() -> None:
    book = HealthBook(Thresholds(), "/srv/people/anna")
    book.open("claude")
    book.absent("claude", ("/srv/people/anna/.claude", "/srv/people/anna/.local/share/opencode"))
    assert book.states()[0].reason == "not found: looked in ~/.claude, ~/.local/share/opencode"


def test_that_an_agent_is_not_installed_is_one_piece_of_news() -> None:
    book = HealthBook(Thresholds())
    book.open("codex")
    book.started("codex", 7, 1)
    book.news(AT)
    book.absent("codex", ("/opt/codex",))
    (news,) = book.news(AT)
    assert (news.pid, news.reason) == (None, "not found: looked in /opt/codex")
    book.ended("codex", None, progressed=False)
    assert book.news(AT) == []
