from datetime import UTC, datetime

import pytest

from bellboard.protocol.event import Snapshot
from bellboard.protocol.session import HealthState, SessionState
from bellboard.supervisor.fleet.engine import Entry
from bellboard.supervisor.fleet.keys import health_key, session_key
from bellboard.supervisor.fleet.reconcile import Verdict, differing, settle
from bellboard.supervisor.fleet.record import Record, SessionRecord, encode
from bellboard.supervisor.fleet.telling import Telling

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = session_key("laptop", "claude", "one")
HEALTH = health_key("laptop", "claude")


def telling(version: int = 5, *, epoch: str = "e", seq: int = 10) -> Telling:
    made = Telling("laptop", "names")
    session = SessionState(id="one", source="claude", version=version)
    health = HealthState(source="claude", pid=1)
    made.whole(Snapshot(epoch=epoch, seq=seq, source_seqs={}, sessions=(session,), health=(health,)), NOW)
    return made


def record(version: int = 5, *, epoch: str = "e", seq: int = 10, title: str | None = None) -> SessionRecord:
    session = SessionState(id="one", source="claude", version=version, title=title)
    return SessionRecord(host="laptop", epoch=epoch, seq=seq, at=NOW, session=session)


def entry(what: Record | bytes | None, key: str = KEY) -> Entry:
    value = what if what is None or isinstance(what, bytes) else encode(what)
    return Entry(key=key, revision=3, value=value, at=NOW)


def test_an_empty_engine_is_given_everything() -> None:
    assert differing({}, telling()) == {KEY, HEALTH}


def test_what_stands_there_already_is_not_written_again() -> None:
    ours = telling()
    stands = {key: entry(each, key) for key, each in ours.records.items()}
    assert differing(stands, telling()) == set()
    assert differing(stands, telling(epoch="another life", seq=2)) == set()


@pytest.mark.parametrize(
    ("theirs", "written"),
    [
        (record(4, seq=9), True),
        (record(6, seq=11), False),  # the same life of the board has said it later
        (record(6, epoch="before"), True),  # the board's knowledge was lost: it is the truth all the same
        (record(4, epoch="before"), True),
        (record(5, epoch="before", title="x"), True),
        (record(5, title="x"), True),  # told at another privacy level
        (b"rubbish", True),
        (None, True),
    ],
)
def test_what_differs_is_written_unless_it_is_newer(theirs: Record | bytes | None, written: bool) -> None:
    assert (KEY in differing({KEY: entry(theirs)}, telling())) is written


@pytest.mark.parametrize(
    ("theirs", "dropped"),
    [
        (record(epoch="before", seq=99), True),
        (record(seq=10), True),
        (record(seq=11), False),  # discovered after our picture was taken
        (b"rubbish", True),
        (None, False),
    ],
)
def test_what_the_board_does_not_have_is_dropped(theirs: Record | bytes | None, dropped: bool) -> None:
    other = session_key("laptop", "claude", "other")
    assert (other in differing({other: entry(theirs, other)}, telling())) is dropped


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        (record(5), None, "write"),
        (record(5), entry(None), "write"),
        (None, None, "leave"),
        (None, entry(None), "leave"),
        (record(5), entry(record(5)), "leave"),
        (record(5), entry(record(6)), "leave"),
        (record(5), entry(record(4)), "write"),
        (record(5), entry(record(6, epoch="other")), "verify"),
        (record(5), entry(b"rubbish"), "verify"),
        (None, entry(record(5)), "write"),
        (None, entry(record(6, seq=11)), "leave"),
        (None, entry(record(5, epoch="other")), "verify"),
    ],
)
def test_who_is_right_when_two_have_written(ours: Record | None, theirs: Entry | None, verdict: Verdict) -> None:
    assert settle(ours, theirs, telling()) == verdict
