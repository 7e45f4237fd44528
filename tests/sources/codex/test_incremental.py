"""Read in pieces is read whole, wherever a piece ends, and with nothing kept between two readings but the cursor."""

from pathlib import Path
from typing import Any

import pytest
from codex_home import DATA, Desk, copied, rollouts, still
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CASES = ("tools", "interrupted", "compaction", "legacy_098", "bare_023", "legacy_fork", "subagent_fork_v1", "rewind")


def text_of(case: str) -> list[tuple[Path, bytes]]:
    """The files of one case, oldest first, and what is in them."""
    return [(path.relative_to(DATA / case), path.read_bytes()) for path in rollouts(DATA / case)]


def whole(case: str, root: Path) -> dict[str, Any]:
    desk = Desk(copied(case, root))
    for path in rollouts(root):
        still(path)
    return desk.read().sessions


def in_pieces(case: str, root: Path, cuts: list[int]) -> dict[str, Any]:
    """Let the files grow to each of these places, which count through all files, and read on each time."""
    desk = Desk(root)
    index = DATA / case / "session_index.jsonl"
    if index.exists():
        (root / index.name).write_bytes(index.read_bytes())
    begin = 0
    files = text_of(case)
    ends = [*sorted(cuts), sum(len(data) for _, data in files)]
    for relative, data in files:
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        for end in ends:
            size = min(end - begin, len(data))
            if size > (path.stat().st_size if path.exists() else 0):
                path.write_bytes(data[:size])
                still(path)
                desk.read()
        begin += len(data)
    return desk.read().sessions


@pytest.mark.parametrize("case", CASES)
def test_cut_at_every_end_of_a_line(case: str, tmp_path: Path) -> None:
    text = b"".join(data for _, data in text_of(case))
    ends = [place + 1 for place, byte in enumerate(text) if byte == 10]

    assert in_pieces(case, tmp_path / "pieces", ends) == whole(case, tmp_path / "whole")


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=6, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(min_value=1, max_value=30_000), max_size=12))
def test_cut_anywhere(case: str, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    root = tmp_path_factory.mktemp("cut")

    assert in_pieces(case, root / "pieces", cuts) == whole(case, root / "whole")


def test_byte_by_byte(tmp_path: Path) -> None:
    size = sum(len(data) for _, data in text_of("bare_023"))

    assert in_pieces("bare_023", tmp_path / "pieces", list(range(size))) == whole("bare_023", tmp_path / "whole")


def test_one_source_that_goes_on_reads_as_fresh_ones_do(tmp_path: Path) -> None:
    (relative, data), *_ = text_of("tools")
    desk = Desk(tmp_path / "pieces")
    source = desk.source()
    path = desk.root / relative
    path.parent.mkdir(parents=True)
    for end in range(0, len(data), 997):
        path.write_bytes(data[:end])
        desk.read(source, list(source.discover()))
    path.write_bytes(data)

    assert desk.read(source, list(source.discover())).sessions == whole("tools", tmp_path / "whole")


def test_a_call_reads_one_piece_and_the_next_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellboard.sources.codex.reading.READ_LIMIT", 3000)
    desk = Desk(copied("rewind", tmp_path / "home"))
    source = desk.source()
    (handle,) = source.discover()
    sizes: list[int] = []
    cursor = ""
    while True:
        update, after = source.parse(handle, cursor)
        if update is not None:
            desk.board.take(update)
        if after == cursor:
            break
        sizes.append(len(after.partition("|")[0]))
        cursor = after

    # the stamp is missing until everything was consumed
    assert len(sizes) > 5
    assert [bool(size) for size in sizes] == [False] * (len(sizes) - 1) + [True]
    assert desk.board.sessions == whole("rewind", tmp_path / "whole")
