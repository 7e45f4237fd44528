"""However a home is cut into pieces and read on, through stored cursors and by ever new sources, the end is the same."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from claude_home import DATA, SESSION, Desk, Table, answer, call, line, note, prompt, result, usage
from hypothesis import given, settings
from hypothesis import strategies as st

CASES = sorted(path.name for path in DATA.iterdir() if path.is_dir())
LIVING = Table(pid28323="170698", pid17465="149842")


def transcripts(root: Path) -> list[Path]:
    return sorted(path.relative_to(root) for path in root.rglob("*.jsonl"))


def desk(root: Path) -> Desk:
    one = Desk(root, LIVING)
    one.now += 2 * 86400
    return one


def whole(source: Path, root: Path) -> dict[str, dict[str, Any]]:
    """What the board shows of a home that is read at once."""
    shutil.copytree(source, root)
    return desk(root).read().sessions


def fed(source: Path, root: Path, steps: Iterable[tuple[Path, bytes]]) -> dict[str, dict[str, Any]]:
    """What the board shows of a home whose transcripts grow step by step; all else is there from the start."""
    shutil.copytree(source, root, ignore=shutil.ignore_patterns("*.jsonl"))
    one = desk(root)
    for path, data in steps:
        one.write(data, path=root / path)
        one.read()
    return one.read().sessions


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize("case", CASES)
def test_a_home_that_grows_line_by_line_ends_like_one_that_is_read_at_once(case: str, tmp_path: Path) -> None:
    def steps() -> Iterator[tuple[Path, bytes]]:
        for path in transcripts(DATA / case):
            for one in (DATA / case / path).read_bytes().splitlines(keepends=True):
                yield path, one

    assert fed(DATA / case, tmp_path / "fed", steps()) == whole(DATA / case, tmp_path / "whole")


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=10, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_home_that_grows_anyhow_ends_like_one_that_is_read_at_once(case: str, data: st.DataObject) -> None:
    source = DATA / case
    files = {path: (source / path).read_bytes() for path in transcripts(source)}
    places = st.lists(st.integers(0, 1 << 20), max_size=8)
    left = {path: cut(content, data.draw(places)) for path, content in files.items()}
    order = data.draw(st.permutations([path for path, pieces in left.items() for _ in pieces]))
    with tempfile.TemporaryDirectory() as folder:
        steps = [(path, left[path].pop(0)) for path in order]
        assert fed(source, Path(folder) / "fed", steps) == whole(source, Path(folder) / "whole")


SMALL = [
    note("custom-title", customTitle="Grüße"),
    prompt("Fix the test", at=0),
    answer("m1", {"type": "text", "text": "So"}, tokens=usage(output=1), stop=None, at=1),
    answer("m1", call("a", "Task", prompt="Go", subagent_type="Explore"), stop="tool_use", at=2),
    b"half a row {\n",
    result("a", at=3, toolUseResult={"agentId": "a1", "status": "completed"}),
    line("system", 4, subtype="compact_boundary", compactMetadata={"postTokens": 12, "trigger": "auto"}),
    answer("m2", tokens=usage(1, 2, 3, 4), at=5),
]


def test_a_transcript_that_grows_byte_by_byte_ends_like_one_that_is_read_at_once(tmp_path: Path) -> None:
    at_once, slowly = Desk(tmp_path / "once"), Desk(tmp_path / "slowly")
    at_once.write(*SMALL)
    (expected,) = at_once.read().sessions.values()
    assert (expected["message_count"], expected["output_tokens"], expected["unknown_records"]) == (3, 94, 1)

    for byte in b"".join(SMALL):
        slowly.write(bytes([byte]))
        slowly.read(handles=[slowly.hand()])
    assert slowly.board[SESSION] == expected


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_order_and_number_of_rows_is_the_same_in_one_piece_and_in_many(data: st.DataObject) -> None:
    rows = st.sampled_from([
        *SMALL,
        *(answer(f"m{n}", call(f"c{n}"), stop="tool_use", at=n, tokens=usage(output=n)) for n in range(25)),
        *(result(f"c{n}", at=n) for n in range(25)),
        prompt("[Request interrupted by user]", at=9),
        prompt("<task-notification><task-id>a1</task-id><status>completed</status></task-notification>", at=11),
    ])  # fmt: skip
    lines = data.draw(st.lists(rows, max_size=120))
    with tempfile.TemporaryDirectory() as folder:
        at_once, pieces = Desk(Path(folder) / "once"), Desk(Path(folder) / "pieces")
        for one in (at_once, pieces):
            one.write(prompt("Go", isSidechain=True), path=one.agent("a1"))
        at_once.write(*lines)
        pieces.write()
        for piece in cut(b"".join(lines), data.draw(st.lists(st.integers(0, 1 << 20), max_size=6))):
            pieces.write(piece)
            pieces.read()
        assert pieces.read().sessions == at_once.read().sessions


def test_reading_again_says_nothing_new(tmp_path: Path) -> None:
    root = tmp_path / "home"
    shutil.copytree(DATA / "v2.1.50", root)
    one = desk(root)
    one.read()
    updates, cursors = len(one.board.updates), dict(one.cursors)
    one.read()
    assert (len(one.board.updates), one.cursors) == (updates, cursors)


def test_a_handle_made_by_hand_gives_the_same_as_a_discovered_one(tmp_path: Path) -> None:
    root = tmp_path / "home"
    shutil.copytree(DATA / "v2.0.37", root)
    found = desk(root)
    found.read()
    by_hand = desk(root)
    (handle,) = by_hand.source().discover()
    by_hand.read(handles=[type(handle)(id=handle.id, path=handle.path, source="claude")])
    assert by_hand.board.sessions == found.board.sessions
    assert by_hand.cursors == found.cursors
