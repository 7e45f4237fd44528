from datetime import UTC, datetime, timedelta, timezone

from bellboard.supervisor.demo.marks import BEGUN, BORN, MS, NOW, PID, SECONDS, Marks, Process, iso, kept

MOMENT = datetime(2026, 11, 20, 10, 0, 0, 5000, tzinfo=UTC)
LATER = MOMENT + timedelta(seconds=2)


def marks() -> Marks:
    return Marks(Process(pid=42, born="9001", begun=1_000))


def test_times_are_those_of_the_act_and_numbers_lose_their_quotation_marks() -> None:
    text = f'{{"at":"{NOW}","ms":"{MS}","s":"{SECONDS}"}}'
    assert marks().fill(text, MOMENT) == '{"at":"2026-11-20T10:00:00.005Z","ms":1795168800005,"s":1795168800}'


def test_the_process_is_the_one_that_plays_the_client() -> None:
    text = f'sessions/{PID}.json {{"pid":"{PID}","procStart":"{BORN}","startedAt":"{BEGUN}"}}'
    assert marks().fill(text, MOMENT) == 'sessions/42.json {"pid":42,"procStart":"9001","startedAt":1000}'


def test_a_mark_with_a_name_stays_what_it_was_at_its_first_use() -> None:
    mine = marks()
    first, second = kept(MS, "msg_1"), kept(MS, "msg_2")
    assert mine.fill(f'"{first}"', MOMENT) == "1795168800005"
    assert mine.fill(f'"{first}" "{second}" "{MS}"', LATER) == "1795168800005 1795168802005 1795168802005"
    assert mine.fill(kept(NOW, "msg_1"), LATER) == "2026-11-20T10:00:02.005Z"


def test_other_braces_are_left_alone() -> None:
    assert marks().fill('{"a":{}} {nowhere} {pid2}', MOMENT) == '{"a":{}} {nowhere} {pid2}'


def test_a_time_is_written_in_utc_whatever_its_zone() -> None:
    assert iso(MOMENT.astimezone(timezone(timedelta(hours=5)))) == "2026-11-20T10:00:00.005Z"
