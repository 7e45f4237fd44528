from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.protocol.event import Discovered, HealthChanged, Snapshot
from bellboard.protocol.session import Evidence, HealthState, SessionState, Subagent
from bellboard.supervisor.views.board.ink import width_of
from bellboard.supervisor.views.text import (
    age,
    context,
    event_line,
    health_table,
    order,
    plain,
    short,
    table,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def session(name: str = "s", source: str = "claude", **fields: Any) -> SessionState:
    return SessionState(id=name, source=source, **fields)


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (None, "-"),
        (NOW, "0s"),
        (ago(seconds=59.9), "59s"),
        (ago(seconds=60), "1m"),
        (ago(minutes=59), "59m"),
        (ago(hours=1), "1h"),
        (ago(hours=47), "1d"),
        (ago(days=400), "400d"),
        (ago(seconds=-5), "0s"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(then: datetime | None, said: str) -> None:
    assert age(then, NOW) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, "-"),
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (1949, "1.9k"),
        (12_345, "12k"),
        (999_999, "1000k"),
        (1_000_000, "1.0M"),
        (25_500_000, "26M"),
    ],
)
def test_a_number_is_short_and_an_unknown_one_a_dash(count: int | None, said: str) -> None:
    assert short(count) == said


def test_plain_text_has_no_control_characters() -> None:
    assert plain("bell\x07 \x1b[31mred\r\n\u202e grün 🙂") == "bell   [31mred    grün 🙂"
    assert plain(None) == ""


RECORD = Evidence(kind="record", since=ago(seconds=2))


@pytest.mark.parametrize(
    ("fields", "begins", "counts_from"),
    [
        ({}, "·  idle ", "5d"),
        ({"activity": "working"}, "●  working ", "5d"),
        ({"activity": "working", "evidence": Evidence(kind="age")}, "●  working? ", "5d"),
        ({"activity": "terminal", "completed_at": ago(hours=3)}, "-  ended ", "3h"),
        ({"activity": "idle", "lifecycle": "terminal", "end_reason": "stale"}, "-  stale ", "5d"),
        ({"activity": "waiting"}, "○  at the prompt ", "5d"),
        ({"activity": "waiting", "waiting_for": "prompt"}, "○  at the prompt ", "5d"),
        ({"activity": "waiting", "waiting_for": "permission"}, "▲  needs permission ", "2s"),
        ({"activity": "waiting", "waiting_for": "question"}, "▲  asks a question ", "2s"),
        ({"activity": "waiting", "waiting_for": "question", "evidence": None}, "▲  asks a question? ", "5d"),
        ({"activity": "working", "waiting_for": "plan"}, "●  working ", "5d"),
    ],
)
def test_a_line_has_the_signs_words_and_age_of_the_live_board(
    fields: dict[str, Any], begins: str, counts_from: str
) -> None:
    said: dict[str, Any] = {"evidence": RECORD, "last_activity_at": ago(days=5), **fields}
    (_, line) = table([session(**said)], NOW, 160).splitlines()
    assert (line[: len(begins)], f"  {counts_from} " in line) == (begins, True), line


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "-"),
        ({"max_context_tokens": 200_000}, "-"),
        ({"context_tokens": 50_000}, "50k"),
        ({"context_tokens": 50_000, "context_utilization": 0.25, "max_context_from": "reported"}, "50k 25%"),
        ({"context_tokens": 50_000, "context_utilization": 0.25, "max_context_from": "table"}, "50k ~25%"),
        ({"context_tokens": 50_000, "context_utilization": 0.25, "max_context_from": "observed"}, "50k ~25%"),
        ({"context_tokens": 0, "context_utilization": 0.0, "max_context_from": "reported"}, "0 0%"),
    ],
)
def test_a_maximum_that_is_not_the_clients_own_is_marked(fields: dict[str, Any], said: str) -> None:
    assert context(session(**fields)) == said


def test_who_needs_you_comes_first_longest_wait_on_top_then_the_living_then_the_ended() -> None:
    sessions = [
        session("ended", activity="terminal", lifecycle="terminal", last_activity_at=ago(minutes=1)),
        session(
            "stale", activity="waiting", waiting_for="question", lifecycle="terminal", last_activity_at=ago(hours=2)
        ),
        session("old", activity="idle", last_activity_at=ago(hours=1)),
        session("fresh", activity="working", last_activity_at=ago(minutes=1)),
        session("asks", activity="waiting", waiting_for="question", last_activity_at=ago(minutes=2)),
        session("waits", activity="waiting", waiting_for="permission", last_activity_at=ago(hours=9)),
        session("just", activity="waiting", waiting_for="plan", evidence=RECORD, last_activity_at=ago(days=9)),
        session("silent", activity="idle", last_data_received_at=ago(days=1)),
        session("new", activity="idle"),
    ]
    ordered = sorted(sessions, key=lambda each: order(each, NOW))
    assert [each.id for each in ordered] == ["waits", "asks", "just", "new", "fresh", "old", "silent", "ended", "stale"]


SESSIONS = [
    session(
        "abc",
        title="Ring the \x07 bells",
        evidence=Evidence(kind="registry"),
        activity="waiting",
        waiting_for="permission",
        model="claude-opus-4-5-20990101-preview",
        context_tokens=50_000,
        context_utilization=0.25,
        max_context_from="reported",
        message_count=12,
        tool_call_count=1234,
        current_tool="Bash",
        last_activity_at=ago(minutes=3),
        working_dir="/home/anna/projects/bells/",
        subagents=(
            Subagent(id="a", activity="working"),
            Subagent(id="b", activity="working"),
            Subagent(id="c", activity="terminal"),
        ),
    ),
    session("def", "codex", slug="a slug", activity="working", last_activity_at=ago(seconds=5)),
]


def test_the_board_is_a_table() -> None:
    assert table(SESSIONS, NOW, 160).splitlines() == [
        "   STATE             AGENT   MODEL                 CONTEXT  MSG  TOOLS  TOOL NOW  AGE  PROJECT  TITLE",
        "▲  needs permission  claude  claude-opus-4-5-2099  50k 25%  12   1.2k   Bash +2   3m   bells    Ring the   bells",
        "●  working?          codex   -                     -        0    0      -         5s   -        a slug",
    ]


def test_a_session_without_title_and_slug_is_called_by_its_id() -> None:
    assert table([session("abc")], NOW, 160).splitlines()[1].endswith("  abc")


def test_an_empty_table_is_its_head() -> None:
    (head,) = table([], NOW, 160).splitlines()
    assert head.split() == [
        "STATE",
        "AGENT",
        "MODEL",
        "CONTEXT",
        "MSG",
        "TOOLS",
        "TOOL",
        "NOW",
        "AGE",
        "PROJECT",
        "TITLE",
    ]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 300), st.text(), st.text(), st.text(), st.text())
def test_no_line_of_the_table_is_wider_than_the_terminal_whatever_people_pasted(
    width: int, title: str, model: str, folder: str, tool: str
) -> None:
    lines = table(
        [*SESSIONS, session(title=title, model=model, working_dir=folder, current_tool=tool)], NOW, width
    ).split("\n")
    assert len(lines) == 4
    assert all(width_of(line) <= max(width, 40) for line in lines)
    assert all(line.isprintable() for line in lines)


def test_a_title_that_does_not_fit_is_cut_with_a_mark() -> None:
    (_, line) = table([session(title="x" * 300)], NOW, 100).splitlines()
    assert len(line) == 100
    assert line.endswith("x…")


def test_where_there_is_no_room_columns_give_way_before_the_project_and_the_title() -> None:
    head, first, _ = table(SESSIONS, NOW, 80).splitlines()
    assert head == "   STATE             AGENT   CONTEXT  TOOL NOW  AGE  PROJECT  TITLE"
    assert first == "▲  needs permission  claude  50k 25%  Bash +2   3m   bells    Ring the   bells"
    assert table(SESSIONS, NOW, 40).splitlines()[:2] == [
        "   STATE             AGE  TITLE",
        "▲  needs permission  3m   Ring the   be…",
    ]
    assert {width: table(SESSIONS, NOW, width).split("\n")[0].split() for width in (100, 60)} == {
        100: ["STATE", "AGENT", "CONTEXT", "MSG", "TOOLS", "TOOL", "NOW", "AGE", "PROJECT", "TITLE"],
        60: ["STATE", "AGENT", "AGE", "PROJECT", "TITLE"],
    }


def test_what_takes_two_columns_is_counted_so() -> None:
    (_, wide, narrow) = table([session("a", title="鐘" * 40), session("b", title="z" * 80)], NOW, 100).splitlines()
    assert (wide.index("鐘"), wide[-1], len(wide) + wide.count("鐘")) == (narrow.index("z"), "…", 99)
    assert len(narrow) == 100


def test_health_is_a_line_a_source() -> None:
    states = (
        HealthState(source="claude", pid=7, rss_bytes=50 * 2**20, updated_at=ago(minutes=5)),
        HealthState(source="codex", status="degraded", reason="discover failed:\x1b no", restarts=3, unknown_records=2),
        HealthState(source="gemini", reason="not found: looked in ~/.gemini"),
    )
    assert health_table(states, NOW).splitlines() == [
        "claude     healthy   | pid 7 | 50 MB | changed 5m ago",
        "codex      degraded  | discover failed:  no | no worker | 3 restart(s) | 2 unknown record(s)",
        "gemini     healthy   | not found: looked in ~/.gemini | no worker",
    ]
    assert health_table((), NOW) == ""
    assert health_table(states, NOW, 60).splitlines() == [
        "claude     healthy   | pid 7 | 50 MB | changed 5m ago",
        "codex      degraded  | discover failed:  no | no worker | 3",
        "                      restart(s) | 2 unknown record(s)",
        "gemini     healthy   | not found: looked in ~/.gemini | no",
        "                      worker",
    ]


UP = HealthState(source="pi", pid=7, settled=True)


def test_an_event_is_a_line() -> None:
    state = session("abc", title="bel\x07ls", activity="working", current_tool="Bash", message_count=3)
    event = Discovered(epoch="e", seq=1, source="claude", source_seq=1, id="abc", version=1, at=NOW, session=state)
    health = HealthState(source="claude", status="failed", reason="it died\n")
    assert [
        event_line(Snapshot(epoch="e", seq=1, source_seqs={}, sessions=(state, state), health=(health,))),
        event_line(event),
        event_line(HealthChanged(epoch="e", seq=1, source="claude", source_seq=1, at=NOW, health=health)),
        event_line(HealthChanged(epoch="e", seq=1, source="pi", source_seq=1, at=NOW, health=HealthState(source="pi"))),
        event_line(HealthChanged(epoch="e", seq=1, source="pi", source_seq=1, at=NOW, health=UP)),
    ] == [
        "snapshot    2 session(s), 1 source(s)",
        "discovered  claude bel ls: working? Bash, 3 messages",
        "health      claude: failed: it died ",
        "health      pi: healthy, starting",
        "health      pi: healthy, up, pid 7",
    ]
