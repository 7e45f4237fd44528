"""The package list is kept by hand: this compares it with the tree, and the versions with each other."""

import tomllib
from pathlib import Path

import pytest

from bellboard.supervisor.version import VERSION

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TOP = ("protocol", "sources", "supervisor", "workers")


def test_every_package_of_the_tree_is_in_the_list_and_no_other() -> None:
    found = {
        "bellboard." + ".".join(path.parent.relative_to(ROOT).parts)
        for top in TOP
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_the_root_is_no_package() -> None:
    assert not (ROOT / "__init__.py").exists()


@pytest.mark.parametrize("top", TOP)
def test_each_top_package_is_typed(top: str) -> None:
    assert (ROOT / top / "py.typed").exists()


def test_the_version_is_said_once_for_people_and_once_for_packaging() -> None:
    assert PROJECT["project"]["version"] == VERSION


def test_every_init_is_only_imports_and_a_sorted_all() -> None:
    for top in TOP:
        for path in (ROOT / top).rglob("__init__.py"):
            lines = [line for line in path.read_text().splitlines() if line and not line.startswith((" ", ")", "]"))]
            code = [line for line in lines if not line.startswith(('"""', "from ", "import ", "__all__"))]
            assert code == [], path
