"""The catalog knows our own sources by heart, and they are those that the package offers."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bellboard.sources.catalog import BUILT_IN, GROUP, SourceNotLoadable, load
from bellboard.supervisor import config

pytestmark = pytest.mark.timeout(60)

PROJECT = Path(__file__).parents[2] / "pyproject.toml"

HEAVY = {"psutil", "importlib.metadata"}
"""Each of them costs a worker a fifth of its start or more. Codex's looks for the processes of threads: it needs one."""


def test_the_names_known_by_heart_are_the_entry_points_of_the_package() -> None:
    offered = tomllib.loads(PROJECT.read_text())["project"]["entry-points"][GROUP]
    assert offered == {name: f"bellboard.sources.{name}:register" for name in BUILT_IN}


def test_the_supervisor_which_imports_no_source_knows_the_same_names() -> None:
    assert {*config.BUILT_IN, config.SIMULATED} == BUILT_IN


def test_another_package_cannot_take_the_name_of_a_built_in_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("aaa", "bellboardx"):
        folder = tmp_path / f"{package}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\npi = {package}:register\nmine = {package}:register\n")
        (tmp_path / f"{package}.py").write_text("raise ImportError('somebody else')\n")
    monkeypatch.syspath_prepend(str(tmp_path))  # pyright: ignore[reportUnknownMemberType]
    with pytest.raises(ImportError, match="somebody else"):
        load("mine", None, {})
    assert type(load("pi", None, {"home": str(tmp_path)})).__module__.startswith("bellboard.sources.")


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
