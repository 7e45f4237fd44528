"""A running supervisor, as its user meets it."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from harness import COMMAND, House, alive, command, wait_for

from bellboard.protocol import Subscriber
from bellboard.supervisor.config import BUILT_IN

COUNTING = '''
import json
import os
from bellboard.sources import SessionHandle, SourceUpdate
from bellboard.protocol import Evidence

class Counting:
    """Counts the lines of each file in its home."""

    def __init__(self, home, name="counting", trouble=""):
        self.home, self.name, self.trouble = home, name, trouble

    def discover(self):
        if self.trouble == "discover":
            raise ValueError("what was said")
        for name in sorted(os.listdir(self.home)):
            path = os.path.join(self.home, name)
            yield SessionHandle(id=name, path=path, source=self.name, modified_at=os.stat(path).st_mtime)

    def parse(self, handle, cursor):
        if self.trouble == "parse" and handle.id == "bad":
            raise ValueError("what was said")
        if self.trouble == "abort":
            os.abort()
        with open(handle.path, "rb") as file:
            file.seek(int(cursor or 0))
            data = file.read()
        whole = data.rfind(b"\\n") + 1
        if not whole:
            return None, cursor
        update = SourceUpdate(
            session_id=handle.id, activity="working", evidence=Evidence(kind="record"),
            message_count_delta=data.count(b"\\n"),
        )
        return update, str(int(cursor or 0) + whole)
'''


def settle(house: House, **tables: str) -> None:
    """Write the counting source and a configuration with one counting source for each keyword (its trouble)."""
    (house.root / "counting_source.py").write_text(COUNTING)
    text = ""
    for name, trouble in tables.items():
        (house.homes / name).mkdir()
        text += f'[sources.{name}]\nfactory = "counting_source:Counting"\nname = "{name}"\n'
        text += f'home = "{house.homes / name}"\ntrouble = "{trouble}"\n'
    text += "".join(f"[sources.{name}]\nenabled = false\n" for name in BUILT_IN)
    house.config.write_text("[work]\nsweep = 0.1\n" + text)


def append(house: House, source: str, session: str, lines: int = 1) -> None:
    with (house.homes / source / session).open("a") as file:
        file.write("line\n" * lines)


def test_a_line_that_is_appended_becomes_an_event(house: House) -> None:
    settle(house, quiet="")
    append(house, "quiet", "one", 2)
    house.start()
    with Subscriber(str(house.runtime)) as board:
        board.join()
        wait_for(lambda: board.receive(0.1) or ("quiet", "one") in board.sessions, what="the first session")
        append(house, "quiet", "one")
        wait_for(
            lambda: board.receive(0.1) and board.sessions["quiet", "one"].message_count == 3, what="the third line"
        )
        (was, *_, last) = board.history("quiet", "one").marks
        assert (was.messages, last.messages) == (2, 3)
        assert board.pulses()["quiet", "one"][-2:] in {(0, 1), (1, 0)}, "one line, this minute or the last"
        assert board.history("quiet", "nobody").marks == ()
    assert house.sessions()["one"]["message_count"] == 3


def test_a_second_supervisor_refuses_at_once_and_the_first_does_not_notice(house: House) -> None:
    settle(house, quiet="")
    append(house, "quiet", "one")
    house.start()
    wait_for(lambda: "one" in house.sessions())

    for folder in (
        {"BELLBOARD_STATE_DIR": str(house.root / "other")},
        {"BELLBOARD_RUNTIME_DIR": str(house.root / "other")},
    ):
        before = time.monotonic()
        second = command("run", env={**house.env, **folder})
        assert (second.returncode, time.monotonic() - before < 5) == (1, True)
        assert "holds the lock" in second.stderr
        assert "/lock" in second.stderr

    append(house, "quiet", "one")
    wait_for(lambda: house.sessions()["one"]["message_count"] == 2, what="the first supervisor's next event")


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_no_worker_outlives_a_killed_supervisor_by_a_second(house: House, stopped: bool) -> None:
    settle(house, first="", second="")
    supervisor = house.start()
    workers = wait_for(lambda: found if len(found := house.workers()) == 2 else [], what="two workers")
    for source in ("first", "second"):
        append(house, source, source)
    wait_for(lambda: len(house.sessions()) == 2, what="both workers at work")
    if stopped:
        for worker in workers:
            suspend(worker)
    supervisor.kill()
    supervisor.wait()
    wait_for(lambda: not any(alive(worker) for worker in workers), 1.0, "the end of the workers")


def suspend(process: psutil.Process) -> None:
    process.suspend()
    wait_for(lambda: process.status() == psutil.STATUS_STOPPED, what="the stop")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_zero_and_nothing_is_lost(house: House, number: signal.Signals) -> None:
    settle(house, quiet="")
    append(house, "quiet", "one", 5)
    supervisor = house.start()
    wait_for(lambda: "one" in house.sessions())
    supervisor.send_signal(number)
    assert supervisor.wait(12) == 0
    assert house.command("sessions").returncode == 3

    append(house, "quiet", "one")
    house.start()
    wait_for(lambda: house.sessions()["one"]["message_count"] == 6, what="the count after the restart")


def test_a_second_signal_ends_a_supervisor_whose_worker_hangs(house: House) -> None:
    settle(house, quiet="")
    supervisor = house.start()
    (worker,) = wait_for(house.workers, what="the worker")
    suspend(worker)
    supervisor.send_signal(signal.SIGTERM)
    wait_for(lambda: "once more ends at once" in house.log(), what="the answer to the first signal")
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(5) == 0
    wait_for(lambda: not alive(worker), 1.0)


def test_health_names_each_kind_of_failure_and_the_others_go_on(house: House) -> None:
    settle(house, well="", discover="discover", parse="parse", abort="abort")
    with house.config.open("a") as file:
        file.write('[sources.missing]\nfactory = "no_such_module:Source"\n')
    for source in ("well", "parse", "abort"):
        append(house, source, f"{source}-one")
    append(house, "parse", "bad")
    house.start()

    wait_for(lambda: {"well-one", "parse-one"} <= house.sessions().keys(), what="the sessions that can be read")
    bad = {"discover", "parse", "abort", "missing"}
    health = wait_for(
        lambda: found if all((found := house.health())[name]["status"] != "healthy" for name in bad) else None,
        15,
        "four unhealthy sources",
    )
    assert health["well"]["status"] == "healthy"
    assert "ValueError" in health["discover"]["last_error"]
    assert health["parse"]["reason"].startswith("1 session(s) cannot be read")
    assert health["missing"]["status"] == "failed"
    assert "cannot be loaded" in health["missing"]["reason"]
    assert "SIGABRT" in wait_for(lambda: house.health()["abort"]["last_error"], what="the abort")
    assert "what was said" not in house.command("health", "--json").stdout
    assert house.command("health").returncode == 4

    append(house, "well", "well-two")
    wait_for(lambda: "well-two" in house.sessions(), what="an event of the source that works")


def test_ctl_pauses_resumes_and_restarts_one_source(house: House) -> None:
    settle(house, quiet="", other="")
    house.start()
    started = wait_for(lambda: found if len(found := house.workers()) == 2 else [], what="two workers")
    first = {worker.pid for worker in started}

    assert house.command("ctl", "pause", "quiet").returncode == 0
    wait_for(lambda: house.health()["quiet"]["status"] == "paused" and len(house.workers()) == 1, what="the pause")
    append(house, "quiet", "one")
    assert house.command("ctl", "resume", "quiet").returncode == 0
    wait_for(lambda: "one" in house.sessions(), what="the session after the pause")

    assert house.command("ctl", "restart", "other").returncode == 0
    wait_for(
        lambda: not first & {worker.pid for worker in house.workers()} and len(house.workers()) == 2, what="new workers"
    )
    assert house.health()["other"]["restarts"] == 0

    unknown = house.command("ctl", "restart", "nobody")
    assert unknown.returncode == 1
    assert "unknown source 'nobody' (running: other, quiet)" in unknown.stderr


def test_without_a_supervisor_commands_say_so_and_exit_3(house: House) -> None:
    for words in (["sessions"], ["health"], ["watch"], ["ctl", "drain"]):
        done = house.command(*words)
        assert (done.returncode, done.stdout) == (3, "")
        assert "bellboard run" in done.stderr


def test_watch_writes_json_lines_that_begin_with_the_whole_picture(house: House) -> None:
    settle(house, quiet="")
    append(house, "quiet", "one")
    house.start()
    wait_for(lambda: "one" in house.sessions())
    out = house.root / "watch.jsonl"
    with out.open("w") as file:
        watch = subprocess.Popen([*COMMAND, "watch", "--jsonl"], stdout=file, env={**os.environ, **house.env})
    try:
        wait_for(lambda: '"kind":"snapshot"' in out.read_text(), what="the snapshot")
        append(house, "quiet", "one")
        wait_for(lambda: '"kind":"updated"' in out.read_text(), what="the event")
    finally:
        watch.send_signal(signal.SIGINT)
    assert watch.wait(5) == 130


def test_watch_says_when_a_line_was_and_when_the_supervisor_is_gone_and_back(house: House) -> None:
    settle(house, quiet="")
    supervisor = house.start()
    out, err = house.root / "watch.out", house.root / "watch.err"
    with out.open("w") as file, err.open("w") as complaints:
        words = [*COMMAND, "watch", "--source", "codex", "--source", "quiet"]
        watch = subprocess.Popen(words, stdout=file, stderr=complaints, env={**os.environ, **house.env})
    try:
        wait_for(lambda: "snapshot" in out.read_text(), what="the snapshot")
        assert re.match(r"\d\d:\d\d:\d\d snapshot    ", out.read_text())
        supervisor.kill()
        supervisor.wait()
        wait_for(lambda: "not heard any more" in err.read_text(), 20, "the word that the supervisor is gone")
        house.start()
        wait_for(lambda: "heard again" in err.read_text(), 20, "the word that it is back")
    finally:
        watch.send_signal(signal.SIGINT)
    assert watch.wait(5) == 130
    assert [re.sub(r"^[\d:]{8} ", "", line) for line in err.read_text().splitlines()] == [
        "bellboard: the board has no source 'codex' (it has: quiet)",
        "bellboard: the supervisor is not heard any more: waiting for it",
        "bellboard: the supervisor is heard again",
    ]


def test_watch_ends_when_nobody_reads_it_though_nothing_happens(house: House) -> None:
    settle(house, quiet="")
    house.start()
    line = shlex.join([*COMMAND, "watch", "--jsonl"])
    script = f"set -o pipefail; {line} | head -n 1"
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        env={**os.environ, **house.env},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, "")
    assert done.stdout.count("\n") == 1


def test_sessions_once_reads_everything_without_a_supervisor_and_leaves_nothing_behind(house: House) -> None:
    settle(house, quiet="")
    append(house, "quiet", "one", 4)
    os.utime(house.homes / "quiet" / "one", (0, 0))
    before = set(Path("/tmp").glob("bellboard-*"))
    done = house.command("sessions", "--once", "--json")
    assert done.returncode == 0, done.stderr
    (session,) = [each for each in json.loads(done.stdout)["sessions"] if each["id"] == "one"]
    assert (session["message_count"], session["lifecycle"], session["end_reason"]) == (4, "terminal", "stale")
    assert not house.runtime.exists()
    assert not house.state.exists()
    assert set(Path("/tmp").glob("bellboard-*")) <= before
