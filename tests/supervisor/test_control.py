"""Commands against a crew without processes: what is said, stored and remembered."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bellboard.protocol.ask import Command, Reply, Verb
from bellboard.protocol.channel import Poll
from bellboard.supervisor.aggregator.health import HealthBook, Thresholds
from bellboard.supervisor.clock import Ticks
from bellboard.supervisor.control import Control
from bellboard.supervisor.crew.crew import Crew
from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.roster import Roster
from bellboard.supervisor.store import Store


class Desk:
    """A control with one source and nothing running."""

    def __init__(self, folder: Path) -> None:
        self.roster, self.store, self.book = Roster(Policy()), Store(str(folder)), HealthBook(Thresholds())
        self.roster.add("claude")
        self.book.open("claude")
        self.left: list[float] = []
        crew = Crew(self.roster, Poll(), lambda source, drain: False, lambda source, inc: True)
        self.control = Control(crew, self.store, self.book, Ticks(0.0), self.left.append)

    def say(self, verb: Verb, source: str | None = "claude") -> tuple[bool, str]:
        reply = self.control.obey(Command(request=7, verb=verb, source=source))
        assert reply == Reply(request=7, ok=reply.ok, message=reply.message)
        return reply.ok, reply.message


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with closing(made.store):
        yield made


def test_a_pause_is_remembered_until_it_is_taken_back(desk: Desk) -> None:
    assert desk.roster.due(0.0) == ["claude"]
    assert desk.say("pause") == (True, "claude is paused until `bellboard ctl resume claude`")
    assert (desk.roster.due(0.0), desk.store.paused(), desk.book.states()[0].status) == ([], {"claude"}, "paused")
    for verb in ("restart", "reset"):
        assert desk.say(verb) == (True, "claude is paused: `bellboard ctl resume claude` lets it work again")
    assert desk.say("resume") == (True, "claude goes on")
    assert (desk.roster.due(0.0), desk.store.paused(), desk.book.states()[0].status) == (["claude"], set(), "healthy")


def test_a_reset_lets_a_source_start_at_once(desk: Desk) -> None:
    desk.roster.postpone("claude", 0.0, 60.0)
    assert desk.roster.due(0.0) == []
    assert desk.say("reset") == (True, "claude may start at once")
    assert desk.roster.due(0.0) == ["claude"]


@pytest.mark.parametrize("source", [None, "nobody"])
def test_a_source_that_is_not_there_is_said_with_those_that_are(desk: Desk, source: str | None) -> None:
    assert desk.say("restart", source) == (False, f"unknown source {source!r} (running: claude)")


def test_drain_leaves(desk: Desk) -> None:
    assert desk.say("drain", None) == (True, "ending all workers, then the supervisor")
    assert desk.left == [0.0]


def test_a_pause_that_cannot_be_stored_is_refused_and_nothing_is_paused(desk: Desk) -> None:
    desk.store._database.execute("PRAGMA query_only=1")
    ok, message = desk.say("pause")
    assert (ok, desk.roster.due(0.0)) == (False, ["claude"])
    assert message.startswith("cannot write the database")
