"""Live truth: genuine clients against a stand-in model, watched by the real board. Only by the flag `--live`.

    python -m pytest tests/live --live --clients FOLDER [--install] [--figures FILE]

The clients lie in FOLDER/<agent>/<version> (`BELLBOARD_LIVE_CLIENTS`); `--install` gets what is missing with npm.
"""

import json
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import live_clients
import pytest

FIGURES = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags of this folder."""
    group = parser.getgroup("live truth")
    group.addoption("--live", action="store_true", help="run genuine clients")
    group.addoption("--clients", default=os.environ.get("BELLBOARD_LIVE_CLIENTS"), help="folder of the clients")
    group.addoption("--install", action="store_true", help="install missing clients with npm")
    group.addoption("--figures", help="write the figures of this run into a file, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Keep a place for the figures."""
    config.stash[FIGURES] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip all of it without the flag; give each case the time that real clients take."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(180))
            if not config.getoption("--live", default=False):
                item.add_marker(pytest.mark.skip(reason="genuine clients run only by the flag --live"))


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Callable[..., list[str]]:
    """Return how to find a client: `client("claude", "2.1.330")` is its command."""

    def find(agent: str, version: str, **more: Any) -> list[str]:
        option = request.config.getoption
        return live_clients.client(agent, version, option("--clients"), install=bool(option("--install")), **more)

    return find


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str, str, dict[str, float]], None]:
    """Return where a case puts its figures: agent, version, and the lag of each truth."""

    def note(agent: str, version: str, lags: dict[str, float]) -> None:
        row = {"agent": agent, "version": version, "case": request.node.name, "lags": lags}
        request.config.stash[FIGURES].append(row)

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print one line an agent and version: cases, and the time from the client's write to the board's word."""
    rows = config.stash[FIGURES]
    if not rows:
        return
    terminalreporter.section("from the client's write to the event")
    for agent, version in sorted({(row["agent"], row["version"]) for row in rows}):
        mine = [row for row in rows if (row["agent"], row["version"]) == (agent, version)]
        lags = sorted(lag for row in mine for lag in row["lags"].values())
        if lags:
            line = f"{agent:9} {version:10} {len(mine):3} cases {len(lags):4} changes "
            line += f"p50 {1000 * statistics.median(lags):5.0f} ms, max {1000 * lags[-1]:5.0f} ms"
            terminalreporter.write_line(line)
    if (path := config.getoption("--figures", default=None)) is not None:
        Path(path).write_text(json.dumps(rows, indent=1))
