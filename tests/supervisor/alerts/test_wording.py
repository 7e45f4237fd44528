from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bellboard.protocol.session import HealthState, SessionState
from bellboard.supervisor.alerts.case import Cause, Retract, Ring, What
from bellboard.supervisor.alerts.settings import Kind
from bellboard.supervisor.alerts.wording import line, notice

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SAID = "please rotate the key hunter2"


def cause(what: What, kind: Kind = "needs-you", since: float | None = 4, **fields: Any) -> Cause:
    session = SessionState(id="4f1", source="claude", title=SAID, working_dir="/srv/webshop", **fields)
    return Cause(kind=kind, what=what, since=None if since is None else NOW - timedelta(seconds=since), subject=session)


@pytest.mark.parametrize(
    ("what", "headline", "text"),
    [
        (cause("permission", current_tool="Bash"), "claude needs permission in webshop", "Bash, 4s ago"),
        (cause("question", since=3600), "claude asks a question in webshop", "1h ago"),
        (cause("plan", since=None), "claude has a plan to approve in webshop", "since a time that is not known"),
        (cause("prompt", kind="turn", current_tool="Bash"), "claude has ended its turn in webshop", "4s ago"),
        (
            Cause(kind="source", what="failed", subject=HealthState(source="codex", reason="it cannot be loaded")),
            "bellboard: codex has failed",
            "it cannot be loaded",
        ),
        (
            Cause(kind="source", what="degraded", subject=HealthState(source="codex")),
            "bellboard: codex is degraded",
            "see `bellboard health`",
        ),
        (
            Cause(kind="board", what="gone", since=NOW - timedelta(seconds=35)),
            "bellboard: the board is not heard",
            "for 35s: is `bellboard run` running?",
        ),
    ],
)
def test_each_kind_is_told_in_its_own_words(what: Cause, headline: str, text: str) -> None:
    told = notice(Ring(key="k", causes=(what,)), NOW, titles=False)
    assert (told.headline, told.text) == (headline, text)
    assert line(told) == f"ring        {headline} - {text}"


def test_who_looks_at_a_fleet_that_is_not_heard_is_told_which() -> None:
    gone = Cause(kind="board", what="gone", since=NOW - timedelta(seconds=35))
    told = notice(Ring(key="k", causes=(gone,)), NOW, titles=False, fleet="nats://host:4222")
    assert told.text == "for 35s: is the fleet at nats://host:4222 running, and reached from here?"


def test_a_title_is_told_only_where_it_was_asked_for() -> None:
    ring = Ring(key="k", causes=(cause("permission"),))
    assert "hunter2" not in notice(ring, NOW, titles=False).json().decode()
    assert notice(ring, NOW, titles=True).text == f"4s ago\n{SAID}"


def test_a_summary_counts_and_lists_the_longest_waits_first() -> None:
    causes = tuple(cause("permission", since=60 * number) for number in range(1, 9))
    told = notice(Ring(key="summary", causes=causes), NOW, titles=True)
    assert told.headline == "8 sessions need you"
    assert told.text.splitlines() == [
        *(f"claude: permission in webshop ({minutes}m)" for minutes in (8, 7, 6, 5, 4)),
        "and 3 more",
    ]
    mixed = notice(Ring(key="summary", causes=(cause("plan"), cause("prompt", kind="turn"))), NOW, titles=False)
    assert mixed.headline == "1 session needs you, 1 at the end of a turn"


def test_a_program_gets_all_of_it_as_one_line_of_json() -> None:
    told = notice(Ring(key="session/claude/4f1", causes=(cause("permission", current_tool="Bash"),)), NOW, titles=False)
    assert told.json().count(b"\n") == 1
    assert msgspec.json.decode(told.json()) == {
        "schema_version": 1,
        "action": "ring",
        "key": "session/claude/4f1",
        "at": "2026-01-02T03:04:05Z",
        "headline": "claude needs permission in webshop",
        "text": "Bash, 4s ago",
        "urgency": "normal",
        "subjects": [
            {
                "kind": "needs-you",
                "what": "permission",
                "source": "claude",
                "id": "4f1",
                "project": "webshop",
                "tool": "Bash",
                "title": None,
                "reason": None,
                "since": "2026-01-02T03:04:01Z",
                "age_seconds": 4.0,
            }
        ],
    }


def test_taking_back_names_the_key_alone() -> None:
    told = notice(Retract(key="session/claude/4f1"), NOW, titles=True)
    assert (told.action, told.key, told.headline, told.subjects) == ("retract", "session/claude/4f1", "", ())
    assert line(told) == "over        session/claude/4f1"


def test_the_end_of_a_turn_is_less_urgent_than_a_request() -> None:
    turn, request = cause("prompt", kind="turn"), cause("plan")
    urgencies = [notice(Ring(key="k", causes=each), NOW, titles=False).urgency for each in ((turn,), (turn, request))]
    assert urgencies == ["low", "normal"]


def test_what_agents_write_cannot_steer_a_terminal() -> None:
    hostile = SessionState(
        id="a", source="pi", title="\x1b]52;c;x\a\nx", working_dir="/srv/\x1b[2Jshop", current_tool="Ba\x07sh\n"
    )
    told = notice(
        Ring(key="k", causes=(Cause(kind="needs-you", what="permission", subject=hostile),)), NOW, titles=True
    )
    assert told.headline + told.text == (
        "pi needs permission in  [2JshopBa sh , since a time that is not known\n ]52;c;x  x"
    )
