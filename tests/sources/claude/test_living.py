"""Living clients: their register and their processes, with a table in place of the machine's own."""

import json
import math
import os
import time
from pathlib import Path

import pytest
from claude_home import MACHINE, NOON, OTHER, SESSION, Desk, Table, answer, call, note, prompt

from bellboard.sources.claude import ClaudeSource
from bellboard.sources.claude.living import machine_id

NEW = "2.1.330"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home", Table(pid4242="777"))


def shown(desk: Desk, session: str = SESSION) -> tuple[str, str | None, str | None]:
    """Return activity, whom it waits for, and why it ended."""
    facts = desk.read()[session]
    return facts["activity"], facts["waiting_for"], facts["end_reason"]


def test_a_session_goes_on_under_the_registers_word_until_its_process_is_gone(desk: Desk) -> None:
    desk.write(prompt(at=0, version=NEW), answer("m", call(name="Write"), stop="tool_use", at=1, version=NEW))
    desk.record(status="busy")
    assert shown(desk) == ("working", None, None)
    assert desk.board[SESSION]["current_tool"] == "Write"

    desk.record(status="waiting", waitingFor="permission prompt")
    assert shown(desk) == ("waiting", "permission", None)
    assert desk.board[SESSION]["current_tool"] == "Write"

    desk.record(status="idle")
    assert shown(desk) == ("waiting", "prompt", None)
    assert desk.board[SESSION]["current_tool"] is None

    desk.table.living.clear()
    desk.now += 100
    assert shown(desk) == ("terminal", None, "process gone")
    assert desk.board[SESSION]["terminal"] is True
    assert desk.board[SESSION]["ended_at"].timestamp() == desk.now

    desk.now += 100
    count = len(desk.board.updates)
    assert shown(desk) == ("terminal", None, "process gone")
    assert desk.board[SESSION]["ended_at"].timestamp() == desk.now - 100
    assert len(desk.board.updates) == count
    assert desk.board[SESSION]["message_count"] == 2


def test_what_made_a_handle_is_looked_at_again_to_parse_it_only_after_a_moment(desk: Desk) -> None:
    desk.write(prompt(at=0, version=NEW), answer("m", stop="end_turn", at=1, version=NEW))
    desk.record(status="busy")
    source = desk.source()
    (handle,) = source.discover()
    desk.record(status="waiting", waitingFor="permission prompt")
    desk.now += 0.01
    assert desk.read(source, [handle])[SESSION]["activity"] == "working"  # as it was when the handle was made

    (handle,) = source.discover()
    assert not desk.cursors[SESSION].startswith(handle.stamp)  # so it is not passed over
    desk.record(status="idle")
    desk.now += 1
    assert desk.read(source, [handle])[SESSION]["waiting_for"] == "prompt"  # as it is now


def test_what_was_read_anew_is_not_taken_back_by_an_older_look(desk: Desk) -> None:
    desk.write(prompt(version=NEW), answer(version=NEW))
    desk.record(status="busy")
    source = desk.source()
    desk.read(source)
    told = len(desk.board.updates)
    desk.now += 1
    desk.record(status="idle")
    desk.write(note("mode"))
    desk.read(source, list(source.touched([str(desk.path())])))  # which is parsed twice: until nothing is new
    assert [(update.activity, update.waiting_for) for update in desk.board.updates[told:]] == [("waiting", "prompt")]


def test_a_session_whose_record_went_while_another_one_was_parsed_is_told_of_with_the_next_change(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    desk.write(prompt(version=NEW), path=desk.path(OTHER))
    record = desk.record(status="busy")
    source = desk.source()
    desk.read(source)
    desk.now += 1
    desk.table.living[5] = "9"
    record.unlink()
    other = desk.record(OTHER, pid=5, procStart="9", status="busy")
    desk.read(source, [desk.hand(OTHER)])  # for which the register is read
    desk.read(source, list(source.touched([str(record), str(other)])))
    assert desk.board[SESSION]["end_reason"] == "closed"


def test_an_old_handle_is_as_good_as_a_new_one(desk: Desk) -> None:
    desk.write(prompt(version=NEW), answer("m", call(name="Agent"), version=NEW))
    source = desk.source()
    (handle,) = source.discover()
    desk.write(prompt("Count", agentId="a1", isSidechain=True), path=desk.agent("a1"))
    desk.now += 1
    source.touched([])  # something else has been looked at since
    assert [each.id for each in desk.read(source, [handle])[SESSION]["subagents"]] == ["a1"]


def test_a_clean_end_of_which_the_pulse_sees_the_process_first_is_a_clean_end(desk: Desk) -> None:
    desk.write(prompt(version=NEW), answer(version=NEW))
    record = desk.record()
    source = desk.source()
    desk.read(source)
    told = len(desk.board.updates)
    record.unlink()
    desk.table.living.clear()
    desk.now += 0.01  # the register was read a moment ago
    desk.read(source, list(source.pulse()))
    assert [update.end_reason for update in desk.board.updates[told:]] == ["closed"]


def test_a_session_that_is_resumed_is_not_said_to_be_over_because_the_register_was_read_before(desk: Desk) -> None:
    desk.write(prompt(version=NEW), answer(version=NEW))
    (desk.root / "sessions").mkdir()
    source = desk.source()
    assert desk.read(source)[SESSION]["end_reason"] == "closed"
    told = len(desk.board.updates)
    desk.record(status="busy")
    desk.write(prompt("again", at=31, version=NEW))
    desk.now += 0.01
    desk.read(source, list(source.touched([str(desk.path())])))  # of the register nobody told
    assert [update.activity for update in desk.board.updates[told:]] == ["working"]


def test_a_session_that_was_never_seen_alive_ended_with_its_last_row(desk: Desk) -> None:
    desk.write(prompt(at=0, version=NEW))
    desk.record(procStart="1")
    assert shown(desk) == ("terminal", None, "process gone")
    assert desk.board[SESSION]["ended_at"].timestamp() == NOON


def test_a_record_that_is_gone_is_a_clean_end_and_a_new_one_a_return(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    record = desk.record(status="idle")
    assert shown(desk) == ("waiting", "prompt", None)
    record.unlink()
    assert shown(desk) == ("terminal", None, "closed")
    desk.table.living[5] = "9"
    desk.record(pid=5, procStart="9", status="busy")
    assert shown(desk) == ("working", None, None)
    assert (desk.board[SESSION]["terminal"], desk.board[SESSION]["ended_at"]) == (False, None)


def test_clearing_ends_one_session_and_begins_another_in_the_same_process(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    desk.record(status="idle")
    desk.read()
    source = desk.source()
    source.discover()

    record = desk.record(OTHER, status="idle")
    handles = source.touched([str(record)])
    assert {handle.id for handle in handles} == {SESSION, OTHER}
    desk.read(source, handles)
    assert (desk.board[SESSION]["activity"], desk.board[SESSION]["end_reason"]) == ("terminal", "closed")
    assert (desk.board[OTHER]["activity"], desk.board[OTHER]["message_count"]) == ("idle", 0)


def test_a_session_without_a_transcript_lives_in_the_register_until_it_has_one(desk: Desk) -> None:
    record = desk.record(status="idle", name="Mine", nameSource="user")
    source = desk.source()
    (handle,) = source.discover()
    assert (handle.id, handle.path, handle.live) == (SESSION, str(record), True)
    desk.read(source)
    facts = desk.board[SESSION]
    assert (facts["activity"], facts["title"], facts["working_dir"]) == ("idle", "Mine", "/w/app")
    assert (facts["client_version"], facts["output_tokens"]) == (NEW, 0)
    assert (facts["started_at"].timestamp(), facts["last_activity_at"].timestamp()) == (NOON - 60, NOON)

    desk.write(prompt("Fix it", at=1, version=NEW))
    desk.record(status="busy")
    desk.read(source)
    assert (desk.board[SESSION]["activity"], desk.board[SESSION]["message_count"]) == ("working", 1)
    assert desk.board[SESSION]["title"] == "Fix it"


@pytest.mark.parametrize("again", [True, False])
def test_a_session_without_a_transcript_ends_when_its_record_goes(desk: Desk, again: bool) -> None:
    record = desk.record(status="idle")
    source = desk.source()
    desk.read(source)
    record.unlink()
    desk.read(source, source.discover() if again else source.touched([str(record)]))
    assert (desk.board[SESSION]["activity"], desk.board[SESSION]["end_reason"]) == ("terminal", "closed")
    desk.record(status="busy")
    desk.read(source)
    assert (desk.board[SESSION]["activity"], desk.board[SESSION]["end_reason"]) == ("working", None)


def test_a_dead_record_of_a_session_that_never_began_says_nothing(desk: Desk) -> None:
    desk.record(procStart="1")
    assert desk.read().sessions == {}
    assert desk.cursors == {SESSION: ""}


def test_a_transcript_that_vanished_under_a_living_client_keeps_its_counts(desk: Desk) -> None:
    path = desk.write(prompt(version=NEW), answer(version=NEW))
    desk.record(status="idle")
    desk.read()
    path.unlink()
    desk.record(status="busy")
    assert shown(desk) == ("working", None, None)
    assert desk.board[SESSION]["message_count"] == 2


def test_a_process_of_another_machine_or_container_is_unknown_and_not_dead(desk: Desk) -> None:
    desk.table.living.clear()
    desk.write(prompt(version=NEW), answer("m", call(), stop="tool_use", version=NEW))
    desk.record(status="idle", pidDomain=f"linux:{MACHINE}:pid:[4026532999]")
    assert shown(desk) == ("working", None, None)
    assert desk.board[SESSION]["evidence"].kind == "tool"
    desk.record(status="idle", pidDomain=f"linux:{'a' * 32}:pid:[4026531836]")
    assert shown(desk) == ("working", None, None)
    assert desk.table.asked == 0


def test_an_old_client_or_a_home_without_a_register_leaves_it_to_the_rows(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    assert shown(desk) == ("working", None, None)
    (desk.root / "sessions").mkdir()
    assert shown(desk) == ("terminal", None, "closed")
    desk.write(prompt(version="2.1.50"), path=desk.path(OTHER))
    assert shown(desk, OTHER) == ("working", None, None)


def test_a_torn_record_keeps_its_last_good_reading(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    record = desk.record(status="idle")
    source = desk.source()
    desk.read(source)
    record.write_text(record.read_text()[:40])
    desk.read(source)
    assert desk.board[SESSION]["activity"] == "waiting"


def test_a_record_rewritten_at_equal_length_within_one_tick_is_not_missed(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    record = desk.record(status="busy")
    source = desk.source()
    now = time.time()
    os.utime(record, (now, now))
    desk.read(source)
    record.write_text(record.read_text().replace("busy", "idle"))
    os.utime(record, (now, now))
    desk.read(source)
    assert desk.board[SESSION]["waiting_for"] == "prompt"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": 4242}', '{"sessionId": null}', "\xff\xfe", "7"])
def test_a_record_that_cannot_be_read_may_be_any_sessions(desk: Desk, text: str) -> None:
    desk.write(prompt(version=NEW))
    desk.record().write_text(text, encoding="latin-1")
    assert shown(desk) == ("working", None, None)


def test_records_of_the_first_releases_say_little(desk: Desk) -> None:
    desk.write(prompt(version="2.1.90"))
    fields = dict.fromkeys(("procStart", "version", "pidDomain", "name", "nameSource", "status", "statusUpdatedAt"))
    desk.record(**fields)
    assert shown(desk) == ("working", None, None)
    desk.table.living.clear()
    assert shown(desk) == ("terminal", None, "process gone")


def test_a_legacy_record_is_understood(desk: Desk) -> None:
    desk.write(prompt(version="2.1.90"))
    (desk.root / "sessions").mkdir()
    (desk.root / "sessions/pid-4242.json").write_text(json.dumps({"session_id": SESSION, "cwd": "/w"}))
    assert shown(desk) == ("working", None, None)
    desk.table.living.clear()
    assert shown(desk) == ("terminal", None, "process gone")


def test_of_several_records_of_a_session_the_living_one_counts(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    desk.record(pid=1, procStart="1", status="busy")
    desk.record(pid=4242, status="idle")
    desk.record(pid=9999, procStart="1", status="busy")
    assert shown(desk) == ("waiting", "prompt", None)


@pytest.mark.parametrize("first", [1, 2])
def test_of_two_equal_records_of_a_session_the_same_one_counts_whichever_was_found_first(
    desk: Desk, first: int
) -> None:
    desk.table.living.update({1: "7", 2: "7"})
    desk.write(prompt(version=NEW))
    source = desk.source()
    for pid in (first, 3 - first):
        desk.record(pid=pid, procStart="7", statusUpdatedAt=NOON * 1000, status="busy" if pid == 1 else "idle")
        desk.read(source)
    assert desk.board[SESSION]["activity"] == "working"


def test_keys_and_other_files_in_the_register_are_never_opened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(prompt(version=NEW))
    desk.record(status="idle")
    folder = desk.root / "sessions"
    for name in ("4242.abc.key", "4242.json.tmp", "x.json", ".4242.json"):
        (folder / name).write_text("{}")
    opened: list[str] = []

    def noting(path: str, mode: str) -> object:
        opened.append(path)
        return Path(path).open(mode)

    monkeypatch.setattr("bellboard.sources.claude.living.open", noting, raising=False)
    assert shown(desk) == ("waiting", "prompt", None)
    assert set(opened) == {str(folder / "4242.json")}


def test_a_change_of_life_is_a_new_cursor_though_no_byte_moved(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    desk.record(status="busy")
    source = desk.source()
    (handle,) = source.discover()
    desk.read(source)
    assert source.parse(handle, desk.cursors[SESSION]) == (None, desk.cursors[SESSION])

    desk.table.living.clear()
    assert source.parse(handle, desk.cursors[SESSION]) == (None, desk.cursors[SESSION])
    (changed,) = source.discover()
    assert (changed.live, changed.stamp != handle.stamp) == (False, True)
    update, cursor = source.parse(changed, desk.cursors[SESSION])
    assert update is not None
    assert (update.activity, cursor.startswith(f"{changed.stamp}|")) == ("terminal", True)


def test_a_session_that_was_resumed_after_a_kill_and_then_closed_is_closed(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    desk.record(status="busy")
    desk.read()
    desk.table.living.clear()
    desk.read()
    assert desk.board[SESSION]["end_reason"] == "process gone"
    second = desk.record(pid=5, procStart="9", status="idle", startedAt=(NOON + 60) * 1000)
    desk.table.living[5] = "9"
    desk.read()
    assert desk.board[SESSION]["activity"] == "waiting"
    second.unlink()
    desk.read()
    assert desk.board[SESSION]["end_reason"] == "closed"


def test_the_pulse_tells_of_processes_that_ended_and_of_nothing_else(desk: Desk) -> None:
    desk.write(prompt(version=NEW))
    desk.record(status="busy")
    desk.record(OTHER, pid=5, procStart="9", status="busy")
    desk.table.living[5] = "9"
    source = desk.source()
    desk.read(source)
    assert source.pulse() == []

    del desk.table.living[5]
    asked = desk.table.asked
    (handle,) = source.pulse()
    assert (handle.id, handle.live, desk.table.asked - asked) == (OTHER, False, 3)
    desk.read(source, [handle])
    assert desk.board[OTHER]["end_reason"] == "process gone"
    assert source.pulse() == []

    desk.table.living[4242] = "other process"
    assert [handle.id for handle in source.pulse()] == [SESSION]


def test_the_pulse_tells_when_silence_has_lasted_long_enough(desk: Desk) -> None:
    desk.write(prompt(at=0))
    source = desk.source()
    desk.read(source)
    assert (desk.board[SESSION]["activity"], source.pulse()) == ("working", [])

    desk.now = NOON + 599
    assert source.pulse() == []
    desk.now = NOON + 600
    (handle,) = source.pulse()
    desk.read(source, [handle])
    assert desk.board[SESSION]["activity"] == "idle"
    assert source.pulse() == []


def test_it_rests_from_pulses_until_a_silence_may_mean_something_and_not_while_a_process_lives(desk: Desk) -> None:
    source = desk.source()
    desk.write(prompt(at=0))
    desk.read(source)
    desk.now = NOON + 100
    assert source.rest() == 500.0
    desk.now = NOON + 600
    desk.read(source, source.pulse())
    assert source.rest() == math.inf
    desk.record(status="busy")
    desk.read(source)
    assert source.rest() == 0.0


def test_what_came_in_time_is_not_told_by_the_pulse(desk: Desk) -> None:
    desk.write(prompt(at=0))
    source = desk.source()
    desk.read(source)
    desk.write(answer(at=5))
    desk.read(source)
    desk.now = NOON + 5000
    assert source.pulse() == []


def test_a_source_that_never_slept_on_it_finds_silence_by_itself(desk: Desk) -> None:
    path = desk.write(prompt(at=0))
    os.utime(path, (NOON, NOON))
    desk.read()
    desk.now = NOON + 601
    assert desk.read()[SESSION]["activity"] == "idle"


def test_the_machines_own_id_is_read_if_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "machine-id"
    monkeypatch.setattr("bellboard.sources.claude.living._MACHINE_ID", str(path))
    assert machine_id() is None
    path.write_text(f"{MACHINE}\n")
    assert machine_id() == MACHINE


def test_the_real_processes_are_asked_by_default(desk: Desk) -> None:
    stat = Path(f"/proc/{os.getpid()}/stat")
    if not stat.exists():
        pytest.skip("no /proc on this system")
    desk.write(prompt(version=NEW))
    start = stat.read_text().rpartition(")")[2].split()[19]
    desk.record(pid=os.getpid(), procStart=start, pidDomain=None, status="busy")
    (handle,) = ClaudeSource(home=str(desk.root)).discover()
    assert handle.live
