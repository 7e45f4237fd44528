import os
import socket
import subprocess
import sys

import pytest

from bellboard.workers.__main__ import EXIT_USAGE, main


@pytest.mark.parametrize("arguments", [[], ["3"], ["three", "four"]], ids=" ".join)
def test_started_by_hand_it_says_how_it_is_started(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["workers", *arguments])
    assert main() == EXIT_USAGE
    assert capsys.readouterr().err == "bellboard.workers is started by `bellboard run`, not by hand\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (b"", "empty: no bytes"),
        (b"\x09", "version: version byte 9, this side speaks 1"),
        (b"\x01\x80", "malformed: Object missing required field `source`"),
    ],
)
def test_an_order_that_cannot_be_read_is_refused(words: bytes, why: str) -> None:
    theirs, ours = socket.socketpair()
    life, ours_too = os.pipe()
    with ours:
        ours.sendall(words)
    done = subprocess.run(
        [sys.executable, "-m", "bellboard.workers", str(theirs.fileno()), str(life)],
        pass_fds=(theirs.fileno(), life),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    theirs.close()
    for end in (life, ours_too):
        os.close(end)
    assert (done.returncode, done.stderr) == (EXIT_USAGE, f"bellboard.workers: unreadable order ({why})\n")
