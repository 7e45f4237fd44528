"""What the real commands print for programs is what the published schema says; and what `doctor` says of a real board."""

import json
import os
import signal
import subprocess
from typing import Any

from faulty import append, settle
from harness import COMMAND, House, wait_for
from published import complaints


def printed(house: House, *words: str, code: int = 0) -> Any:
    """Run a command that prints one document; returns it."""
    done = house.command(*words)
    assert (done.returncode, done.stderr) == (code, "")
    return json.loads(done.stdout)


def amiss(document: Any) -> list[tuple[str, str]]:
    """Return what a doctor's document calls a problem, and what mends it."""
    return [(each["about"], each["mend"]) for each in document["findings"] if each["verdict"] == "problem"]


def test_every_document_of_a_running_board_is_what_the_schema_says(house: House) -> None:
    settle(house, "quiet")
    append(house, "quiet", "one")
    house.start()
    wait_for(lambda: "one" in house.sessions(), what="the session")
    for words in (["sessions", "--json"], ["health", "--json"], ["doctor", "--json"], ["config", "show", "--json"]):
        document = printed(house, *words)
        assert complaints(words[0], document) == []
        assert document["schema_version"] == 1
    once = printed(house, "sessions", "--once", "--json")
    assert (complaints("sessions", once), len(once["sessions"])) == ([], 1)


def test_every_line_that_is_watched_is_what_the_schema_says_and_only_what_was_asked_for_comes(house: House) -> None:
    settle(house, "quiet", "other")
    append(house, "quiet", "one")
    append(house, "other", "two")
    house.start()
    wait_for(lambda: {"one", "two"} <= house.sessions().keys(), what="both sessions")
    out = house.root / "watch.jsonl"
    with out.open("w") as file:
        words = [*COMMAND, "watch", "--jsonl", "--source", "quiet", "--activity", "working"]
        watch = subprocess.Popen(words, stdout=file, env={**os.environ, **house.env})
    try:
        wait_for(lambda: '"kind":"snapshot"' in out.read_text(), what="the snapshot")
        append(house, "other", "two")
        wait_for(lambda: house.sessions()["two"]["message_count"] == 2, what="the other source's line")
        append(house, "quiet", "one")
        wait_for(lambda: '"kind":"updated"' in out.read_text(), what="the event")
    finally:
        watch.send_signal(signal.SIGINT)
    assert watch.wait(5) == 130
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [complaints("watch", line) for line in lines] == [[]] * len(lines)
    assert [session["id"] for session in lines[0]["sessions"]] == ["one"]
    assert {line["source"] for line in lines[1:]} == {"quiet"}


def test_doctor_finds_all_well_with_and_without_a_supervisor(house: House) -> None:
    settle(house, "quiet")
    append(house, "quiet", "one")
    before = sorted(each.name for each in house.root.iterdir())
    alone = house.command("doctor")
    assert (alone.returncode, alone.stderr) == (0, "")
    assert f"none is running in {house.runtime}" in alone.stdout
    assert alone.stdout.endswith("\nall is well\n")
    assert sorted(each.name for each in house.root.iterdir()) == before  # looking changed nothing

    house.start()
    wait_for(lambda: "one" in house.sessions(), what="the session")
    found = printed(house, "doctor", "--json")
    assert (found["problems"], amiss(found)) == (0, [])
    texts = [each["text"] for each in found["findings"] if each["about"] == "quiet"]
    assert texts[0].startswith("1 session; the newest moved ")
    assert any("answers, version" in each["text"] for each in found["findings"])


def test_doctor_says_of_a_source_that_died_what_mends_it_and_looks_at_the_others(house: House) -> None:
    settle(house, "quiet", "bad")
    with house.config.open("a") as file:
        file.write('[sources.dies]\nfactory = "faulty_source:dies"\n')
        file.write('[sources.missing]\nfactory = "no_such_module:Source"\n')
    append(house, "quiet", "one")
    append(house, "bad", "two", "raise")
    found = printed(house, "doctor", "--json", code=4)
    assert complaints("doctor", found) == []
    assert [about for about, _ in amiss(found)] == ["bad", "dies", "missing"]
    texts = {each["about"]: each["text"] for each in found["findings"] if each["verdict"] == "problem"}
    assert "killed by SIGABRT" in texts["dies"]
    assert "ModuleNotFoundError" in texts["missing"]
    assert texts["bad"].startswith("two: ")
    assert [each["verdict"] for each in found["findings"] if each["about"] == "quiet"] == ["ok", "ok", "ok"]


def test_doctor_says_what_is_wrong_with_the_configuration_and_goes_on_with_the_defaults(house: House) -> None:
    house.config.write_text("[board]\nstail_after = 3\n")
    done = house.command("doctor")
    assert done.returncode == 4
    assert "did you mean `stale_after`?" in " ".join(done.stdout.split())
    assert "-> bellboard config check" in done.stdout
    assert "\nclaude\n" in done.stdout


def test_doctor_notices_a_supervisor_that_hangs_and_one_of_another_version(house: House) -> None:
    settle(house, "quiet")
    supervisor = house.start()
    lock = house.runtime / "lock"
    written = lock.read_text()
    lock.write_text(f"{supervisor.pid} 0.0.1\n")
    mend = "bellboard ctl drain, then: bellboard run"
    assert amiss(printed(house, "doctor", "--json", code=4)) == [("board", mend)]
    lock.write_text(written)

    supervisor.send_signal(signal.SIGSTOP)
    try:
        found = printed(house, "doctor", "--json", code=4)
    finally:
        supervisor.send_signal(signal.SIGCONT)
    assert amiss(found) == [("board", f"kill {supervisor.pid}, then: bellboard run")]
