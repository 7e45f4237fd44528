"""A file that grows is read on in whole lines; one that was cut off or replaced is read from its beginning again."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.sources import tail
from bellboard.sources.tail import Mark, Piece, read_on, stamp_of, unstamped

START = Mark()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "artifact.jsonl"


def read(path: Path, mark: Mark = START, budget: int = tail.READ_LIMIT) -> Piece:
    piece = read_on(str(path), mark, budget)
    assert piece is not None
    return piece


def rest(path: Path, mark: Mark = START, budget: int = tail.READ_LIMIT) -> tuple[list[Piece], bytes, Mark]:
    """Read until nothing is new. Returns the pieces, all their data, and the last mark."""
    pieces: list[Piece] = []
    while (piece := read_on(str(path), mark, budget)) is not None:
        assert len(pieces) < 1000
        pieces.append(piece)
        mark = piece.mark
    return pieces, b"".join(piece.data for piece in pieces), mark


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_whole_lines_are_read_and_a_torn_one_waits(path: Path) -> None:
    path.write_bytes(b"one\ntwo\nthr")
    piece = read(path)
    assert (piece.data, piece.mark.offset, piece.more, piece.replaced, piece.overlong) == (
        b"one\ntwo\n",
        8,
        False,
        False,
        (),
    )
    assert read_on(str(path), piece.mark) is None

    append(path, b"ee\nfo")
    piece = read(path, piece.mark)
    assert (piece.data, piece.mark.offset) == (b"three\n", 14)
    append(path, b"ur\n")
    assert read(path, piece.mark).data == b"four\n"


def test_an_empty_file_and_one_with_only_a_torn_line_have_nothing_to_say_yet(path: Path) -> None:
    path.touch()
    piece = read(path)
    assert (piece.data, piece.mark.offset, piece.more) == (b"", 0, False)
    append(path, b"torn")
    piece = read(path, piece.mark)
    assert (piece.data, piece.mark.offset, piece.more) == (b"", 0, False)
    assert read_on(str(path), piece.mark) is None


def test_a_file_larger_than_the_budget_comes_in_pieces(path: Path) -> None:
    lines = b"".join(b"line %04d\n" % number for number in range(100))
    path.write_bytes(lines)
    pieces, data, _ = rest(path, budget=64)
    assert data == lines
    assert all(len(piece.data) == 60 for piece in pieces[:-1])
    assert [piece.more for piece in pieces] == [True] * (len(pieces) - 1) + [False]


def test_one_line_longer_than_the_budget_comes_whole(path: Path) -> None:
    path.write_bytes(b"a\n" + b"b" * 500 + b"\nc\n")
    pieces, data, _ = rest(path, budget=10)
    assert data == path.read_bytes()
    assert [len(piece.data) for piece in pieces] == [2, 501, 2]


def test_a_line_beyond_the_limit_is_passed_over_and_reported_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "LINE_LIMIT", 1000)
    long = b'{"type": "x"' + b"x" * 5000
    path.write_bytes(b"one\n" + long + b"\ntwo\n")
    pieces, data, mark = rest(path, budget=100)
    assert data == b"one\ntwo\n"
    assert [piece.overlong for piece in pieces if piece.overlong] == [(long[:512],)]
    assert (mark.skipping, mark.offset) == (False, path.stat().st_size)


def test_a_line_beyond_the_limit_may_still_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "LINE_LIMIT", 1000)
    path.write_bytes(b"one\n" + b"x" * 3000)
    pieces, data, mark = rest(path, budget=100)
    assert (data, sum(len(piece.overlong) for piece in pieces), mark.skipping) == (b"one\n", 1, True)
    append(path, b"x" * 100)
    _, data, mark = rest(path, mark)
    assert (data, mark.skipping) == (b"", True)
    append(path, b"x\ntwo\n")
    pieces, data, mark = rest(path, mark)
    assert (data, mark.skipping, pieces[0].overlong, pieces[0].replaced) == (b"two\n", False, (), False)


@pytest.mark.parametrize("size", [3, 255, 256, 257, 1023, 1024, 1025, 5000])
def test_a_shorter_file_is_read_anew(path: Path, size: int) -> None:
    path.write_bytes(b"x" * size + b"\n")
    mark = read(path).mark
    path.write_bytes(b"y\n")
    piece = read(path, mark)
    assert (piece.data, piece.replaced) == (b"y\n", True)


def test_a_file_emptied_says_so_at_once(path: Path) -> None:
    path.write_bytes(b"one\n")
    mark = read(path).mark
    path.write_bytes(b"")
    piece = read(path, mark)
    assert (piece.data, piece.replaced, piece.mark.offset) == (b"", True, 0)
    assert read_on(str(path), piece.mark) is None


@pytest.mark.parametrize("place", [0, 500, 1999])
def test_a_file_rewritten_at_equal_length_is_noticed_at_either_end(path: Path, place: int) -> None:
    data = bytearray(b"x" * 2000 + b"\n")
    path.write_bytes(data)
    mark = read(path).mark
    data[place] = ord("y")
    path.write_bytes(data)
    os.utime(path, (1, 2))
    assert read(path, mark).replaced


def test_an_edit_in_the_middle_that_leaves_both_ends_alone_cannot_be_seen(path: Path) -> None:
    data = bytearray(b"x" * 4000 + b"\n")
    path.write_bytes(data)
    mark = read(path).mark
    data[2000] = ord("y")
    path.write_bytes(data)
    os.utime(path, (1, 2))
    piece = read(path, mark)
    assert (piece.data, piece.replaced) == (b"", False)


def test_a_file_cut_back_and_grown_beyond_is_read_anew(path: Path) -> None:
    path.write_bytes(b"one\ntwo\n")
    mark = read(path).mark
    path.write_bytes(b"one\nTWO and three\n")
    piece = read(path, mark)
    assert (piece.data, piece.replaced) == (b"one\nTWO and three\n", True)


def test_a_file_regrown_to_the_same_end_is_read_anew(path: Path) -> None:
    end = b"x" * 300 + b"\n"
    path.write_bytes(b"one\n" + end)
    mark = read(path).mark
    path.write_bytes(b"two\n" + end + b"more\n")
    piece = read(path, mark)
    assert (piece.data, piece.replaced) == (b"two\n" + end + b"more\n", True)


def test_a_copy_in_its_place_goes_on_and_another_text_does_not(path: Path) -> None:
    path.write_bytes(b"one\ntwo\n")
    mark = read(path).mark
    copy = path.with_name("copy")
    copy.write_bytes(b"one\ntwo\nthree\n")
    copy.replace(path)
    piece = read(path, mark)
    assert (piece.data, piece.replaced, piece.mark.ino != mark.ino) == (b"three\n", False, True)

    other = path.with_name("other")
    other.write_bytes(b"ONE\ntwo\nthree\nfour\n")
    other.replace(path)
    assert read(path, piece.mark).replaced


def test_a_touched_file_has_nothing_new_and_a_new_stamp(path: Path) -> None:
    path.write_bytes(b"one\n")
    mark = read(path).mark
    os.utime(path, (1, 2))
    piece = read(path, mark)
    assert (piece.data, piece.replaced, piece.mark.stamp != mark.stamp) == (b"", False, True)
    assert piece.modified_at == 2


def test_a_mark_without_its_stamp_looks_again(path: Path) -> None:
    path.write_bytes(b"one\n")
    mark = read(path).mark
    assert mark.stamp == stamp_of(path.stat())
    again = read(path, unstamped(mark))
    assert (again.data, again.mark) == (b"", mark)


def test_what_is_no_regular_file_is_an_error_and_what_is_missing_an_ordinary_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_on(str(tmp_path / "no"), Mark())
    with pytest.raises(OSError, match="not a regular file"):
        read_on(str(tmp_path), Mark())
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_on(str(tmp_path / "pipe"), Mark())


def test_no_descriptor_is_left_open(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"one\n")
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    mark = read(path).mark
    read_on(str(path), mark)
    with pytest.raises(OSError, match="not a regular file"):
        read_on(str(tmp_path), mark)
    assert not before or len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_shrinks_while_it_is_read_is_read_anew_the_next_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"one\n" * 1000)
    mark = read(path, budget=1000).mark
    fstat = os.fstat

    def then_cut(fd: int) -> os.stat_result:
        status = fstat(fd)
        os.truncate(path, 400)
        return status

    monkeypatch.setattr(os, "fstat", then_cut)
    piece = read(path, mark)
    assert (piece.data, piece.replaced, piece.more) == (b"one\n" * 100, True, True)
    monkeypatch.undo()
    _, data, mark = rest(path, piece.mark)
    assert (data, mark.offset) == (b"", 400)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    lines=st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=30),
    cuts=st.lists(st.integers(0, 2000), max_size=10),
    budget=st.integers(1, 300),
)
def test_however_it_grows_and_is_read_each_line_comes_once_and_in_order(
    lines: list[bytes], cuts: list[int], budget: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = b"".join(line + b"\n" for line in lines) + b"torn"
    path = tmp_path_factory.mktemp("tail") / "file"
    path.touch()
    mark, got, start = Mark(), b"", 0
    for end in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        append(path, data[start:end])
        start = end
        pieces, new, mark = rest(path, mark, budget)
        got += new
        assert not any(piece.replaced for piece in pieces)
        assert all(piece.data.endswith(b"\n") for piece in pieces if piece.data)
    assert got == data[:-4]
