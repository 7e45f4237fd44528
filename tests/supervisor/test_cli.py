import argparse
import errno
import os
import subprocess
import sys
from typing import NoReturn

import pytest

from bellboard.supervisor.cli import main
from bellboard.supervisor.commands import dispatch
from bellboard.supervisor.version import VERSION


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_is_one_line(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word]) == 0
    assert capsys.readouterr() == (f"bellboard {VERSION}\n", "")


def test_the_version_is_told_without_importing_anything_heavy() -> None:
    code = (
        "import sys; from bellboard.supervisor.cli import main; main(['--version']); "
        "sys.exit(bool({'argparse', 'msgspec', 'zmq', 'sqlite3', 'psutil'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"bellboard {VERSION}\n", "")


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bellboard.supervisor", "--version"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"bellboard {VERSION}\n", "")


def test_words_are_those_of_the_process_unless_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bellboard", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"bellboard {VERSION}\n"


def test_a_usage_error_ends_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("words", [["schema", "event"], ["--version"], ["--help"], ["-v", "-V"]], ids=" ".join)
def test_output_for_which_there_is_no_room_is_said_and_an_error(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        line = [sys.executable, "-m", "bellboard.supervisor", *words]
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    said = "bellboard: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize(
    ("words", "code"), [(["frobnicate"], 2), (["health", "--runtime-dir", "/nowhere"], 3), (["schema", "event"], 1)]
)
def test_where_nothing_at_all_can_be_written_the_exit_code_says_it(words: list[str], code: int) -> None:
    with open("/dev/full", "wb") as full:
        line = [sys.executable, "-m", "bellboard.supervisor", *words]
        assert subprocess.run(line, stdout=full, stderr=full, timeout=30, check=False).returncode == code


@pytest.mark.parametrize(
    ("closed", "words", "code"), [(1, ["schema", "event"], 0), (2, ["health", "--runtime-dir", "/nowhere"], 3)]
)
def test_a_stream_that_is_closed_changes_nothing_else(closed: int, words: list[str], code: int) -> None:
    start = f"import os, sys; os.close({closed}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    done = subprocess.run(
        [sys.executable, "-c", start, "-m", "bellboard.supervisor", *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_a_file_for_which_there_is_no_room_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: argparse.Namespace) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/folder")

    monkeypatch.setattr(dispatch, "run", run)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    assert main(["health"]) == 1
    assert capsys.readouterr().err == "bellboard: /tmp/folder cannot be written: No space left on device\n"


def test_other_errors_of_the_system_are_not_taken_for_one_of_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: argparse.Namespace) -> NoReturn:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(dispatch, "run", run)
    with pytest.raises(OSError, match="broken"):
        main(["health"])


@pytest.mark.parametrize("code", [0, 1, 3, 10])
def test_the_exit_code_is_the_commands(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: argparse.Namespace) -> int:
        return code

    monkeypatch.setattr(dispatch, "run", run)
    assert main(["health"]) == code


def test_an_interrupted_command_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: argparse.Namespace) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "run", interrupted)
    assert main(["watch"]) == 130


def test_a_reader_that_went_away_ends_the_command_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cut(_: argparse.Namespace) -> NoReturn:
        raise BrokenPipeError

    monkeypatch.setattr(dispatch, "run", cut)
    stdout = sys.stdout
    try:
        assert (main(["watch"]), sys.stdout) == (141, None)
    finally:
        sys.stdout = stdout
    assert capsys.readouterr() == ("", "")
