import errno
import io
import os
from pathlib import Path

import pytest

from bellboard.supervisor.crew.logbook import FILE_BYTES, FILES, LINES_PER_SECOND, Flow, Logbook


def test_more_lines_than_a_second_may_bring_are_dropped_and_counted() -> None:
    flow = Flow()
    lines = [str(number) for number in range(LINES_PER_SECOND + 7)]
    assert flow.admit(lines, 1.0) == lines[:LINES_PER_SECOND]
    assert flow.admit(["late"], 1.9) == []
    assert flow.admit(["next"], 2.0) == ["... 8 more lines within a second were dropped", "next"]


def test_each_source_has_a_file_of_its_own_which_is_bounded(tmp_path: Path) -> None:
    book = Logbook(str(tmp_path / "logs"))
    for second in range(8):
        book.write("claude", ["x" * 2000] * LINES_PER_SECOND * 2, float(second * 10))
        book.write("claude", ["y" * 2000] * LINES_PER_SECOND, second * 10 + 5.0)
    book.write("codex", ["hello"], 1.0)
    book.close()
    names = sorted(os.listdir(tmp_path / "logs"))
    assert names == ["claude.log", *(f"claude.log.{number}" for number in range(1, FILES)), "codex.log"]
    assert all(os.stat(tmp_path / "logs" / name).st_size <= FILE_BYTES for name in names)
    assert (tmp_path / "logs" / "codex.log").read_text().endswith(" hello\n")


def test_a_full_disk_loses_lines_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Logbook(str(tmp_path))
    book.write("claude", ["before"], 1.0)

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, f"No space left on device for {len(text)} characters")

    with monkeypatch.context() as patch:
        patch.setattr(book._pages["claude"], "stream", Full())
        book.write("claude", ["lost"], 2.0)
        assert book._pages["claude"].lost == 1
    book.write("claude", ["after"], 3.0)
    book.close()
    assert [line.rpartition(" ")[2] for line in (tmp_path / "claude.log").read_text().splitlines()] == [
        "before",
        "after",
    ]


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    book = Logbook(str(tmp_path / "file" / "logs"))
    for clock in (1.0, 2.0):
        book.write("claude", ["hello"], clock)
    assert caplog.messages == ["cannot keep the workers' logs: Not a directory"]
