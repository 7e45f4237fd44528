"""What the docs promise about the code is compared with the code."""

import importlib
import re
from pathlib import Path

import pytest
from settings_table import shown, table

from bellboard.supervisor.aggregator.lifecycle import TRANSITIONS
from bellboard.supervisor.manual import PAGES, TOP
from bellboard.supervisor.views.board.columns import COLUMNS
from bellboard.supervisor.views.board.keys import KEYS

DOCS = Path(__file__).parents[1] / "docs"


def test_the_lifecycle_table_of_the_docs_is_the_table_of_the_code() -> None:
    text = (DOCS / "architecture.md").read_text()
    table = text.partition("<!-- lifecycle -->")[2].partition("<!-- /lifecycle -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    said = {
        (now, trigger): (then, tuple(filter(None, re.split(r",\s*", events)))) for now, trigger, then, events in rows
    }
    assert said == {pair: (step.then, step.events) for pair, step in TRANSITIONS.items()}


def test_the_table_of_settings_is_the_one_of_the_code() -> None:
    # Make it anew with: PYTHONPATH=tests/support python -c "import settings_table; print(settings_table.table())"
    assert shown(DOCS / "configuration.md") == table()


def test_the_settings_that_the_readme_shows_are_there_with_these_defaults() -> None:
    section = (DOCS.parent / "README.md").read_text().partition("## Configuration")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_.]+)` \| `(.*?)` \| ", section, re.MULTILINE)
    known = {row[0]: row[1] for row in re.findall(r"^\| `(.*?)` \| `(.*?)` \|", table(), re.MULTILINE)}
    assert len(rows) > 4
    assert {key: default.strip('"') for key, default in rows} == {key: known[key] for key, _ in rows}


def test_from_a_clone_the_whole_live_board_is_installed() -> None:
    (line,) = re.findall(r"^python3 -m venv .*bellboard demo.*$", (DOCS.parent / "README.md").read_text(), re.MULTILINE)
    assert "pip install -q '.[tui]' && {" in line


def test_each_command_has_its_section_with_the_examples_of_its_help() -> None:
    text = (DOCS / "commands.md").read_text()
    sections = {name: body for name, _, body in (part.partition("\n") for part in text.split("\n## ")[1:])}
    assert set(sections) == {"bellboard", *PAGES}
    for name, page in PAGES.items():
        assert [line for line in page.examples if line not in sections[name].splitlines()] == []
    codes = dict(re.findall(r"^\| (\d+) \| (.*?) \|$", text, re.MULTILINE))
    assert {int(code) for code in codes} == {0, 1, *TOP.exits}


def test_what_troubleshooting_quotes_of_doctor_is_what_doctor_says() -> None:
    code = "".join(path.read_text() for path in (DOCS.parent / "supervisor").rglob("*.py"))
    code += (DOCS.parent / "sources/claude/keeping.py").read_text()
    rows = [
        row.split("|")[2] for row in (DOCS / "troubleshooting.md").read_text().splitlines() if row.startswith("| ")
    ][2:]
    heads = [head for row in rows for head in re.findall(r"`([a-z]+)`", row)]
    assert heads
    assert {head for head in heads if f'"{head}"' not in code} == set()


@pytest.mark.parametrize("path", [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name)
def test_each_link_to_a_file_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)", path.read_text(encoding="utf-8"))
    lost = [name for name, _ in links if name and not (path.parent / name).exists()]
    for name, anchor in links:
        target = path.parent / name if name else path
        if anchor and target.suffix == ".md" and target.exists():
            titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            lost += [] if anchor[1:] in anchors else [name + anchor]
    assert lost == []


def test_the_examples_in_the_readme_are_the_files_that_are_tested() -> None:
    text = (DOCS.parent / "README.md").read_text()
    for name, start in (("follow.py", "import sys"), ("notes/notes_source.py", "from pathlib")):
        code = (DOCS / "examples" / name).read_text()
        shown = code[code.index(start) :].partition("\n\n\ndef register")[0]
        lines = [line for line in shown.splitlines() if '"""' not in line]
        assert [line for line in lines if line and line not in text.splitlines()] == []


NUMBERS = {
    "WIRE_LIMIT": "256 KiB",
    "CURSOR_LIMIT": "64 KiB",
    "READ_LIMIT": "1 MiB",
    "LINE_LIMIT": "16 MiB",
    "DOCUMENT_LIMIT": "256 MiB",
    "MOST_UPDATES": "64",
    "JOURNAL_SLOTS": "384",
    "HIGH_WATER_WORKER": "64",
    "HIGH_WATER_BOARD": "1000",
    "MOST_STRIKES": "3",
    "MOST_SUSPECTS": "1000",
    "LINES_PER_SECOND": "200",
    "FILES": "5",
    "CLOSE_SECONDS": "5",
    "SELDOMER": "5",
    "HIGH_WATER_EVENTS": "2000",
    "BUFFER_LIMIT": "20,000",
    "SUBSCRIPTION_LIMIT": "4 KiB",
    "REQUEST_LIMIT": "64 KiB",
    "MOST_ASKERS": "1000",
    "MOST_PAGES": "16",
    "MOST_TOLD": "4",
    "MOST_MARKS": "400",
    "MOST_ALL": "50,000",
    "TEXT_LIMIT": "300",
    "MOST_SPOOL": "256 KiB",
    "MOST_ROWS": "50,000",
    "MOST_BYTES": "500 KiB",
    "MOST_AT_ONCE": "256",
}
"""What docs/limits.md says of each constant that it names."""


def written(number: int) -> str:
    """Write a number as the docs do."""
    for size, unit in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if number % size == 0 and number >= size:
            return f"{number // size} {unit}"
    return f"{number:,}" if number >= 10_000 else str(number)


def test_each_bound_of_the_docs_is_the_one_of_the_code() -> None:
    rows = re.findall(
        r"^\|[^|]+\| ([^|]+) \|[^|]*\| `([A-Z_]+)`, ([\w/]+)\.py \|$", (DOCS / "limits.md").read_text(), re.MULTILINE
    )
    assert {name for _, name, _ in rows} == set(NUMBERS)
    for bound, name, path in rows:
        value = getattr(importlib.import_module("bellboard." + path.replace("/", ".")), name)
        assert (written(value), bound.startswith(NUMBERS[name])) == (NUMBERS[name], True), name


@pytest.mark.parametrize("document", ["security.md", "reliability.md"])
def test_each_test_that_a_document_names_exists(document: str) -> None:
    text = (DOCS / document).read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in (DOCS.parent / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", text))
    assert {name for name in named if f"def {name}(" not in tests} == set()
    files = set(re.findall(r"tests/[\w/]+\.py", text))
    assert {name for name in files if not (DOCS.parent / name).exists()} == set()


def test_the_page_of_the_board_has_every_key_and_column_and_the_picture_that_is_tested() -> None:
    text = (DOCS / "board.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert [row for row in rows if row in {(key.keys, key.words) for key in KEYS}] == [
        (key.keys, key.words) for key in KEYS
    ]
    headings = [column.heading for column in COLUMNS]
    assert [name for name, _ in rows if name in headings] == headings
    picture = (DOCS.parent / "tests/data/board/80.txt").read_text(encoding="utf-8")
    assert picture.rstrip() in text
    order = sorted((column for column in COLUMNS if column.rank > 1), key=lambda column: -column.rank)
    assert ", ".join(column.heading for column in order) in text
