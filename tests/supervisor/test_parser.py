import argparse

import pytest

from bellboard.supervisor.parser import Layout, Parser, number


def complaint(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what a small parser says at last of what it was given."""
    parser = Parser(prog="ring")
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--private", action="store_true", help=argparse.SUPPRESS)
    parser.add_subparsers().add_parser("loudly").add_argument("--times", type=number)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(words)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--twise", "ring: error: unrecognized arguments: --twise: did you mean `--twice`?"),
        ("--twicee=1 loudly", "ring: error: unrecognized arguments: --twicee=1: did you mean `--twice`?"),
        ("--prvate", "ring: error: unrecognized arguments: --prvate"),
        ("loudly --tims 3", "ring loudly: error: unrecognized arguments: --tims 3: did you mean `--times`?"),
        ("loudly more", "ring loudly: error: unrecognized arguments: more"),
        ("loudly --times often", "ring loudly: error: argument --times: 'often' is no number"),
    ],
)
def test_each_command_refuses_what_it_does_not_know_and_asks_for_what_it_does(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint(line.split(), capsys) == said


@pytest.mark.parametrize(("columns", "width"), [("200", 78), ("80", 78), ("60", 58), ("20", 38)])
def test_help_is_as_wide_as_the_terminal_within_bounds(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert Layout("ring")._width == width
