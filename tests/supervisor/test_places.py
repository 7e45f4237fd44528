from pathlib import Path
from typing import Any

import pytest

from bellboard.protocol.place import Place
from bellboard.sources.catalog import load
from bellboard.sources.errors import SourceUnavailable
from bellboard.supervisor.config import BUILT_IN, SourceConfig
from bellboard.supervisor.places import HABITS, named, place


def looked(source: str, options: dict[str, Any]) -> str:
    """Return where the source itself looks, when nothing is there."""
    with pytest.raises(SourceUnavailable) as caught:
        list(load(source, None, options).discover())
    return caught.value.looked[0]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for habit in HABITS.values():
        monkeypatch.delenv(habit.variable, raising=False)
    return tmp_path


@pytest.mark.parametrize("source", BUILT_IN)
def test_by_default_the_sources_look_where_is_said(source: str, empty: Path) -> None:
    said = place(source, SourceConfig(), {})
    assert said is not None
    assert (said.path.replace("~", str(empty)), said.why) == (looked(source, {}), "default")


@pytest.mark.parametrize("source", BUILT_IN)
def test_an_agents_own_variable_moves_both(source: str, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = HABITS[source].variable
    monkeypatch.setenv(variable, str(empty / "moved"))
    said = place(source, SourceConfig(), {variable: str(empty / "moved")})
    assert said == Place(path=looked(source, {}), why=variable)


@pytest.mark.parametrize("source", BUILT_IN)
def test_a_folder_of_the_settings_is_said_and_who_named_it(source: str, empty: Path) -> None:
    home = str(empty / "chosen")
    assert place(source, SourceConfig(options={"home": home}), {}) == Place(path=home, why="configuration")
    assert place(source, SourceConfig(options={"home": home}, named=True), {}) == Place(path=home, why="--source")
    assert looked(source, {"home": home}).startswith(home)


def test_several_folders_are_all_said() -> None:
    assert place("claude", SourceConfig(options={"home": ["/a", "/b"]}), {}) == Place(
        path="/a, /b", why="configuration"
    )


def test_a_place_is_named_unless_it_is_the_agents_default_or_that_of_all_programs() -> None:
    variables = [habit.variable for habit in HABITS.values()]
    assert [why for why in ("configuration", "--source", "default", *variables) if not named(why)] == [
        "default",
        "XDG_DATA_HOME",
    ]


def test_of_a_foreign_source_only_what_is_set_is_known() -> None:
    assert place("mine", SourceConfig(factory="a:b"), {}) is None
    assert place("claude", SourceConfig(factory="a:b"), {}) is None
    assert place("mine", SourceConfig(factory="a:b", options={"home": "/n"}), {}) == Place(
        path="/n", why="configuration"
    )
