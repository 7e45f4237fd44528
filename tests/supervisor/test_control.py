"""Commands against a crew without processes: what is said, stored and remembered."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bellboard.protocol.ask import Command, Reply, Verb
from bellboard.protocol.channel import Poll
from bellboard.protocol.order import Downward, Release
from bellboard.protocol.recorder import Note
from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.health import HealthBook
from bellboard.supervisor.clock import Ticks
from bellboard.supervisor.control import Control
from bellboard.supervisor.crew.crew import Crew
from bellboard.supervisor.crew.guard import Guard
from bellboard.supervisor.crew.logbook import Logbook
from bellboard.supervisor.crew.memory import Memory
from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.roster import Roster
from bellboard.supervisor.errors import ConfigError, StorageError, SupervisorError
from bellboard.supervisor.store import Store


class Desk:
    """A control with one source and nothing running."""

    def __init__(self, folder: Path) -> None:
        self.roster, self.store, self.book = Roster(Policy()), Store(str(folder)), HealthBook(Thresholds())
        self.roster.add("claude")
        self.book.open("claude")
        self.left: list[float] = []
        self.said: list[Downward] = []
        self.reloaded: str | SupervisorError = "read again"
        crew = Crew(
            self.roster, Poll(), lambda source, drain: False, lambda source, inc: True, str(folder), Logbook(None)
        )
        guard = Guard(crew, self.book, Memory(), lambda source, message: not self.said.append(message))
        self.control = Control(crew, guard, self.store, self.book, Ticks(0.0), self.left.append, self._reload)

    def _reload(self) -> str:
        if isinstance(self.reloaded, SupervisorError):
            raise self.reloaded
        return self.reloaded

    def say(self, verb: Verb, source: str | None = "claude", handle: str | None = None) -> tuple[bool, str]:
        reply = self.control.obey(Command(request=7, verb=verb, source=source, handle=handle))
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


def test_a_source_that_was_probably_meant_is_named(desk: Desk) -> None:
    said = "unknown source 'cluade': did you mean `claude`? (running: claude)"
    assert desk.say("restart", "cluade") == (False, said)


def test_drain_leaves(desk: Desk) -> None:
    assert desk.say("drain", None) == (True, "ending all workers, then the supervisor")
    assert desk.left == [0.0]


def test_a_session_that_is_set_aside_is_released_by_the_beginning_of_its_id(desk: Desk) -> None:
    for handle in ("abc-1", "abc-2"):
        for _ in range(2):
            desk.roster.quarantine.died("claude", Note("parse", handle, "c", "s"), "crash", "killed by SIGABRT", 1.0)
    refused = "of claude that is set aside begins with"
    assert desk.say("release", handle="x") == (False, f"no session {refused} 'x' (set aside: abc-1, abc-2)")
    assert desk.say("release", handle="abc") == (
        False,
        f"more than one session {refused} 'abc' (set aside: abc-1, abc-2)",
    )
    assert desk.say("release") == (False, f"no session {refused} '' (set aside: abc-1, abc-2)")
    assert desk.say("release", handle="abc-1") == (True, "claude: abc-1 is tried again")
    assert desk.said == [Release(handle="abc-1")]
    assert desk.book.states()[0].quarantined == ("abc-2",)


def test_a_reload_says_what_it_did_and_a_bad_one_changes_nothing(desk: Desk) -> None:
    assert desk.say("reload", None) == (True, "read again")
    desk.reloaded = ConfigError("unknown key `x`")
    assert desk.say("reload", None) == (False, "nothing was changed: unknown key `x`")


NOT_YET = (
    ", but this supervisor alone knows it: it is stored when that works again "
    "(cannot write the database: attempt to write a readonly database)"
)


def test_a_pause_holds_at_once_also_while_nothing_can_be_stored(desk: Desk, tmp_path: Path) -> None:
    desk.store._database.execute("PRAGMA query_only=1")
    assert desk.say("pause") == (True, f"claude is paused until `bellboard ctl resume claude`{NOT_YET}")
    assert (desk.roster.due(0.0), desk.store.paused(), desk.book.states()[0].status) == ([], {"claude"}, "paused")
    with pytest.raises(StorageError):
        desk.store.catch_up()
    desk.store._database.execute("PRAGMA query_only=0")
    desk.store.catch_up()
    desk.store.close()
    with closing(Store(str(tmp_path))) as later:
        assert later.paused() == {"claude"}


def test_what_was_commanded_last_is_what_is_stored_in_the_end(desk: Desk, tmp_path: Path) -> None:
    desk.say("pause")
    desk.store._database.execute("PRAGMA query_only=1")
    assert desk.say("resume") == (True, f"claude goes on{NOT_YET}")
    assert (desk.roster.due(0.0), desk.store.paused()) == (["claude"], set())
    desk.say("pause")
    desk.say("resume")
    desk.store._database.execute("PRAGMA query_only=0")
    desk.store.catch_up()
    desk.store.close()
    with closing(Store(str(tmp_path))) as later:
        assert later.paused() == set()


def test_a_pause_that_is_not_stored_is_trouble_that_health_tells(desk: Desk) -> None:
    desk.store._database.execute("PRAGMA query_only=1")
    desk.say("pause")
    assert desk.book.troubled
