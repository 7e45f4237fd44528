"""Settings: every key of the configuration, what it means, its value and who set it. Pure.

`config.py` decides what is in force; this says so, for `bellboard config show` and for the table of the docs.
"""

import json
from datetime import date, datetime, time
from typing import Any, cast

from ..protocol.event import SCHEMA_VERSION
from .config import Config
from .units import Seconds, Size
from .views.document import ConfigDocument, Origin, Setting

DURATION, MEMORY, COUNT, SWITCH, FOLDER, WORD = "duration", "memory", "count", "true or false", "folder", "word"
WORDS, FILE = "list of words", "file"

ABOUT: dict[str, tuple[str, str]] = {
    "state_dir": (FOLDER, "the database"),
    "runtime_dir": (FOLDER, "the sockets, mode 0700"),
    "privacy": (
        WORD,
        "how much is told: `full`, `names` or `minimal`; below `full` nothing of a session is kept on disk",
    ),
    "board.since": (DURATION, "at the first start, only sessions that moved in this time are read"),
    "board.stale_after": (DURATION, "without data and without live evidence for so long, a session is stale"),
    "board.retention": (DURATION, "how long an ended session stays on the board"),
    "restart.first": (DURATION, "first pause before a worker that keeps dying is started again; then twice as long"),
    "restart.most": (DURATION, "longest such pause"),
    "restart.at_least": (DURATION, "least time between two starts of a worker"),
    "restart.probe": (
        DURATION,
        "after five deaths without progress in five minutes: when it is tried again (then 2, 4, 6 times that)",
    ),
    "work.sweep": (DURATION, "how often everything is looked at where not everything is watched by inotify"),
    "work.sweep_watched": (DURATION, "how often everything is looked at all the same where everything is watched"),
    "work.pulse": (DURATION, "how often a worker looks whether processes of its agent have ended"),
    "work.beat": (DURATION, "how often a worker reports"),
    "work.watch": (SWITCH, "use inotify where there is one"),
    "work.credit": (COUNT, "unacknowledged updates for each worker, 1 to 64"),
    "health.degraded": (COUNT, "failures in a row after which a source is called degraded"),
    "health.failed": (COUNT, "failures in a row after which a source is called failed"),
    "limits.suspect": (DURATION, "silence after which a worker is looked at"),
    "limits.hung": (DURATION, "silence after which it is ended as hung"),
    "limits.starved": (DURATION, "silence after which it is ended although it hardly got a processor"),
    "limits.memory_soft": (MEMORY, "a worker that takes more is started anew"),
    "limits.memory_hard": (MEMORY, "a worker that takes more is killed"),
    "notify.on": (WORDS, "what `bellboard notify` tells: `needs-you`, `turn`, `source`, `board`"),
    "notify.way": (WORD, "by what means"),
    "notify.command": (WORDS, "the program that is started for each notice, and its arguments"),
    "notify.titles": (SWITCH, "tell titles, too"),
    "notify.cooldown": (DURATION, "least time between two notices of the same session or source"),
    "notify.settle": (DURATION, "a session's change is told when it has lasted so long"),
    "notify.grace": (DURATION, "how long is waited at the start for all that waits already"),
    "notify.limit": (DURATION, "a program that takes longer to tell is ended"),
    "serve.host": (WORD, "address on which `bellboard serve` listens"),
    "serve.port": (COUNT, "its port; 0: any that is free"),
    "serve.token_file": (FILE, "file with its token; empty: `web-token` in the state folder"),
    "serve.allow_hosts": (WORDS, "further names, with or without port, under which it may be asked"),
    "serve.expose": (SWITCH, "listen on an address that other machines can reach"),
    "serve.privacy": (
        WORD,
        "how much it tells: `full`, `names`, `minimal`, or `auto`: full on this machine, names beyond it",
    ),
    "export.url": (WORD, "where `bellboard export nats` tells the board to: `nats://HOST:PORT` or `tls://HOST:PORT`"),
    "export.host_name": (WORD, "the name of this machine on the fleet's board; empty: its own"),
    "export.creds": (FILE, "file by which it logs in: a .creds file, an nkey seed, or one line USER:PASSWORD"),
    "export.ca": (FILE, "file with the certificates that are trusted, and no line without TLS; empty: the system's"),
    "export.privacy": (WORD, "how much is told beyond this machine: `full`, `names` or `minimal`"),
    "fleet.url": (WORD, "the fleet that `--fleet` means where it names none: `nats://HOST:PORT` or `tls://HOST:PORT`"),
    "fleet.creds": (FILE, "file with the credentials of a viewer"),
    "fleet.ca": (FILE, "file with the certificates that are trusted"),
}
"""Unit and meaning of each key that is always there."""

SOURCE_ABOUT: dict[str, tuple[str, str]] = {
    "enabled": (SWITCH, "whether this source runs"),
    "home": (FOLDER, "where the agent keeps its files; or a list of folders"),
    "factory": (WORD, 'where the code of a source is that no installed package offers: "package.module:callable"'),
}
"""Unit and meaning of the keys of each source; what else stands there is the source's own."""


def document(config: Config, file: str | None, said: dict[str, Any], given: dict[str, Origin]) -> ConfigDocument:
    """Return every setting in force: `said` is what the file says, `given` who set a key otherwise."""
    plain = Config(state_dir=None, runtime_dir="")
    found: list[Setting] = []
    for key, (unit, about) in ABOUT.items():
        default = None if unit == FOLDER else written(_value(plain, key))
        origin = given.get(key) or ("file" if _says(said, key) else "default")
        found.append(_setting(key, written(_value(config, key)), default, origin, unit, about))
    for name in sorted({*config.sources, *_table(said, "sources")}):
        found += _source(config, name, _table(_table(said, "sources"), name), given.get(f"sources.{name}"))
    return ConfigDocument(schema_version=SCHEMA_VERSION, file=file, settings=tuple(found))


def _source(config: Config, name: str, said: dict[str, Any], given: Origin | None) -> list[Setting]:
    running = config.sources.get(name)
    values: dict[str, Any] = {"enabled": running is not None}
    if running is None:
        values |= {key: value for key, value in said.items() if key != "enabled"}
    else:
        values |= {"factory": running.factory} if running.factory is not None else {}
        values |= running.options
    defaults = {"enabled": True}
    settings: list[Setting] = []
    for key, value in values.items():
        unit, about = SOURCE_ABOUT.get(key, (WORD, f"an option of {name}'s own"))
        origin: Origin = "file" if key in said else "default"
        if given is not None and (key == "enabled" or said.get(key) != value):
            origin = given
        settings.append(_setting(f"sources.{name}.{key}", value, defaults.get(key), origin, unit, about))
    return settings


def _setting(key: str, value: Any, default: Any, origin: Origin, unit: str, about: str) -> Setting:
    return Setting(key=key, value=value, default=default, origin=origin, unit=unit, about=about)


def _value(config: Config, key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _says(said: dict[str, Any], key: str) -> bool:
    table, _, name = key.rpartition(".")
    return name in (_table(said, table) if table else said)


def _table(said: dict[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def written(value: Any) -> Any:
    """Return a value as it would be written into the file."""
    if isinstance(value, Seconds):
        return duration(value)
    if isinstance(value, Size):
        return size(value)
    return value


def duration(seconds: Seconds) -> str:
    """Write a duration in its largest whole unit."""
    if seconds == float("inf"):
        return "all"
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"


def size(amount: Size) -> str:
    """Write an amount of memory in its largest whole unit; 0 is no bound."""
    if amount == 0:
        return "all"
    for unit, length in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if amount % length == 0:
            return f"{amount // length}{unit}"
    return f"{int(amount)}B"


def toml(shown: ConfigDocument) -> str:
    """Return settings as a configuration file that says the same, with a comment behind each: who set it."""
    lines: list[str] = []
    inside = ""
    for setting in shown.settings:
        table, _, key = setting.key.rpartition(".")
        if table != inside:
            inside = table
            lines += ["", f"[{table}]"]
        if setting.value is None:
            lines.append(f"# {key} is not set  # {setting.origin}")
        else:
            lines.append(f"{f'{_key(key)} = {_toml(setting.value)}':<34}  # {setting.origin}")
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _toml(key)


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return "{ " + ", ".join(f"{_key(key)} = {_toml(each)}" for key, each in pairs) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(each) for each in cast("list[Any]", value)) + "]"
    return "true" if value is True else "false" if value is False else repr(value)
