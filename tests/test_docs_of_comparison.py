"""The comparison names files and tests that exist, and counts what it says."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "comparison.md").read_text(encoding="utf-8")


def rows(name: str) -> list[list[str]]:
    """Return the cells of a table without its head."""
    table = TEXT.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]


def test_each_feature_has_a_word_on_bellboard_and_ten_others() -> None:
    assert [row[0] for row in rows("features") if len(row) != 12 or not all(row)] == []
    assert len(rows("features")) > 20


def test_each_of_the_25_pains_has_its_answer_and_they_are_counted() -> None:
    pains = rows("pains")
    assert [int(row[0]) for row in pains] == list(range(1, 26))
    met, partly, none = (sum(row[3] == word for row in pains) for word in ("met", "partly", "not"))
    assert (met + partly + none, f"{met} are met, {partly} partly, {none} not." in TEXT) == (25, True)


def test_what_is_met_names_a_test_or_a_document() -> None:
    for _, pain, _, word, done in rows("pains"):
        assert word == "not" or re.search(r"test_\w+|\]\(\w+\.md", done), pain


def test_all_that_it_names_exists() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (DOCS.parent / "tests").rglob("test_*.py"))
    assert {name for name in re.findall(r"`(test_\w+)`", TEXT) if f"def {name}(" not in tests} == set()
    files = re.findall(r"`(tests/[\w/]+\.py)`", TEXT) + [f"docs/{name}" for name in re.findall(r"\]\((\w+\.md)", TEXT)]
    assert {name for name in files if not (DOCS.parent / name).exists()} == set()
