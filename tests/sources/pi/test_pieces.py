"""Read in pieces is read whole, wherever a piece ends, with nothing kept between two readings but the cursor."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pi_home import DATA, SESSION, Home, assistant, copied, entry, header, lines, name_of, result, usage, user

from bellboard.sources.pi.state import NEWEST_PLACES, TURN_PLACES

SMALL = lines(
    header(), user("a", None, 1, "é€\u2028"), assistant("b", "a", 2, ("c1", "bash"), ("c2", "read")),
    result("c", "b", 3, "c1"), result("d", "c", 4, "c2"), assistant("e", "d", 5), entry("compaction", "f", "e", 6),
    user("g", "b", 7), {"type": "news"}, assistant("h", "g", 8, model="m2"), entry("session_info", "i", "h", 9, name="N"),
)  # fmt: skip


def long_life() -> bytes:
    """More turns than places are remembered, and branches that begin near, far and too far back."""
    rows: list[Any] = [header()]
    parent: str | None = None
    for turn in range(TURN_PLACES + NEWEST_PLACES):
        back = {20: "t18", 40: "t2", 60: "t50", 70: "t1"}.get(turn)
        parent = f"{back}c" if back else parent
        told: dict[str, Any] = {"usage": usage(turn + 1), "model": f"m{turn % 20}"}
        rows += [
            user(f"t{turn}a", parent, turn),
            assistant(f"t{turn}b", f"t{turn}a", turn, (f"call{turn}", "bash"), **told),
            result(f"t{turn}r", f"t{turn}b", turn, f"call{turn}"),
            assistant(f"t{turn}c", f"t{turn}r", turn, **told),
        ]
        parent = f"t{turn}c"
    return lines(*rows)


def text_of(case: str) -> bytes:
    if case == "small":
        return SMALL
    if case == "long":
        return long_life()
    return next((DATA / case).rglob("*.jsonl")).read_bytes()


CASES = ("tools", "tool_running", "api_error", "small")


def whole(text: bytes, root: Path) -> dict[str, Any]:
    home = Home(root)
    home.path().write_bytes(text)
    return home.read()


def in_pieces(text: bytes, root: Path, cuts: list[int]) -> dict[str, Any]:
    """Let the file grow to these places, and read on every time."""
    home = Home(root)
    for end in [*sorted(cut for cut in cuts if cut < len(text)), len(text)]:
        home.path().write_bytes(text[:end])
        home.read()
    return home.sessions


@pytest.mark.parametrize("case", [*CASES, "long"])
def test_cut_at_every_end_of_a_line(case: str, tmp_path: Path) -> None:
    text = text_of(case)
    ends = [place + 1 for place, byte in enumerate(text) if byte == 10]

    assert in_pieces(text, tmp_path / "pieces", ends) == whole(text, tmp_path / "whole")


@pytest.mark.parametrize("case", [*CASES, "long"])
@settings(max_examples=8, derandomize=True, deadline=None)
@given(cuts=st.lists(st.integers(min_value=1, max_value=12_000), max_size=12))
def test_cut_anywhere(case: str, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    root = tmp_path_factory.mktemp("cut")
    text = text_of(case)

    assert in_pieces(text, root / "pieces", cuts) == whole(text, root / "whole")


def test_one_byte_at_a_time(tmp_path: Path) -> None:
    slowly = in_pieces(SMALL, tmp_path / "slowly", list(range(len(SMALL))))

    assert slowly == whole(SMALL, tmp_path / "whole")
    assert [slowly[SESSION][name] for name in ("message_count", "tool_call_count", "unknown_records")] == [5, 2, 1]
    assert slowly[SESSION]["title"] == "N"


def test_the_same_source_reads_on_as_fresh_ones_do(tmp_path: Path) -> None:
    text = text_of("tools")
    home = Home(tmp_path / "pieces")
    source = home.source()
    for end in range(0, len(text), 997):
        home.path().write_bytes(text[:end])
        for handle in source.discover():
            home.step(handle)
    home.path().write_bytes(text)

    assert home.read() == whole(text, tmp_path / "whole")


def test_a_call_reads_one_piece_and_the_next_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellboard.sources.pi.source.READ_LIMIT", 600)
    home = Home(tmp_path / "home")
    home.path().write_bytes(SMALL)
    (handle,) = home.source().discover()
    stamps: list[str] = []
    before = None
    while before != home.cursors.get(SESSION, ""):
        before = home.cursors.get(SESSION, "")
        home.step(handle)
        stamps.append(home.cursors[SESSION].partition("|")[0])

    # the stamp is missing until everything was consumed
    assert len(stamps) > 4
    assert set(stamps[:-2]) == {""}
    assert stamps[-2:] == [handle.stamp] * 2
    assert home.sessions == whole(SMALL, tmp_path / "whole")


def test_a_genuine_home_is_found_by_the_name_of_its_file(tmp_path: Path) -> None:
    home = Home(copied("tools", tmp_path))

    (handle,) = home.source().discover()

    assert handle.path.endswith(name_of(handle.id).partition("_")[2])


def test_cursors_stay_small(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.path().write_bytes(long_life())
    home.read()

    assert len(home.cursors[SESSION]) < 3000
