"""Places: in which folder each agent's files are looked for, and why there. Pure: settings and environment go in.

Sources decide this for themselves, in a worker; the supervisor must not import them, and people want to know it all the
same. That both say the same is tested (tests/supervisor/test_places.py).
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

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


class Place(NamedTuple):
    """A folder, and why that one: `default`, the name of a variable, `configuration` or `--source`."""

    folder: str
    why: str


def place(source: str, config: SourceConfig, environ: Mapping[str, str]) -> Place | None:
    """Return where the files of a source are looked for, None if only the source itself knows."""
    named = config.options.get("home")
    if isinstance(named, list):
        named = ", ".join(str(each) for each in named)  # type: ignore[reportUnknownVariableType] - settings hold anything
    if isinstance(named, str) and named:
        return Place(named, "--source" if config.named else "configuration")
    habit = HABITS.get(source)
    if habit is None or config.factory is not None:
        return None
    if chosen := environ.get(habit.variable):
        return Place(os.path.join(chosen, habit.inner) if habit.inner else chosen, habit.variable)
    return Place(habit.default, "default")
