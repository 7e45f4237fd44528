import argparse
import shlex
from typing import cast

import pytest

from bellboard.supervisor.arguments import DOCUMENTS, parse, whole_parser
from bellboard.supervisor.commands.dispatch import FILES
from bellboard.supervisor.manual import PAGES, TOP, page_of
from bellboard.supervisor.views.schema import DOCUMENTS as SCHEMAS


def commands() -> dict[str, argparse.ArgumentParser]:
    (subparsers,) = (action for action in whole_parser()._actions if isinstance(action.choices, dict))
    return cast("dict[str, argparse.ArgumentParser]", subparsers.choices)


def test_each_command_has_a_page_and_a_file_and_nothing_else_has() -> None:
    assert set(PAGES) == set(commands()) == {name for name in FILES if name is not None}


def test_the_documents_that_can_be_asked_for_are_those_that_there_are() -> None:
    assert tuple(SCHEMAS) == DOCUMENTS


@pytest.mark.parametrize("columns", ["200", "80", "60"])
@pytest.mark.parametrize("name", [None, *PAGES])
def test_help_is_laid_out_alike_and_no_line_is_longer_than_80_columns(
    name: str | None, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = (whole_parser() if name is None else commands()[name]).format_help()
    assert [line for line in text.splitlines() if len(line) > 80] == []
    page = page_of(name)
    wanted = [
        "usage: bellboard",
        page.description.splitlines()[0],
        "options:",
        "\nexamples:\n  bellboard",
        "\nexit codes:",
    ]
    wanted += ["\nenvironment:"] if page.environment else []
    wanted += ["\nsee also:\n  bellboard"] if page.see else []
    places = [text.find(part) for part in wanted]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("line", [line for page in (TOP, *PAGES.values()) for line in page.examples])
def test_each_example_can_be_meant(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "bellboard"
    parse(words)


def test_what_help_refers_to_is_there() -> None:
    lines = {line for page in (TOP, *PAGES.values()) for line in page.see}
    assert lines <= {"bellboard", *(f"bellboard {name}" for name in PAGES)}


def test_a_code_or_variable_of_a_command_is_named_at_the_top_too() -> None:
    assert {code for page in PAGES.values() for code in page.exits} <= set(TOP.exits)
    assert {name for page in PAGES.values() for name in page.environment} <= set(TOP.environment)
