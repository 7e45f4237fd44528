"""Fixtures for every test: a folder short enough for sockets, and the size of a proof (`--chaos`: all of it)."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from proof import FIGURES, Proof

CHAOS = Path(__file__).parent / "chaos"
LONGEST_SECONDS = 3600


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--chaos", action="store_true", help="run the proofs of tests/chaos in full and print their figures"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items if config.getoption("--chaos") else ():
        if item.path.is_relative_to(CHAOS):
            item.add_marker(pytest.mark.timeout(LONGEST_SECONDS), append=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if FIGURES and config.getoption("--chaos"):
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    """How thorough this run is to be."""
    return Proof(request.node.name, full=bool(request.config.getoption("--chaos")))


@pytest.fixture
def folder() -> Iterator[str]:
    """Make a folder whose path fits into the address of a socket, and remove it afterwards."""
    path = tempfile.mkdtemp(dir="/tmp", prefix="bb")
    yield path
    shutil.rmtree(path, ignore_errors=True)
