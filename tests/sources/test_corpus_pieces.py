"""Incremental is whole, for every genuine session of the corpus: however it is cut, the end is that of one reading.

Each piece is read by a source that never saw the home before, from the stored cursor. The sessions of our own test data,
one byte at a time and with made-up rows between, are in each agent's own tests (`test_pieces.py`, `test_incremental.py`).
"""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hostile_home import Board
from hypothesis import given, settings
from hypothesis import strategies as st

CORPUS = Path(__file__).parents[2] / "../shared/corpus"
TRUTH = CORPUS / "truth.json"
CASES: list[dict[str, Any]] = json.loads(TRUTH.read_text())["cases"] if TRUTH.exists() else []

pytestmark = pytest.mark.skipif(not CASES, reason="no corpus beside the repository")


def of(*sources: str) -> list[Any]:
    return [pytest.param(case, id=case["case"]) for case in CASES if case["source"] in sources] or [
        pytest.param({}, id="no corpus")
    ]


def told(board: Board) -> dict[str, Any]:
    """All that a board was told, without the way that led there."""
    found: dict[str, Any] = {}
    for name, seen in board.seen.items():
        facts = {key: value for key, value in seen.facts.items() if value is not None}
        found[name] = (seen.messages, seen.tool_calls, seen.compactions, facts)
    return found


def whole(case: dict[str, Any], root: Path) -> dict[str, Any]:
    shutil.copytree(CORPUS / case["root"], root)
    board = Board(case["source"], root)
    board.read()
    return told(board)


def growing(case: dict[str, Any]) -> list[Path]:
    folder = CORPUS / case["root"]
    # The list of names is not a session's: it is there from the beginning.
    return sorted(path.relative_to(folder) for path in folder.rglob("*.jsonl") if path.name != "session_index.jsonl")


def in_pieces(case: dict[str, Any], root: Path, places: Iterable[int]) -> dict[str, Any]:
    """Let the files grow, one after the other, to these places (counted through all of them), and read each time."""
    folder, paths = CORPUS / case["root"], growing(case)
    shutil.copytree(folder, root)
    for path in paths:
        (root / path).unlink()
    board = Board(case["source"], root)
    begin, ends = 0, sorted(set(places))
    for path in paths:
        text = (folder / path).read_bytes()
        cuts = [end - begin for end in ends if begin < end < begin + len(text)]
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            with (root / path).open("ab") as file:
                file.write(text[start:end])
            # Where rows bear no times the file's own counts.
            shutil.copystat(folder / path, root / path)
            board.read()
        begin += len(text)
    board.read()
    return told(board)


def line_ends(case: dict[str, Any]) -> list[int]:
    text = b"".join((CORPUS / case["root"] / path).read_bytes() for path in growing(case))
    return [place + 1 for place, byte in enumerate(text) if byte == 10]


@pytest.mark.parametrize("case", of("claude", "codex", "gemini", "pi"))
def test_cut_at_every_end_of_a_line(case: dict[str, Any], tmp_path: Path) -> None:
    assert in_pieces(case, tmp_path / "pieces", line_ends(case)) == whole(case, tmp_path / "whole")


@pytest.mark.parametrize("case", of("claude", "codex", "gemini", "pi"))
@settings(max_examples=3, derandomize=True, deadline=None)
@given(data=st.data())
def test_cut_anywhere(case: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    root = tmp_path_factory.mktemp("cut")
    size = sum((CORPUS / case["root"] / path).stat().st_size for path in growing(case))
    places = data.draw(st.lists(st.integers(1, max(1, size)), max_size=12))

    assert in_pieces(case, root / "pieces", places) == whole(case, root / "whole")


def smallest() -> list[Any]:
    """The smallest case of each agent: its bytes can come one by one."""
    sized = [(max(line_ends(case)[-1:], default=0), case) for case in CASES if growing(case)]
    names = dict.fromkeys(case["source"] for _, case in sized)
    small = (min((size, case["case"]) for size, case in sized if case["source"] == name and size) for name in names)
    chosen = {name for _, name in small}
    return [pytest.param(case, id=case["case"]) for case in CASES if case["case"] in chosen]


@pytest.mark.parametrize("case", smallest() or of())
def test_one_byte_at_a_time(case: dict[str, Any], tmp_path: Path) -> None:
    size = line_ends(case)[-1]
    # Of a larger file the last lines come byte by byte.
    places = range(max(0, size - 300), size)

    assert in_pieces(case, tmp_path / "pieces", places) == whole(case, tmp_path / "whole")


# stores


def rows_of(database: sqlite3.Connection) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the rows in which reading can notice anything, in the order in which they were made."""
    for table in ("session", "message", "part"):
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        for row in database.execute(f"SELECT * FROM {table} ORDER BY time_created, id"):  # noqa: S608 - our own names
            yield table, (dict(zip(columns, row, strict=True))["time_created"], *row)


def databases() -> list[Any]:
    return [each for each in of("opencode") if list((CORPUS / each.values[0].get("root", "x")).glob("*.db"))]


@pytest.mark.parametrize("case", databases() or of())
def test_rows_that_come_one_by_one(case: dict[str, Any], tmp_path: Path) -> None:
    expected = whole(case, tmp_path / "whole")
    pieces = tmp_path / "pieces"
    pieces.mkdir()
    board = Board("opencode", pieces)
    with (
        closing(sqlite3.connect(tmp_path / "whole/opencode.db")) as made,
        closing(sqlite3.connect(pieces / "opencode.db", isolation_level=None)) as growing_store,
    ):
        for (statement,) in made.execute("SELECT sql FROM sqlite_master WHERE name IN ('session', 'message', 'part')"):
            growing_store.execute(statement)
        rows = sorted(rows_of(made), key=lambda row: row[1][0])
        for table, (_, *values) in rows:
            growing_store.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)  # noqa: S608
            board.read()

    assert len(rows) > 5
    assert told(board) == expected


def trees() -> list[Any]:
    return [each for each in of("opencode") if (CORPUS / each.values[0].get("root", "x") / "storage").exists()]


@pytest.mark.parametrize("case", trees() or of())
def test_files_that_come_one_by_one_and_half_written(case: dict[str, Any], tmp_path: Path) -> None:
    expected = whole(case, tmp_path / "whole")
    folder, pieces = tmp_path / "whole", tmp_path / "pieces"
    board = Board("opencode", pieces)
    paths = sorted(folder.rglob("*.json"), key=lambda path: (path.parts[-3] != "session", path.name))
    (pieces / "storage").mkdir(parents=True)
    for path in paths:
        place = pieces / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_bytes()
        for end in (len(text) // 2, len(text)):
            place.write_bytes(text[:end])
            board.read()
        shutil.copystat(path, place)
    board.read()

    assert told(board) == expected


def documents() -> list[Any]:
    return [
        each for each in of("gemini") if list((CORPUS / each.values[0].get("root", "x")).rglob("chats/session-*.json"))
    ]


@pytest.mark.parametrize("case", documents() or of())
def test_a_document_that_is_saved_message_by_message(case: dict[str, Any], tmp_path: Path) -> None:
    expected = whole(case, tmp_path / "whole")
    root = tmp_path / "pieces"
    shutil.copytree(CORPUS / case["root"], root)
    board = Board("gemini", root)
    for path in root.rglob("chats/session-*.json"):
        text = path.read_bytes()
        document = json.loads(text)
        for count in range(1, len(document["messages"]) + 1):
            saved = json.dumps({**document, "messages": document["messages"][:count]}, indent=2)
            for end in (len(saved) // 2, len(saved)):
                path.write_text(saved[:end])
                board.read()
        path.write_bytes(text)
        board.read()

    assert told(board) == expected
