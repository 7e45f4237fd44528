"""The whole demo with real processes: it ends exact, it finds a lie, and it leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
import pytest
from harness import COMMAND, command, wait_for

from bellboard.supervisor.demo.acts import Act, Actor
from bellboard.supervisor.demo.cast import HOMES, cast
from bellboard.supervisor.demo.chaos import Hit
from bellboard.supervisor.demo.performance import Performance
from bellboard.supervisor.demo.play import play

AGENTS = 6

LAST = re.compile(
    r"0 differences(?:; (\d+) workers? killed, (\d+) hung)?; "
    r"written ([\d,]+) messages and ([\d,]+) calls; board says the same"
)


class Liar:
    """An actor that says it wrote one message more than it did."""

    manner = "lies"

    def __init__(self, honest: Actor) -> None:
        self._honest = honest
        self.source = honest.source

    def acts(self) -> Iterator[Act]:
        lied = False
        for act in self._honest.acts():
            if act.said and not lied:
                lied = True
                (said,) = act.said
                yield msgspec.structs.replace(act, said=(msgspec.structs.replace(said, messages=said.messages + 1),))
            else:
                yield act


def folder_of(log: Path) -> str:
    """Where a demo plays, as it says itself; "" as long as it has not."""
    found = re.search(r"simulated agents below (\S+);", log.read_text())
    return found[1] if found else ""


def all_of(demo: int) -> list[psutil.Process]:
    """All processes of a demo, once its workers are there."""
    found = psutil.Process(demo).children(recursive=True)
    return found if len(found) == AGENTS + 1 + len(HOMES) else []


@pytest.mark.timeout(150)
def test_a_demo_with_chaos_kills_and_hangs_workers_and_ends_without_a_difference(tmp_path: Path) -> None:
    done = command("demo", "--chaos", "--seconds", "16", env={"HOME": str(tmp_path)}, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    last = LAST.fullmatch(done.stdout.strip().splitlines()[-1])
    assert last is not None, done.stdout
    killed, hung, messages, _ = (int(number.replace(",", "")) for number in last.groups())
    assert messages > 10
    assert killed >= 1
    assert hung >= 1
    assert "killed (SIGKILL)" in done.stdout
    assert "\x1b" not in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert not os.path.exists(done.stderr.split("below ")[1].split(";")[0])


@pytest.mark.timeout(120)
def test_an_actor_that_lies_about_one_message_is_a_difference_and_exit_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    actors = cast(datetime.now(UTC))
    liar = Liar(actors[3])
    assert play(3.0, actors=[*actors[:3], liar, *actors[4:]], patience=4.0) == 1
    out, err = capsys.readouterr()
    assert re.search(r"(?m)^1 difference; .*board says .* \(behind: gemini\)$", out), out
    assert re.search(r"bellboard: gemini \S+: the board's counts differ from what was written\n$", err), err


@pytest.mark.timeout(120)
def test_the_same_actors_without_the_lie_are_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert play(3.0) == 0
    last = LAST.fullmatch(capsys.readouterr().out.strip().splitlines()[-1])
    assert last is not None
    assert last[1] is None


@pytest.mark.timeout(60)
def test_a_process_that_is_no_worker_of_the_demo_is_never_hit(folder: str) -> None:
    with Performance(folder, cast(datetime.now(UTC)), None) as performance:
        for deed in ("kill", "hang"):
            assert not performance._do(Hit(deed, "claude", os.getpid(), 1, 0.0))
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
            assert not performance._do(Hit("kill", "claude", stranger.pid, 1, 0.0))
            assert stranger.poll() is None


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_told_to_end_says_how_it_stood_and_leaves_nothing_behind(
    number: signal.Signals, tmp_path: Path
) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("w") as stdout, err.open("w") as stderr:
        demo = subprocess.Popen([*COMMAND, "demo"], stdout=stdout, stderr=stderr)
    home = wait_for(lambda: folder_of(err), what="the demo's folder")
    wait_for(lambda: "written" in out.read_text(), what="a first line")
    mine = psutil.Process(demo.pid).children(recursive=True)
    demo.send_signal(number)
    assert demo.wait(45) == 0
    assert LAST.fullmatch(out.read_text().strip().splitlines()[-1])
    assert not os.path.exists(home)
    wait_for(lambda: not any(each.is_running() for each in mine), what="the end of all its processes")


@pytest.mark.timeout(60)
def test_a_demo_that_is_killed_leaves_neither_processes_nor_folders(tmp_path: Path) -> None:
    err = tmp_path / "err"
    with err.open("w") as stderr:
        demo = subprocess.Popen([*COMMAND, "demo"], stdout=subprocess.DEVNULL, stderr=stderr)
    home = wait_for(lambda: folder_of(err), what="the demo's folder")
    mine = wait_for(lambda: all_of(demo.pid), what="the board's workers")
    demo.kill()
    demo.wait()
    wait_for(lambda: not os.path.exists(home), what="the end of its folder")
    wait_for(lambda: not any(each.is_running() for each in mine), what="the end of all its processes")
