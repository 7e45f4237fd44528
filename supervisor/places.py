"""Places: in which folder each agent's files are looked for, and why there. Pure: settings and environment go in.

Sources decide this for themselves, in a worker, and say it to whoever asks (`Placed.where`). The board says it also of an
agent that is not installed and of a source that cannot be loaded, which have no worker; it must not import them; and only
the settings know whether a folder was named by flag. So it is written down here once more, for the built-in sources, and
tests/supervisor/test_places.py holds both together.
"""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from ..protocol.place import Place
from .config import SourceConfig


class Habit(NamedTuple):
    """Where an agent keeps its files by itself: `inner` below the folder that `variable` names, else in `default`."""

    variable: str
    inner: str
    default: str


HABITS = {
    "claude": Habit("CLAUDE_CONFIG_DIR", "", "~/.claude"),
    "codex": Habit("CODEX_HOME", "", "~/.codex"),
    "gemini": Habit("GEMINI_CLI_HOME", ".gemini", "~/.gemini"),
    "opencode": Habit("XDG_DATA_HOME", "opencode", "~/.local/share/opencode"),
    "pi": Habit("PI_CODING_AGENT_DIR", "", "~/.pi/agent"),
}


UNNAMED = frozenset(("default", "XDG_DATA_HOME"))
"""Reasons for a place that do not say that the agent is there: the variable is for the data of all programs."""


def named(why: str) -> bool:
    """Whether somebody named this very place, so that it is a mistake if it is not there."""
    return why not in UNNAMED


def place(source: str, config: SourceConfig, environ: Mapping[str, str]) -> Place | None:
    """Return where the files of a source are looked for, in one text; None if only the source itself knows."""
    found = places(source, config, environ)
    return Place(path=", ".join(each.path for each in found), why=found[0].why) if found else None


def places(source: str, config: SourceConfig, environ: Mapping[str, str]) -> list[Place]:
    """Return each folder in which the files of a source are looked for, none if only the source itself knows.

    `why` is more exact than the source's word: instead of "setting" it is "configuration" or "--source".
    """
    home: Any = config.options.get("home")
    chosen: list[Any] = cast("list[Any]", home) if isinstance(home, list) else [home]
    if said := [each for each in chosen if isinstance(each, str) and each]:
        return [Place(path=each, why="--source" if config.named else "configuration") for each in said]
    habit = HABITS.get(source)
    if habit is None or config.factory is not None:
        return []
    if folder := environ.get(habit.variable):
        return [Place(path=os.path.join(folder, habit.inner) if habit.inner else folder, why=habit.variable)]
    return [Place(path=habit.default, why="default")]
