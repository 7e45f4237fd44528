"""The catalog knows our own sources by heart, and they are those that the package offers."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bellboard.sources.catalog import BUILT_IN, GROUP, SourceNotLoadable, load

pytestmark = pytest.mark.timeout(60)

PROJECT = Path(__file__).parents[2] / "pyproject.toml"

HEAVY = {"psutil", "importlib.metadata"}
"""Each of them costs a worker a fifth of its start or more. Codex's looks for the processes of threads: it needs one."""


def test_the_names_known_by_heart_are_the_entry_points_of_the_package() -> None:
    offered = tomllib.loads(PROJECT.read_text())["project"]["entry-points"][GROUP]
    assert offered == {name: f"bellboard.sources.{name}:register" for name in BUILT_IN}


def test_a_name_that_nobody_offers_is_refused() -> None:
    with pytest.raises(SourceNotLoadable, match="no installed package offers a source called 'nobody'"):
        load("nobody", None, {})


@pytest.mark.parametrize("name", sorted(BUILT_IN - {"mock"}))
def test_a_worker_of_a_built_in_source_starts_without_what_is_seldom_needed(name: str, tmp_path: Path) -> None:
    loads = f"load({name!r}, None, {{'home': {str(tmp_path)!r}}})"
    heavy = f"print(*({HEAVY!r} & set(sys.modules)))"
    needed = ["psutil"] if name == "codex" else []
    code = f"import sys, bellboard.workers.runner; from bellboard.sources.catalog import load; {loads}; {heavy}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == needed
