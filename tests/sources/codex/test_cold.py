"""Threads that their client has compressed, with a module that reads them and without."""

import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import pytest
from codex_home import DATA, THREAD, Board, Desk, copied, event, item, meta, rollouts

from bellboard.protocol.session import Evidence
from bellboard.sources.codex import cold as cold_module
from bellboard.sources.codex.cold import Cold, find_opener
from bellboard.sources.errors import ArtifactTooLarge, SourceError
from bellboard.sources.tail import Mark, Piece, read_on

FORK = "01a202d1-f39e-7c93-a1c2-bab685d032f3"
TURN = (
    meta(),
    event("task_started", 1),
    event("user_message", 1, message="Hello"),
    event("agent_message", 2, message="Hi"),
)

zstandard: Any = pytest.importorskip("zstandard")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


@pytest.fixture
def without_module(monkeypatch: pytest.MonkeyPatch) -> Cold:
    with monkeypatch.context() as patch:
        patch.setattr(cold_module, "find_opener", lambda: None)
        return Cold()


def compress(path: Path) -> Path:
    """What the client does with a file that nobody touched for a week."""
    packed = path.with_name(f"{path.name}.zst")
    packed.write_bytes(zstandard.ZstdCompressor().compress(path.read_bytes()))
    path.unlink()
    return packed


def unpack(path: Path) -> Path:
    """What the client does when the thread is resumed."""
    plain = path.with_suffix("")
    plain.write_bytes(zstandard.ZstdDecompressor().decompress(path.read_bytes()))
    path.unlink()
    return plain


def test_a_genuine_compressed_thread_is_read_like_a_plain_one(tmp_path: Path) -> None:
    session = Desk(copied("compressed", tmp_path / "home")).read()[FORK]

    shown = ("message_count", "tool_call_count", "title", "context_tokens", "output_tokens", "activity")
    assert tuple(session[name] for name in shown) == (2, 0, "Question three", 6225, 25, "waiting")
    assert session["unknown_records"] == 0


def test_compressed_and_resumed_a_thread_goes_on(desk: Desk) -> None:
    path = desk.write(*TURN)
    assert desk.read()[THREAD]["message_count"] == 2
    count, cursor = len(desk.board.updates), desk.cursors[THREAD]

    packed = compress(path)
    desk.read()
    assert len(desk.board.updates) == count
    assert desk.cursors[THREAD] != cursor

    path = unpack(packed)
    desk.read()
    assert len(desk.board.updates) == count
    with path.open("ab") as file:
        file.write(event("user_message", 9, message="More"))
    assert desk.read()[THREAD]["message_count"] == 3
    assert not any(update.restart for update in desk.board.updates)


def test_a_plain_file_wins_over_a_compressed_one(desk: Desk) -> None:
    path = desk.write(*TURN)
    data = path.read_bytes()
    compress(path)
    path.write_bytes(data + event("user_message", 9, message="More"))

    assert desk.read()[THREAD]["message_count"] == 3
    assert desk.source().discover()


def test_another_text_in_a_compressed_file_is_told_anew(desk: Desk) -> None:
    path = desk.write(*TURN)
    desk.read()
    path.write_bytes(meta() + event("user_message", message="Other"))
    compress(path)

    assert (desk.read()[THREAD]["message_count"], desk.board[THREAD]["title"]) == (1, "Other")
    assert desk.board.updates[-1].restart


def test_another_text_is_noticed_behind_a_common_beginning(desk: Desk) -> None:
    path = desk.write(meta(base_instructions={"text": "x" * 2000}), *TURN[1:])
    desk.read()
    path.write_bytes(path.read_bytes().replace(b"Hello", b"Howdy"))
    compress(path)

    assert desk.read()[THREAD]["title"] == "Howdy"
    assert desk.board.updates[-1].restart


def in_pieces(path: Path, budget: int, *, fresh: bool) -> list[Piece]:
    pieces: list[Piece] = []
    mark, cold = Mark(), Cold()
    while (piece := cold.read_on(str(path), mark, budget)) is not None:
        pieces.append(piece)
        assert piece.mark.stamp or piece.mark != mark
        mark = piece.mark
        if fresh:
            cold.close()
            cold = Cold()
    return pieces


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("budget", [1, 100, 5000, 1 << 20])
def test_pieces_of_a_compressed_file_are_those_of_a_plain_one(tmp_path: Path, budget: int, *, fresh: bool) -> None:
    (genuine,) = rollouts(DATA / "tools")
    path = tmp_path / "x.jsonl"
    path.write_bytes(genuine.read_bytes() + b"torn")
    plain: list[Piece] = []
    mark = Mark()
    while (piece := read_on(str(path), mark, budget)) is not None:
        plain.append(piece)
        mark = piece.mark
        if not piece.more:
            break

    cold = in_pieces(compress(path), budget, fresh=fresh)

    assert [piece.data for piece in cold if piece.data] == [piece.data for piece in plain if piece.data]
    assert not any(piece.replaced for piece in cold)
    # a mark means the same on both: offset and both checksums
    last = cold[-1].mark
    assert (last.offset, last.head, last.tail, last.skipping) == (mark.offset, mark.head, mark.tail, False)
    assert [piece.more for piece in cold] == [True] * (len(cold) - 1) + [False]


def test_over_long_lines_are_passed_over_and_torn_ones_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold_module, "LINE_LIMIT", 3000)
    monkeypatch.setattr(cold_module, "READ_LIMIT", 1000)
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"one\n" + b"x" * 10_000 + b"\ntwo\n" + b"y" * 2500)

    pieces = in_pieces(compress(path), 1000, fresh=True)

    assert b"".join(piece.data for piece in pieces) == b"one\ntwo\n"
    assert [head for piece in pieces for head in piece.overlong] == [b"x" * 512]
    assert pieces[-1].mark.offset == 4 + 10_001 + 4


def test_several_frames_are_one_text(desk: Desk) -> None:
    path = desk.write(*TURN)
    frames = b"".join(zstandard.ZstdCompressor().compress(line) for line in path.read_bytes().splitlines(keepends=True))
    path.unlink()
    path.with_name(f"{path.name}.zst").write_bytes(frames)

    assert desk.read()[THREAD]["message_count"] == 2


def test_damage_is_an_error(desk: Desk) -> None:
    packed = compress(desk.write(*TURN))
    packed.write_bytes(b"no zstandard at all")
    with pytest.raises(SourceError):
        desk.read()
    packed.unlink()
    assert desk.read().sessions == {}


def test_a_compressed_file_without_end_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold_module, "COLD_LIMIT", 1000)
    monkeypatch.setattr("bellboard.sources.codex.reading.READ_LIMIT", 500)
    path = desk.write(*TURN, *[item("reasoning")] * 50)
    compress(path)
    with pytest.raises(ArtifactTooLarge):
        desk.read()


def test_without_a_module_a_compressed_thread_is_listed_and_says_why_it_is_empty(
    desk: Desk, without_module: Cold
) -> None:
    packed = compress(desk.write(*TURN))
    (desk.root / "session_index.jsonl").write_text(f'{{"id":"{THREAD}","thread_name":"A name"}}\n')
    desk.cold = without_module

    assert without_module.available is False
    session = desk.read()[THREAD]
    assert session["evidence"] == Evidence(kind="none", detail="compressed, and no zstandard module to read it")
    assert (session["activity"], session["title"], session["message_count"]) == ("idle", "A name", 0)
    assert session["started_at"] == datetime.fromtimestamp(0x01A200000000 / 1000, UTC)
    assert [name for name in session if "tokens" in name] == []
    before = dict(desk.cursors)
    desk.read()
    assert desk.cursors == before
    with pytest.raises(SourceError):
        without_module.read_on(str(packed), Mark())

    # and once something can read it, it is read
    desk.cold = None
    assert (desk.read()[THREAD]["message_count"], desk.board[THREAD]["activity"]) == (2, "working")
    assert not any(update.restart for update in desk.board.updates)


def test_without_a_module_a_thread_that_was_read_before_stays_as_it_was(desk: Desk, without_module: Cold) -> None:
    path = desk.write(*TURN)
    desk.read()
    count = len(desk.board.updates)
    packed = compress(path)
    desk.cold = without_module
    desk.read()
    assert len(desk.board.updates) == count
    path = unpack(packed)
    with path.open("ab") as file:
        file.write(event("user_message", 9, message="More"))

    assert desk.read()[THREAD]["message_count"] == 3
    assert not any(update.restart for update in desk.board.updates)


def test_without_a_module_a_compressed_thread_in_a_home_of_locks_is_closed(desk: Desk, without_module: Cold) -> None:
    compress(desk.write(*TURN))
    (desk.root / "thread-writer-locks").mkdir()
    desk.cold = without_module

    assert desk.read()[THREAD]["end_reason"] == "closed"


def test_pythons_own_module_comes_first_and_none_at_all_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class ZstdFile:
        def __init__(self, file: BinaryIO) -> None:
            self.file = file

    own = SimpleNamespace(ZstdFile=ZstdFile, ZstdError=ValueError)
    monkeypatch.setitem(sys.modules, "compression", SimpleNamespace(zstd=own))
    monkeypatch.setitem(sys.modules, "compression.zstd", own)
    found = find_opener()
    assert found is not None
    assert isinstance(found[0](BytesIO()), ZstdFile)
    assert found[1] == (ValueError, EOFError)

    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    extra = find_opener()
    assert extra is not None
    assert extra[1] == (zstandard.ZstdError,)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert find_opener() is None


def test_an_open_stream_is_let_go_when_the_source_is_closed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellboard.sources.codex.reading.READ_LIMIT", 200)
    packed = compress(desk.write(*TURN))
    source = desk.source()
    update, cursor = source.parse(desk.hand(packed), "")
    assert cursor.startswith("|")
    source.close()
    board = Board()
    while True:
        if update is not None:
            board.take(update)
        update, after = source.parse(desk.hand(packed), cursor)
        if after == cursor:
            break
        cursor = after
    assert board[THREAD]["message_count"] == 2
