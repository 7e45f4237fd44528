import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bellboard.protocol import Evidence, Subagent
from bellboard.sources.contract import SessionHandle, SourceUpdate
from bellboard.sources.hearing import UNWATCHED_SECONDS, Hearing
from bellboard.sources.spool import Spool

HANDLE = SessionHandle(id="one", path="/one", source="toy")
BUSY = Evidence(kind="record", detail="the turn has not ended")


def at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def working(second: float, **more: object) -> SourceUpdate:
    return SourceUpdate(session_id="one", activity="working", evidence=BUSY, last_activity_at=at(second), **more)  # type: ignore[arg-type]


class Script:
    """A source that says what it was given, one update a step."""

    name = "toy"

    def __init__(self, *updates: SourceUpdate) -> None:
        self._updates = updates

    def discover(self) -> list[SessionHandle]:
        return [HANDLE]

    def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
        assert handle == HANDLE
        step = int(cursor or 0)
        return (self._updates[step], str(step + 1)) if step < len(self._updates) else (None, cursor)


class Ear:
    """Says words into a spool and reads one session to its end, like a worker that may be restarted at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cursor = folder, ""

    def say(self, kind: str, second: float) -> None:
        with (self.folder / "toy.jsonl").open("a") as file:
            file.write(json.dumps({"agent": "toy", "session": "one", "kind": kind, "at": second}) + "\n")

    def hear(self, updates: Sequence[SourceUpdate]) -> list[tuple[object, object]]:
        source = Hearing(Script(*updates), Spool("toy", str(self.folder)))
        list(source.discover())
        said: list[tuple[object, object]] = []
        while True:
            update, after = source.parse(HANDLE, self.cursor)
            if update is not None:
                said.append((update.activity, update.waiting_for))
            if after == self.cursor:
                return said
            self.cursor = after


def test_without_hooks_a_source_says_what_it_says(tmp_path: Path) -> None:
    ear = Ear(tmp_path / "missing")
    assert [activity for activity, _ in ear.hear([working(10)])] == ["working"]
    assert ear.hear([working(10)]) == []


def test_a_hook_that_is_younger_than_the_records_is_right_and_said_once(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    ear.hear([working(10)])
    ear.say("permission", 11)
    assert ear.hear([working(10)]) == [("waiting", "permission")]
    assert ear.hear([working(10)]) == []
    ear.say("working", 15)
    assert ear.hear([working(10)]) == [("working", None)]


def test_records_that_are_younger_than_the_hook_are_right(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    ear.say("permission", 11)
    (first,) = ear.hear([working(10)])
    assert first == ("waiting", "permission")
    (second,) = ear.hear([working(10), working(20)])
    assert second[0] == "working"


def test_a_hook_keeps_its_word_against_the_record_of_the_same_moment(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    ear.say("permission", 11)
    assert ear.hear([working(11.4)]) == [("waiting", "permission")]


def test_the_clients_registry_is_right_as_soon_as_it_is_younger(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    ear.say("permission", 11)
    registry = Evidence(kind="registry", detail="the client's registry says busy", since=at(11.5))
    update = SourceUpdate(
        session_id="one", activity="working", waiting_for=None, evidence=registry, last_activity_at=at(10)
    )
    assert ear.hear([update]) == [("working", None)]


def test_an_end_that_a_hook_told_is_terminal_and_a_dead_process_stays_dead(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    ear.hear([working(10)])
    ear.say("end", 12)
    assert ear.hear([working(10)]) == [("terminal", None)]

    other = Ear(tmp_path)
    gone = SourceUpdate(session_id="one", activity="terminal", terminal=True, evidence=BUSY, last_activity_at=at(10))
    (said,) = other.hear([gone])
    assert said[0] == "terminal"


def test_a_request_that_was_refused_at_once_is_over(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    ear.hear([working(10)])
    ear.say("permission", 11)
    assert ear.hear([working(10)]) == [("waiting", "permission")]
    over = SourceUpdate(
        session_id="one", activity="waiting", waiting_for="prompt", evidence=BUSY, last_activity_at=at(11.5)
    )
    assert ear.hear([working(10), over]) == [("waiting", "prompt")]


def test_a_request_that_the_source_sees_itself_is_seen_more_exactly(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    tool = Evidence(kind="tool", detail="AskUserQuestion has no result yet")
    asks = SourceUpdate(
        session_id="one", activity="waiting", waiting_for="question", evidence=tool, last_activity_at=at(10)
    )
    ear.say("permission", 12)
    assert ear.hear([asks]) == [("waiting", "question")]
    ear.say("permission", 18)
    assert ear.hear([asks]) == []


def test_against_a_living_registry_only_a_request_counts(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    registry = Evidence(kind="registry", detail="the client's registry says busy", since=at(11))
    busy = SourceUpdate(session_id="one", activity="working", evidence=registry, last_activity_at=at(10))
    assert ear.hear([busy])[0][0] == "working"
    ear.say("prompt", 12)
    assert ear.hear([busy]) == []
    ear.say("permission", 13)
    assert ear.hear([busy]) == [("waiting", "permission")]


def test_the_end_of_a_turn_is_not_the_end_while_subagents_work(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    helper = Subagent(id="h", activity="working")
    ear.hear([working(10, subagents=(helper,))])
    ear.say("prompt", 12)
    assert ear.hear([working(10, subagents=(helper,))]) == []


class Runs(Script):
    """A source whose agent's commands can be seen: `began` is when the one that runs now began."""

    began: float | None = None

    def acting(self, session: str, since: float) -> float | None:
        assert session == "one"
        return self.began if self.began is not None and self.began >= since else None


def test_a_permission_was_given_when_its_command_runs(tmp_path: Path) -> None:
    ear = Ear(tmp_path)
    inner = Runs(working(10))
    source = Hearing(inner, Spool("toy", str(tmp_path)))
    ear.say("permission", 11)
    source.discover()
    asked, cursor = source.parse(HANDLE, "")
    assert asked is not None
    assert (asked.activity, asked.waiting_for) == ("waiting", "permission")
    assert source.pulse() == []

    inner.began = 15
    assert source.pulse() == [HANDLE]
    given, cursor = source.parse(HANDLE, cursor)
    assert given is not None
    assert (given.activity, given.waiting_for) == ("working", None)
    assert given.evidence == Evidence(kind="process", detail="the permission was given: its command runs", since=at(15))
    assert source.pulse() == []
    assert source.parse(HANDLE, cursor) == (None, cursor)

    inner.began = None  # it has ended; the record of that is on its way
    assert source.parse(HANDLE, cursor) == (None, cursor)
    ear.say("permission", 20)
    assert source.pulse() == [HANDLE]
    again, _ = source.parse(HANDLE, cursor)
    assert again is not None
    assert again.waiting_for == "permission"


def test_a_word_wakes_exactly_the_session_it_speaks_of(tmp_path: Path) -> None:
    source = Hearing(Script(working(10)), Spool("toy", str(tmp_path)))
    source.parse(HANDLE, "")
    assert source.pulse() == []
    ear = Ear(tmp_path)
    ear.say("permission", 11)
    assert source.touched([str(tmp_path / "toy.jsonl")]) == [HANDLE]
    assert source.pulse() == []
    assert str(tmp_path) in source.watch()


def test_a_spool_that_was_begun_anew_is_read_anew_and_garbage_in_it_is_passed_over(tmp_path: Path) -> None:
    spool = Spool("toy", str(tmp_path))
    ear = Ear(tmp_path)
    ear.say("permission", 11)
    assert spool.refresh() == {"one"}
    (tmp_path / "toy.jsonl").unlink()
    (tmp_path / "toy.jsonl").write_text('garbage\n{"session": 3}\n{"session":"one","kind":"dance","at":1}\n')
    ear.say("prompt", 12)
    assert spool.refresh() == {"one"}
    word = spool.last("one")
    assert word is not None
    assert (word.kind, word.at) == ("prompt", 12)


def test_where_a_hook_has_spoken_the_next_discover_gives_no_stamp_that_says_nothing_is_new(tmp_path: Path) -> None:
    class Stamped(Script):
        def discover(self) -> list[SessionHandle]:
            return [SessionHandle(id="one", path="/one", source="toy", stamp="1")]

        def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
            assert handle.id == "one"
            return super().parse(HANDLE, cursor)

    ear = Ear(tmp_path)
    source = Hearing(Stamped(working(10)), Spool("toy", str(ear.folder)))
    (handle,) = source.discover()
    source.parse(handle, "")
    assert [each.stamp for each in source.discover()] == ["1"]
    ear.say("permission", 11)
    assert [each.stamp for each in source.discover()] == [""]
    assert [each.stamp for each in source.discover()] == ["1"]


class Restful(Script):
    """A source that nothing but a change of its files can move."""

    def watch(self) -> list[str]:
        return []

    def touched(self, paths: Sequence[str]) -> list[SessionHandle]:
        return [HANDLE] if paths else []

    def pulse(self) -> list[SessionHandle]:
        return []

    def rest(self) -> float:
        return math.inf


def test_it_rests_as_its_source_does_but_looks_now_and_then_for_the_first_hook_of_all(tmp_path: Path) -> None:
    assert Hearing(Script(), Spool("toy", str(tmp_path))).rest() == 0.0, "a source that does not say may always move"
    assert Hearing(Restful(), Spool("toy", str(tmp_path))).rest() == math.inf
    assert Hearing(Restful(), Spool("toy", str(tmp_path / "later"))).rest() == UNWATCHED_SECONDS
