"""Places: in which folder each agent's files are looked for, and why there. Pure: settings and environment go in.

Sources decide this for themselves, in a worker, and say it to whoever asks (`Placed.where`). The board says it also of an
agent that is not installed and of a source that cannot be loaded, which have no worker; it must not import them; and only
the settings know whether a folder was named by flag. So it is written down here once more, for the built-in sources, and
tests/supervisor/test_places.py holds both together.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

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


def place(source: str, config: SourceConfig, environ: Mapping[str, str]) -> Place | None:
    """Return where the files of a source are looked for, None if only the source itself knows.

    `why` is more exact than the source's word: instead of "setting" it is "configuration" or "--source".
    """
    named = config.options.get("home")
    if isinstance(named, list):
        named = ", ".join(str(each) for each in named)  # type: ignore[reportUnknownVariableType] - settings hold anything
    if isinstance(named, str) and named:
        return Place(path=named, why="--source" if config.named else "configuration")
    habit = HABITS.get(source)
    if habit is None or config.factory is not None:
        return None
    if chosen := environ.get(habit.variable):
        return Place(path=os.path.join(chosen, habit.inner) if habit.inner else chosen, why=habit.variable)
    return Place(path=habit.default, why="default")
