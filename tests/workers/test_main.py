import os
import sys

import pytest

from bellboard.workers.__main__ import EXIT_USAGE, main


def ordered(words: bytes) -> int:
    """Return a descriptor from which these words can be read."""
    read, write = os.pipe()
    with os.fdopen(write, "wb") as file:
        file.write(words)
    return read


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
def test_an_order_that_cannot_be_read_is_refused(
    words: bytes, why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["workers", str(ordered(words)), "0"])
    assert main() == EXIT_USAGE
    assert capsys.readouterr().err == f"bellboard.workers: unreadable order ({why})\n"
