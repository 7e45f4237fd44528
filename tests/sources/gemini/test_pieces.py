"""Read in pieces is read whole, wherever a piece ends, with nothing kept between two readings but the cursor."""

from pathlib import Path
from typing import Any

import pytest
from gemini_home import DATA, FILE, Home, call, context, copied, gemini, header, info, lines, result, set_, user
from hypothesis import given, settings
from hypothesis import strategies as st

CASES = (
    "tools",
    "tui",
    "api_error",
    "resumed_later",
    "compressed_and_rewound",
    "refused_and_cancelled",
    "migrated",
    "subagent_done",
)

SMALL = lines(
    header(), set_(messages=[context("c", 0)]), user("u", 1, "é€\u2028"), gemini("g", 2), gemini("g", 2, calls=[call("t")]),
    result("r", 3), gemini("h", 4, "Yes."), info("i", 5), context("d", 5.001), set_(messages=[user("u", 1)]), user("v", 60),
)  # fmt: skip


def growing(case: str) -> list[Path]:
    return sorted(path.relative_to(DATA / case) for path in (DATA / case).rglob("*.jsonl"))


def whole(case: str, root: Path) -> dict[str, Any]:
    return Home(copied(case, root)).read()


def in_pieces(case: str, root: Path, cuts: list[int]) -> dict[str, Any]:
    """Let each file in turn grow to these places (counted through all files), and read on every time."""
    home = Home(copied(case, root))
    texts = {path: (root / path).read_bytes() for path in growing(case)}
    for path in texts:
        (root / path).unlink()
    begin = 0
    for path, text in texts.items():
        for end in [*(cut - begin for cut in sorted(cuts) if begin < cut < begin + len(text)), len(text)]:
            (root / path).write_bytes(text[:end])
            home.read()
        begin += len(text)
    return home.sessions


@pytest.mark.parametrize("case", CASES)
def test_cut_at_every_end_of_a_line(case: str, tmp_path: Path) -> None:
    text = b"".join((DATA / case / path).read_bytes() for path in growing(case))
    ends = [place + 1 for place, byte in enumerate(text) if byte == 10]

    assert in_pieces(case, tmp_path / "pieces", ends) == whole(case, tmp_path / "whole")


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=6, derandomize=True, deadline=None)
@given(cuts=st.lists(st.integers(min_value=1, max_value=20_000), max_size=12))
def test_cut_anywhere(case: str, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    root = tmp_path_factory.mktemp("cut")

    assert in_pieces(case, root / "pieces", cuts) == whole(case, root / "whole")


def test_one_byte_at_a_time(tmp_path: Path) -> None:
    at_once, slowly = Home(tmp_path / "once"), Home(tmp_path / "slowly")
    at_once.path().write_bytes(SMALL)
    with slowly.path().open("ab") as file:
        for place in range(len(SMALL)):
            file.write(SMALL[place : place + 1])
            file.flush()
            slowly.read()

    assert slowly.sessions == at_once.read()
    assert slowly.sessions["1f0c24aa-0000-4000-8000-000000000001"]["message_count"] == 4
    assert slowly.cursors.keys() == at_once.cursors.keys() == {FILE[-14:-6]}


@pytest.mark.parametrize("case", CASES)
def test_a_call_reads_no_more_than_its_limit(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = whole(case, tmp_path / "whole")
    monkeypatch.setattr("bellboard.sources.gemini.source.READ_LIMIT", 300)
    home = Home(copied(case, tmp_path / "pieces"))

    assert home.read() == expected
    assert len(home.updates) > len(expected)
