"""The table of settings of docs/configuration.md, as the code has it."""

import json
from pathlib import Path

from bellboard.supervisor.config import Config
from bellboard.supervisor.settings import ABOUT, SOURCE_ABOUT, WORDS, document
from bellboard.supervisor.views.document import Setting

BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"
PLACES = {
    "state_dir": "`$XDG_STATE_HOME/bellboard`, else `~/.local/state/bellboard`",
    "runtime_dir": "`$XDG_RUNTIME_DIR/bellboard`, else a temporary folder of yours",
}
SOURCE_DEFAULTS = {"enabled": "`true`", "home": "the agent's own", "factory": "none"}


def table() -> str:
    """Return the table as it has to stand in the docs."""
    settings = document(Config(state_dir=None, runtime_dir=""), None, {}, {}).settings
    rows = [(each.key, _default(each), *ABOUT[each.key]) for each in settings]
    rows += [(f"sources.NAME.{key}", SOURCE_DEFAULTS[key], *about) for key, about in SOURCE_ABOUT.items()]
    lines = [f"| `{key}` | {default} | {unit} | {about} |" for key, default, unit, about in rows]
    return "\n".join(["| key | default | unit | meaning |", "| --- | --- | --- | --- |", *lines]) + "\n"


def _default(setting: Setting) -> str:
    if setting.key in PLACES:
        return PLACES[setting.key]
    if setting.unit == WORDS or setting.default == "":
        return f"`{json.dumps(setting.default)}`"
    return f"`{str(setting.default).lower()}`" if isinstance(setting.default, bool) else f"`{setting.default}`"


def shown(path: Path) -> str:
    """Return the table that stands in a document."""
    return path.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
