"""Backends against stand-ins that write down how they were called."""

import io
import json
import os
import stat
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from harness import wait_for

from bellboard.supervisor.alerts.backends import (
    CLOSERS,
    BackendFailed,
    NotifySend,
    OsaScript,
    Printed,
    Program,
    Terminal,
)
from bellboard.supervisor.alerts.wording import Notice

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OVER = Notice(action="retract", key="k", at=NOW)


def ring(headline: str = "pi asks", text: str = "4s ago", key: str = "k") -> Notice:
    return Notice(action="ring", key=key, at=NOW, headline=headline, text=text)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[], list[list[str]]]]:
    """Put a program of this name into the path; returns what reads how it was called."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(name: str, prints: str = "") -> Callable[[], list[list[str]]]:
        log = tmp_path / f"{name}.log"
        path = tmp_path / name
        path.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            f"open({str(log)!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n{prints}\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return lambda: [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    return make


NUMBERS = "print('--print-id' if '--help' in sys.argv else 41)"


def test_notify_send_shows_replaces_and_closes(stand_in: Callable[..., Callable[[], list[list[str]]]]) -> None:
    shown, closed = stand_in("notify-send", NUMBERS), stand_in("gdbus")
    desktop = NotifySend(5, "gdbus")
    for told in (ring(), ring(headline="pi has a plan"), OVER, OVER):
        desktop.tell(told)
    words = ["--urgency=normal", "--app-name=bellboard", "--print-id"]
    assert shown() == [
        ["--help"],
        [*words, "--", "pi asks", "4s ago"],
        [*words, "--replace-id=41", "--", "pi has a plan", "4s ago"],
    ]
    assert closed() == [[*CLOSERS["gdbus"], "41"]]


def test_notify_send_without_a_closer_replaces_by_a_short_one(
    stand_in: Callable[..., Callable[[], list[list[str]]]],
) -> None:
    shown = stand_in("notify-send", NUMBERS)
    desktop = NotifySend(5, None)
    desktop.tell(ring())
    desktop.tell(OVER)
    assert shown()[-1] == [
        *("--urgency=low", "--expire-time=1", "--replace-id=41", "--app-name=bellboard"),
        *("--", "bellboard", "over"),
    ]


def test_an_old_notify_send_that_has_no_numbers_still_shows(
    stand_in: Callable[..., Callable[[], list[list[str]]]],
) -> None:
    shown, closed = stand_in("notify-send"), stand_in("gdbus")
    desktop = NotifySend(5, "gdbus")
    for told in (ring(), ring(), OVER):
        desktop.tell(told)
    assert shown() == [["--help"], *2 * [["--urgency=normal", "--app-name=bellboard", "--", "pi asks", "4s ago"]]]
    assert closed() == []


def test_what_desktops_take_for_markup_is_told_as_it_is(
    stand_in: Callable[..., Callable[[], list[list[str]]]],
) -> None:
    shown = stand_in("notify-send", NUMBERS)
    NotifySend(5, None).tell(ring(headline="--help", text="<b>a & b\\n"))
    assert shown()[-1][-3:] == ["--", "--help", "&lt;b&gt;a &amp; b\\\\n"]


def test_osascript_gets_the_texts_as_arguments_and_not_as_script(
    stand_in: Callable[..., Callable[[], list[list[str]]]],
) -> None:
    called = stand_in("osascript")
    OsaScript(5).tell(ring(headline='" & (do shell script "x") & "'))
    OsaScript(5).tell(OVER)
    (words,) = called()
    assert words[-2:] == ['" & (do shell script "x") & "', "4s ago"]
    assert "do shell script" not in "".join(words[:-2])


def test_a_program_reads_the_notice_on_its_stdin(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = f"import sys; open({str(out)!r}, 'a').write(sys.stdin.read() + sys.argv[1])"
    Program([sys.executable, "-c", code, "$(touch x); `y`"], 5).tell(ring())
    told, _, argument = out.read_text().partition("\n")
    assert (json.loads(told)["headline"], argument) == ("pi asks", "$(touch x); `y`")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["/nowhere/beep"], "beep cannot be started: No such file or directory"),
        ([sys.executable, "-c", "raise SystemExit(7)"], f"{Path(sys.executable).name} ended with code 7"),
    ],
)
def test_a_program_that_fails_is_said(words: list[str], said: str) -> None:
    with pytest.raises(BackendFailed, match="^" + said.replace("(", r"\(") + "$"):
        Program(words, 5).tell(ring())


def test_a_program_that_does_not_read_is_no_failure() -> None:
    Program(["true"], 5).tell(ring(text="x" * 200_000))


def test_a_program_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(300)\n"
    )
    began = time.monotonic()
    with pytest.raises(BackendFailed, match="took longer than 2 s and was ended"):
        Program([sys.executable, "-c", code], 2).tell(ring())
    assert time.monotonic() - began < 20
    mine = [int(pid) for pid in pids.read_text().split()]
    assert len(mine) == 2
    wait_for(lambda: not any(alive(pid) for pid in mine), what="the end of what was started")


def test_what_a_program_leaves_running_does_not_hold_us(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'], start_new_session=True)\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
    )
    Program([sys.executable, "-c", code], 10).tell(ring())
    os.kill(int(pid.read_text()), 9)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_dry_run_prints_a_line() -> None:
    out = io.StringIO()
    for told in (ring(text="4s ago\nits title"), OVER):
        Printed(out).tell(told)
    assert out.getvalue() == "03:04:05 ring        pi asks - 4s ago; its title\n03:04:05 over        k\n"


def test_the_terminal_is_written_to() -> None:
    out = io.StringIO()
    Terminal(out, "osc9", tmux=False).tell(ring())
    assert out.getvalue() == "\x1b]9;pi asks: 4s ago\x1b\\\a"


def test_a_terminal_that_is_gone_is_a_failure_and_no_end() -> None:
    class Gone(io.StringIO):
        def write(self, _text: Any, /) -> int:
            raise OSError(5, "Input/output error")

    with pytest.raises(BackendFailed, match="the terminal cannot be written to: Input/output error"):
        Terminal(Gone(), "bell", tmux=False).tell(ring())
