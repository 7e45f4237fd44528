"""One named test for each defect that was found in the running product."""

import json
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from harness import COMMAND, House, wait_for, workers_of


def script(house: House, name: str, *rows: dict[str, object]) -> Path:
    """Write a session of the mock source, one update or command a line."""
    folder = house.homes / "mock"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.jsonl"
    with path.open("a") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))
    return path


def said(name: str, **more: object) -> dict[str, object]:
    return {"session_id": name, "activity": "working", "evidence": {"kind": "record"}, "message_count_delta": 1, **more}


def test_an_interrupted_read_of_everything_is_no_whole_board(house: House) -> None:
    script(house, "one", said("one"))
    script(house, "slow", {"sleep": 20})
    words = [*COMMAND, "sessions", "--once", "--json", "--source", f"mock={house.homes / 'mock'}"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **house.env})
    wait_for(lambda: workers_of(process.pid), what="the private board at work")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=15)
    assert (process.returncode, out) == (130, b"")


def test_a_home_that_is_there_but_cannot_be_used_does_not_start_worker_after_worker(house: House) -> None:
    (house.homes / ".codex").write_text("a file where the folder should be")
    script(house, "one", said("one"))
    house.start("--source", "codex", "--source", f"mock={house.homes / 'mock'}")
    reason = wait_for(lambda: house.health()["codex"]["reason"], what="the reason")
    assert "not found" in reason
    first = house.health()["codex"]["incarnation"]
    for number in range(4):
        script(house, "one", said("one"))
        wait_for(lambda count=number: house.sessions()["one"]["message_count"] == count + 2, what="the next line")
    assert house.health()["codex"]["incarnation"] == first


def test_clients_find_the_folder_that_the_configuration_names(house: House) -> None:
    folder = house.root / "elsewhere"
    house.config.write_text(f'runtime_dir = "{folder}"\n')
    del house.env["BELLBOARD_RUNTIME_DIR"]
    script(house, "one", said("one"))
    house.start("--source", f"mock={house.homes / 'mock'}")
    assert (folder / "events.sock").exists()
    wait_for(lambda: "one" in house.sessions(), what="the session")


def test_nobody_who_looks_at_the_database_holds_up_the_board(house: House) -> None:
    script(house, "one", said("one"))
    house.start("--source", f"mock={house.homes / 'mock'}")
    wait_for(lambda: "one" in house.sessions(), what="the session")
    other = sqlite3.connect(house.state / "board.sqlite", timeout=0, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    script(house, "one", said("one"))
    wait_for(lambda: house.sessions()["one"]["message_count"] == 2, what="the next line")
    other.close()


def test_a_broken_session_that_is_deleted_heals_its_source(house: House) -> None:
    house.config.write_text("[work]\nsweep = 0.1\nwatch = false\n")
    broken = script(house, "broken", {"raise": "what was said"})
    house.start("--source", f"mock={house.homes / 'mock'}")
    wait_for(lambda: house.health()["mock"]["status"] == "degraded", what="the trouble")
    broken.unlink()
    wait_for(lambda: house.health()["mock"]["status"] == "healthy", what="the end of the trouble")


def test_what_belongs_to_a_source_that_does_not_run_is_not_shown(house: House) -> None:
    script(house, "one", said("one", activity="waiting", waiting_for="permission"))
    supervisor = house.start("--source", f"mock={house.homes / 'mock'}")
    wait_for(lambda: "one" in house.sessions(), what="the session")
    supervisor.terminate()
    supervisor.wait()
    (house.homes / ".codex").mkdir()
    house.start("--source", "codex")
    assert house.sessions() == {}
    assert house.command("sessions", "--needs-you").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(house: House, number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        script(house, "one", said("one"))
        supervisor = house.start("--source", f"mock={house.homes / 'mock'}")
    finally:
        signal.signal(number, before)
    wait_for(lambda: "one" in house.sessions(), what="the session")
    supervisor.send_signal(number)
    script(house, "one", said("one"))
    wait_for(lambda: house.sessions()["one"]["message_count"] == 2, what="work after the signal")
    assert supervisor.poll() is None


def test_watch_shows_what_a_topic_missed_over_a_restart(house: House) -> None:
    script(house, "one", said("one"))
    supervisor = house.start("--source", f"mock={house.homes / 'mock'}")
    wait_for(lambda: "one" in house.sessions(), what="the session")
    out = house.root / "watch.jsonl"
    words = [*COMMAND, "watch", "--jsonl", "--topic", "session.mock."]
    with out.open("w") as file:
        watch = subprocess.Popen(words, stdout=file, env={**os.environ, **house.env})
    try:
        wait_for(lambda: out.read_text().count('"kind":"snapshot"') == 1, what="the first picture")
        supervisor.terminate()
        supervisor.wait()
        script(house, "one", said("one"))
        house.start("--source", f"mock={house.homes / 'mock'}")
        wait_for(lambda: '"message_count":2' in out.read_text(), 15, "what was missed")
    finally:
        watch.kill()
        watch.wait()
