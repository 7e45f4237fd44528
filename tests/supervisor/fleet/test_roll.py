"""The roll of a fleet: what engines tell goes in, events of one board come out. Each test is a transcript."""

from collections.abc import Iterable
from datetime import timedelta

from fleet_told import START, dropped, entry, health_record, key, now, presence, session_record
from msgspec import structs

from bellboard.protocol.event import BoardEvent, HealthChanged
from bellboard.protocol.replica import Replica
from bellboard.supervisor.fleet.engine import Entry
from bellboard.supervisor.fleet.keys import sound
from bellboard.supervisor.fleet.roll import Roll

LAPTOP, TOWER = presence("laptop"), presence("tower")
ONE = session_record("laptop", "one", activity="working")
SAME_ID = session_record("tower", "one", activity="idle")
WELL = health_record("laptop")


def live(*said: Entry, met: Iterable[Entry] = (entry(LAPTOP), entry(TOWER))) -> Roll:
    """A roll that has been told all this."""
    roll = Roll("e")
    for each in met:
        assert roll.meet(each, now()) == []
    for each in said:
        roll.take(each, now())
    roll.whole(now())
    return roll


def words(events: Iterable[BoardEvent]) -> list[tuple[str, ...]]:
    """The events as a transcript."""
    return [
        ("health", event.origin, event.health.status, event.health.reason or "")
        if isinstance(event, HealthChanged)
        else (event.kind, event.origin, event.id)
        for event in events
    ]


def test_two_machines_may_have_a_session_of_the_same_source_and_id() -> None:
    roll = live(entry(ONE), entry(SAME_ID))
    assert {key: (state.host, state.activity) for key, state in roll.sessions.items()} == {
        ("claude@laptop", "one"): ("laptop", "working"),
        ("claude@tower", "one"): ("tower", "idle"),
    }


def test_a_session_goes_through_the_same_events_as_on_its_own_board() -> None:
    roll = live()
    waits = session_record("laptop", "one", version=2, activity="waiting", waiting_for="permission")
    silent = session_record("laptop", "one", version=3, activity="idle", lifecycle="terminal", end_reason="stale")
    again = session_record("laptop", "one", version=4, activity="working")
    ended = session_record("laptop", "one", version=5, activity="terminal", lifecycle="terminal", end_reason="ended")
    told = [event for each in (ONE, waits, waits, silent, again, ended) for event in roll.take(entry(each), now(1))]
    told += roll.take(dropped(ended), now(2))
    assert words(told) == [
        ("discovered", "claude@laptop", "one"),
        ("updated", "claude@laptop", "one"),
        ("stale", "claude@laptop", "one"),
        ("resumed", "claude@laptop", "one"),
        ("terminal", "claude@laptop", "one"),
        ("removed", "claude@laptop", "one"),
    ]
    assert [(event.seq, event.source_seq, event.host) for event in told] == [(n, n, "laptop") for n in range(1, 7)]
    assert roll.sessions == {}


def test_a_replica_that_hears_the_events_has_what_the_roll_has() -> None:
    roll = live(entry(ONE), entry(WELL))
    replica = Replica()
    replica.feed(roll.heartbeat(now()), 0, 0)
    replica.ask(0)
    whole = roll.snapshot()
    fields = {name: getattr(whole, name) for name in ("epoch", "seq", "source_seqs", "sessions", "health")}
    from bellboard.protocol.ask import SnapshotPage

    assert replica.answer(SnapshotPage(request=1, page=0, last=True, **fields), 0, 0) is not None
    for event in (
        *roll.take(entry(SAME_ID), now(1)),
        *roll.take(entry(health_record("tower", source="codex")), now(1)),
        *roll.take(dropped(ONE), now(2)),
        *roll.tick(now(31)),
    ):
        assert replica.feed(event, 1, 0) == event
    assert (replica.phase, replica.sessions, replica.health) == ("live", roll.sessions, roll.health)


def test_a_machine_without_a_sign_of_life_for_thirty_seconds_is_offline_and_keeps_its_sessions() -> None:
    roll = live(entry(ONE), entry(WELL))
    assert words(roll.tick(now(29.9))) == []
    assert words(roll.tick(now(30))) == [
        ("health", "claude@laptop", "offline", "not heard since 2026-11-28 08:00 UTC"),
    ]
    state = roll.health["claude@laptop"]
    assert (state.updated_at, state.pid, state.host) == (START, None, "laptop")
    assert roll.sessions["claude@laptop", "one"].activity == "working"
    assert words(roll.tick(now(60))) == []


def test_a_machine_that_is_back_is_as_it_said_last() -> None:
    roll = live(entry(ONE), entry(WELL))
    roll.tick(now(40))
    assert words(roll.meet(entry(LAPTOP, 41), now(41))) == [("health", "claude@laptop", "healthy", "")]
    assert roll.health["claude@laptop"] == structs.replace(WELL.health, host="laptop")


def test_an_exporter_that_was_ended_is_said_to_be() -> None:
    roll = live(entry(WELL))
    assert words(roll.meet(dropped(LAPTOP, 5), now(5))) == [
        ("health", "claude@laptop", "offline", "its exporter was ended at 2026-11-28 08:00 UTC"),
    ]
    assert roll.health["claude@laptop"].updated_at == START + timedelta(seconds=5)


def test_a_board_that_its_exporter_does_not_hear_is_offline_since_then() -> None:
    roll = live(entry(WELL))
    silent = presence("laptop", heard=False, since=START - timedelta(hours=3))
    assert words(roll.meet(entry(silent, 8), now(8))) == [
        ("health", "claude@laptop", "offline", "its exporter does not hear its board since 2026-11-28 05:00 UTC"),
    ]
    assert roll.health["claude@laptop"].updated_at == START - timedelta(hours=3)


def test_a_machine_that_was_gone_before_is_offline_from_the_first_picture_on() -> None:
    roll = live(entry(ONE), entry(WELL, -7200), met=())
    assert roll.health["claude@laptop"].status == "offline"


def test_a_machine_whose_session_comes_before_its_first_sign_of_life_is_no_moment_offline() -> None:
    roll = live(met=())
    told = [*roll.take(entry(WELL, 1), now(1)), *roll.tick(now(1.5)), *roll.meet(entry(LAPTOP, 2), now(2))]
    assert words(told) == [("health", "claude@laptop", "healthy", "")]


def test_health_that_changes_while_its_machine_is_away_stays_offline() -> None:
    roll = live(entry(WELL))
    roll.tick(now(40))
    assert words(roll.take(entry(health_record("laptop", status="failed", reason="x")), now(41))) == []
    assert roll.health["claude@laptop"].status == "offline"
    assert words(roll.meet(entry(LAPTOP, 42), now(42))) == [("health", "claude@laptop", "failed", "x")]


def test_what_stands_again_after_the_engine_was_away_is_told_as_far_as_it_differs() -> None:
    two = session_record("laptop", "two")
    roll = live(entry(ONE), entry(two), entry(SAME_ID), entry(WELL))
    roll.begin()
    moved = session_record("laptop", "one", version=8, activity="waiting", waiting_for="plan")
    new = session_record("tower", "new")
    told = [*roll.meet(entry(LAPTOP, 99), now(100))]
    for each in (moved, SAME_ID, WELL, new):
        told += roll.take(entry(each), now(100))
    told += roll.whole(now(100))
    assert words(told) == [
        ("updated", "claude@laptop", "one"),
        ("discovered", "claude@tower", "new"),
        ("removed", "claude@laptop", "two"),
    ]


def test_who_has_no_sign_of_life_when_the_engine_is_back_is_offline() -> None:
    roll = live(entry(WELL), entry(health_record("tower")))
    roll.begin()
    told = [*roll.meet(entry(TOWER, 99), now(100)), *roll.take(entry(WELL), now(100))]
    told += [*roll.take(entry(health_record("tower")), now(100)), *roll.whole(now(100))]
    assert words(told) == [("health", "claude@laptop", "offline", "not heard since 2026-11-28 08:00 UTC")]


def test_a_source_that_is_gone_makes_another_epoch_because_no_event_tells_it() -> None:
    roll = live(entry(WELL), entry(ONE))
    before = roll.epoch
    assert words(roll.take(dropped(WELL), now(1))) == []
    assert (roll.epoch == before, roll.health) == (False, {})


def test_what_is_no_record_of_ours_is_left_out_and_counted() -> None:
    foreign = Entry(key="laptop.s.claude.zzz", revision=3, value=b'{"kind":"other"}', at=START)
    later = Entry(key=key(ONE), revision=4, value=b'{"v":2,"kind":"session","session":7}', at=START)
    roll = live(entry(ONE), foreign)
    assert (roll.odd, len(roll.sessions)) == ({foreign.key}, 1)
    assert words(roll.take(later, now(1))) == [("removed", "claude@laptop", "one")]
    assert words(roll.take(entry(ONE), now(2))) == [("discovered", "claude@laptop", "one")]
    assert roll.odd == {foreign.key}
    roll.begin()
    roll.whole(now(3))
    assert roll.odd == set()


def test_a_source_whose_name_would_do_something_to_a_terminal_or_a_path_is_left_out() -> None:
    for name in ("cl\x1b]0;x\x07aude", "a b", "a/b", "a@b", ""):
        session, health = session_record("evil", "one", source=name), health_record("evil", source=name)
        roll = live(entry(session), entry(health))
        assert (roll.sessions, roll.health, roll.odd) == ({}, {}, {key(session), key(health)})


def test_a_machine_cannot_speak_for_another() -> None:
    lie = Entry(key="evil.s.claude.one", revision=3, value=entry(ONE).value, at=START)
    forged = Entry(key="evil", revision=3, value=entry(LAPTOP).value, at=START)
    roll = live(lie, met=[forged])
    assert (roll.sessions, roll.odd) == ({}, {"evil.s.claude.one", "evil"})
    assert roll.meet(Entry(key="evil", revision=4, value=None, at=START), now(1)) == []
    assert roll.odd == {"evil.s.claude.one"}
    roll.begin()
    roll.meet(forged, now(2))
    roll.take(lie, now(2))
    roll.whole(now(2))
    assert roll.odd == {"evil.s.claude.one", "evil"}
    assert [sound(name) for name in ("box-1.example.org", "Büro", "", "a@b", "a/b", "a b", "a\n")] == [
        True,
        True,
        *[False] * 5,
    ]


def test_the_last_hour_of_a_session_is_what_was_heard_here() -> None:
    roll = live(entry(ONE))
    roll.take(entry(session_record("laptop", "one", version=2, message_count=3)), now(60))
    marks = roll.history("claude@laptop", "one", now(90).wall).marks
    assert [(mark.at, mark.activity, mark.messages) for mark in marks] == [
        (now(0).wall + timedelta(seconds=60), "working", 0),
        (now(60).wall, "idle", 3),
    ]
    assert roll.history("claude@tower", "one", now(90).wall).marks == ()
