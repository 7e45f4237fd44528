"""A document that is saved anew is read whole when it has changed, and never when it is too large or no file."""

import os
from pathlib import Path

import pytest

from bellboard.sources import whole
from bellboard.sources.errors import ArtifactTooLarge
from bellboard.sources.whole import Document, read_whole


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "document.json"


def test_a_document_is_read_when_its_stamp_has_changed(path: Path) -> None:
    path.write_bytes(b'{"a": 1}')
    os.utime(path, (1, 2))
    first = read_whole(str(path), "")
    assert first is not None
    assert (first.data, first.modified_at) == (b'{"a": 1}', 2)
    assert read_whole(str(path), first.stamp) is None

    path.write_bytes(b'{"a": 2}')
    os.utime(path, (1, 3))
    second = read_whole(str(path), first.stamp)
    assert second == Document(b'{"a": 2}', second.stamp if second else "", 3)
    assert second is not None
    assert second.stamp != first.stamp


def test_a_document_saved_by_renaming_is_another_one(path: Path) -> None:
    path.write_bytes(b"one")
    os.utime(path, (1, 2))
    first = read_whole(str(path), "")
    assert first is not None
    saved = path.with_name("saved")
    saved.write_bytes(b"two")
    os.utime(saved, (1, 2))
    saved.replace(path)
    second = read_whole(str(path), first.stamp)
    assert second is not None
    assert second.data == b"two"


def test_an_empty_document_is_a_document(path: Path) -> None:
    path.touch()
    document = read_whole(str(path), "")
    assert document is not None
    assert document.data == b""


def test_a_document_beyond_the_limit_is_not_read(path: Path) -> None:
    path.write_bytes(b"x" * 1001)
    with pytest.raises(ArtifactTooLarge, match="1,001 bytes is above the limit of 1,000"):
        read_whole(str(path), "", limit=1000)
    document = read_whole(str(path), "", limit=1001)
    assert document is not None
    assert len(document.data) == 1001


def test_a_document_that_grows_while_it_is_read_is_read_to_its_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"a" * 10)
    read, more = os.read, [b"b" * 10]

    def growing(fd: int, length: int) -> bytes:
        data = read(fd, length)
        if more:
            with path.open("ab") as file:
                file.write(more.pop())
        return data

    monkeypatch.setattr(os, "read", growing)
    document = read_whole(str(path), "")
    assert document is not None
    assert document.data == b"a" * 10 + b"b" * 10
    monkeypatch.undo()
    assert read_whole(str(path), document.stamp) is not None


def test_what_is_no_regular_file_is_an_error_and_what_is_missing_an_ordinary_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_whole(str(tmp_path / "no"), "")
    with pytest.raises(OSError, match="not a regular file"):
        read_whole(str(tmp_path), "")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_whole(str(tmp_path / "pipe"), "")


def test_the_usual_limit_is_what_a_worker_may_hold() -> None:
    assert whole.DOCUMENT_LIMIT == 256 * 1024 * 1024
