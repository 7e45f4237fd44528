import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bellboard.supervisor.doctor import board
from bellboard.supervisor.doctor.board import SOCKETS, Holder, holder, runtime, state
from bellboard.supervisor.folders import LOCK, lock, private_folder
from bellboard.supervisor.store import FILE
from bellboard.supervisor.version import VERSION
from bellboard.supervisor.views.document import Finding

OURS = Holder(7, VERSION)


@pytest.fixture
def run(folder: str) -> str:
    """A runtime folder with its four sockets, as a supervisor makes them."""
    path = private_folder(f"{folder}/run", "runtime")
    before = os.umask(0o177)
    try:
        for name in SOCKETS:
            with closing(socket.socket(socket.AF_UNIX)) as made:
                made.bind(f"{path}/{name}")
    finally:
        os.umask(before)
    return path


def amiss(found: list[Finding]) -> list[tuple[str, str, str, str | None]]:
    return [(each.what, each.verdict, each.text, each.mend) for each in found if each.verdict != "ok"]


def test_a_board_that_is_well_has_nothing_amiss(run: str) -> None:
    found = runtime(run, OURS, answered=True)
    assert amiss(found) == []
    assert [each.text for each in found] == [
        f"{run} is yours alone (0700)",
        f"process 7 answers, version {VERSION} like this command",
        f"{', '.join(SOCKETS)}: yours alone (0600)",
    ]


def test_without_a_supervisor_it_says_so_and_that_is_no_problem(folder: str) -> None:
    found = runtime(f"{folder}/run", None, answered=False)
    assert found[0].text == f"{folder}/run is made when it is needed"
    assert amiss(found) == [
        (
            "supervisor",
            "note",
            f"none is running in {folder}/run: without one only `bellboard` and `sessions --once` work",
            "bellboard run, or: bellboard service install",
        )
    ]


def test_sockets_that_a_killed_supervisor_left_are_told(run: str) -> None:
    assert amiss(runtime(run, None, answered=False))[-1] == (
        "sockets",
        "note",
        "some were left behind by a supervisor that was killed",
        "bellboard run",
    )


def test_one_that_holds_the_folder_and_does_not_answer_has_to_be_ended(run: str) -> None:
    assert amiss(runtime(run, OURS, answered=False)) == [
        ("supervisor", "problem", f"process 7 holds {run} and does not answer", "kill 7, then: bellboard run")
    ]


@pytest.mark.parametrize(("version", "said"), [("0.0.9", "0.0.9"), ("", "unknown")])
def test_a_supervisor_of_another_version_is_told(run: str, version: str, said: str) -> None:
    assert amiss(runtime(run, Holder(7, version), answered=True)) == [
        (
            "supervisor",
            "problem",
            f"process 7 runs version {said}, this command is {VERSION}",
            "bellboard ctl drain, then: bellboard run",
        )
    ]


def test_what_is_open_to_others_is_a_problem(run: str) -> None:
    Path(run).chmod(0o755)
    Path(run, "control.sock").chmod(0o666)
    assert amiss(runtime(run, OURS, answered=True)) == [
        ("runtime", "problem", f"{run} is open to others (mode 0755)", f"chmod 700 {run}"),
        ("sockets", "problem", f"{run}/control.sock is open to others (mode 0666)", f"chmod 600 {run}/control.sock"),
    ]


def test_a_socket_that_is_gone_or_none_is_a_problem(run: str) -> None:
    os.unlink(f"{run}/events.sock")
    os.unlink(f"{run}/ingest.sock")
    Path(run, "ingest.sock").touch()
    mend = "bellboard ctl drain, then: bellboard run"
    assert amiss(runtime(run, OURS, answered=True)) == [
        ("sockets", "problem", f"{run}/events.sock: No such file or directory", mend),
        ("sockets", "problem", f"{run}/ingest.sock is no socket of yours", mend),
    ]


def test_a_folder_that_is_a_link_or_too_long_is_a_problem(folder: str) -> None:
    Path(folder, "link").symlink_to(folder)
    assert amiss(runtime(f"{folder}/link", None, answered=False))[0][:3] == (
        "runtime",
        "problem",
        f"{folder}/link is not a folder (a link is not accepted)",
    )
    long = f"{folder}/{'x' * 100}"
    assert "is too long for the path of a socket" in amiss(runtime(long, None, answered=False))[0][2]


def test_who_holds_a_folder_is_read_from_its_lock(folder: str) -> None:
    assert holder(folder) is None
    held = lock(folder)
    os.close(held)
    assert Path(folder, LOCK).read_text() == f"{os.getpid()} {VERSION}\n"
    Path(folder, LOCK).write_text("999999999 0.1.0\n")
    assert holder(folder) is None
    Path(folder, LOCK).write_text("nonsense")
    assert holder(folder) is None

    code = "import sys; print(flush=True); sys.stdin.read()"
    for name, found in (("bellboard", True), ("other", False)):
        process = subprocess.Popen(
            [sys.executable, "-c", code, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            Path(folder, LOCK).write_text(f"{process.pid} 0.0.9\n")
            assert holder(folder) == (Holder(process.pid, "0.0.9") if found else None)


def database(path: Path) -> Path:
    path.mkdir(mode=0o700)
    with closing(sqlite3.connect(path / FILE)) as made, made:
        made.execute("CREATE TABLE t (x)")
        made.executemany("INSERT INTO t VALUES (zeroblob(1000))", [()] * 50)
    return path / FILE


def test_a_sound_database_is_sound_and_looking_changes_nothing(tmp_path: Path) -> None:
    path = database(tmp_path / "state")
    before = {each.name: each.stat().st_mtime_ns for each in path.parent.iterdir()}
    found = state(str(path.parent), running=False)
    assert amiss(found) == []
    assert found[-1].text == "0.1 MiB, sound"
    assert {each.name: each.stat().st_mtime_ns for each in path.parent.iterdir()} == before


@pytest.mark.parametrize("damage", ["all of it", "one page"])
def test_a_damaged_database_is_a_problem_unless_it_is_in_use(tmp_path: Path, damage: str) -> None:
    path = database(tmp_path / "state")
    data = path.read_bytes()
    path.write_bytes(b"x" * len(data) if damage == "all of it" else data[:4096] + b"x" * 4096 + data[8192:])
    ((what, verdict, text, mend),) = amiss(state(str(path.parent), running=False))
    assert (what, verdict, mend) == ("database", "problem", "bellboard run")
    assert text.startswith(f"{path} is damaged (")
    assert amiss(state(str(path.parent), running=True)) == []


def test_a_state_folder_that_is_not_there_yet_is_all_right(tmp_path: Path) -> None:
    found = state(str(tmp_path / "a" / "b"), running=False)
    assert (amiss(found), found[-1].text) == ([], "none yet")


def test_databases_that_were_moved_aside_are_told(tmp_path: Path) -> None:
    path = database(tmp_path / "state")
    for suffix in ("1", "1-wal", "2"):
        Path(f"{path}.corrupt-{suffix}").touch()
    assert amiss(state(str(path.parent), running=False)) == [
        (
            "database",
            "note",
            "2 damaged database(s) were moved aside and everything was counted again",
            f"rm {path}.corrupt-*",
        )
    ]


def test_a_disk_that_is_nearly_full_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "LEAST_FREE", 1 << 62)
    ((what, verdict, text, mend),) = amiss(state(str(tmp_path / "state"), running=False))
    assert (what, verdict, mend) == ("disk", "problem", "make room, or choose another `state_dir`")
    assert text.startswith("only ")
