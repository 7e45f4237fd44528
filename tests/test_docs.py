"""What the docs promise about the code is compared with the code."""

import importlib
import re
from pathlib import Path

import pytest

from bellboard.supervisor.aggregator.lifecycle import TRANSITIONS
from bellboard.supervisor.config import Board, HealthRules, Limits, Restart, Work

DOCS = Path(__file__).parents[1] / "docs"


def test_the_lifecycle_table_of_the_docs_is_the_table_of_the_code() -> None:
    text = (DOCS / "architecture.md").read_text()
    table = text.partition("<!-- lifecycle -->")[2].partition("<!-- /lifecycle -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    said = {
        (now, trigger): (then, tuple(filter(None, re.split(r",\s*", events)))) for now, trigger, then, events in rows
    }
    assert said == {pair: (step.then, step.events) for pair, step in TRANSITIONS.items()}


def test_the_settings_table_of_the_readme_names_every_setting_with_its_default() -> None:
    text = (DOCS.parent / "README.md").read_text()
    kinds = {"board": Board, "restart": Restart, "work": Work, "health": HealthRules, "limits": Limits}
    for table, kind in kinds.items():
        for name in kind.__struct_fields__:
            assert f"`{table}.{name}`" in text


def test_the_examples_in_the_readme_are_the_files_that_are_tested() -> None:
    text = (DOCS.parent / "README.md").read_text()
    for name, start in (("follow.py", "from bellboard"), ("notes/notes_source.py", "class Notes")):
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
