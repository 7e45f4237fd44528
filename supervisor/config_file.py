"""Config file: read, checked, and joined with flags, environment and defaults, of which flags weigh most.

What comes of it is a `Config` (config.py). Decoded and validated once; an unknown key is an error that names it.
"""

import os
import tomllib
from collections.abc import Iterable
from typing import Any, cast

import msgspec
from msgspec import Struct, inspect

from ..protocol.privacy import Level
from .alerts.settings import Notify
from .config import BUILT_IN, SIMULATED, Board, Config, HealthRules, Limits, Restart, SourceConfig, Work
from .errors import ConfigError
from .fleet.settings import Export
from .fleet.view import View
from .gateway.settings import Serve
from .mistakes import culprit, nearest, place, sentence, unknown_key
from .units import unit

SOURCE_KEYS = ("enabled", "home")
"""What may be set of a built-in source."""


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says."""

    state_dir: str | None = None
    runtime_dir: str | None = None
    privacy: Level = "full"
    board: Board = Board()
    restart: Restart = Restart()
    work: Work = Work()
    health: HealthRules = HealthRules()
    limits: Limits = Limits()
    notify: Notify = Notify()
    serve: Serve = Serve()
    export: Export = Export()
    fleet: View = View()
    sources: dict[str, dict[str, Any]] = {}


def default_path() -> str:
    """Return where the configuration file is looked for."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.environ.get("BELLBOARD_CONFIG") or os.path.join(base, "bellboard", "config.toml")


def default_state_dir() -> str:
    """Return where the database is kept unless somebody says otherwise."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "bellboard")


def read(path: str | None, known_sources: frozenset[str] | None = None) -> File:
    """Read the configuration file; a missing default one is empty. Raises ConfigError that says what to mend.

    Without `known_sources` the sources' tables are not looked at.
    """
    where = path or default_path()
    text, said = load(path)
    try:
        found = msgspec.convert(said, File, dec_hook=unit)
    except (msgspec.ValidationError, OverflowError) as error:
        raise ConfigError(sentence(where, text, str(error), known_keys(), known_words())) from error
    for name, table in found.sources.items() if known_sources is not None else ():
        _check_source(where, text, name, table, known_sources or frozenset())
    return found


def complaints(path: str | None, known_sources: frozenset[str]) -> list[str]:
    """Return all that is wrong with the configuration file, a sentence each. Raises ConfigError if it cannot be read.

    What was found wrong is taken out, and the rest is looked at again: only so is the next thing found.
    """
    where = path or default_path()
    text, rest = load(path)
    found: list[str] = []
    while True:
        try:
            file = msgspec.convert(rest, File, dec_hook=unit)
            break
        except (msgspec.ValidationError, OverflowError) as error:
            found.append(sentence(where, text, str(error), known_keys(), known_words()))
            wrong = culprit(str(error))
            if wrong is None or not _taken_out(rest, wrong):
                return found
    for name, table in file.sources.items():
        try:
            _check_source(where, text, name, table, known_sources)
        except ConfigError as error:
            found.append(str(error))
    return found


def _taken_out(said: dict[str, Any], key: str) -> bool:
    """Take a setting, or a table, out of what a file says; returns whether it was there."""
    table, _, name = key.rpartition(".")
    inside: Any = said
    for part in table.split(".") if table else ():
        inside = cast("dict[str, Any]", inside).get(part) if isinstance(inside, dict) else None
    return isinstance(inside, dict) and cast("dict[str, Any]", inside).pop(name, None) is not None


def load(path: str | None) -> tuple[str, dict[str, Any]]:
    """Return the configuration file as text and as what it says. Raises ConfigError."""
    where = path or default_path()
    try:
        with open(where, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        if path is None and not os.environ.get("BELLBOARD_CONFIG"):
            return "", {}
        raise ConfigError(f"there is no configuration file {where}") from None
    except OSError as error:
        raise ConfigError(f"cannot read the configuration file {where}: {error.strerror}") from error
    try:
        text = data.decode()
        return text, tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{where} is not valid TOML: {error}") from error


def known_keys() -> dict[str, tuple[str, ...]]:
    """Return the keys of each table; "" is the top."""
    plain = File()
    tables = {name: getattr(plain, name) for name in File.__struct_fields__}
    inner = {name: each.__struct_fields__ for name, each in tables.items() if isinstance(each, Struct)}
    return {"": File.__struct_fields__, **inner}


def known_words() -> dict[str, tuple[str, ...]]:
    """Return the words that a setting may have as its value, of each setting that is one of several words."""
    found: dict[str, tuple[str, ...]] = {}

    def walk(kind: Any, path: str) -> None:
        if isinstance(kind, inspect.StructType):
            for field in kind.fields:
                walk(field.type, f"{path}.{field.name}".lstrip("."))
        elif isinstance(kind, inspect.VarTupleType):
            walk(kind.item_type, path)
        elif isinstance(kind, inspect.LiteralType):
            found[path] = tuple(str(value) for value in kind.values)

    walk(inspect.type_info(File), "")
    return found


def _check_source(where: str, text: str, name: str, table: dict[str, Any], known: frozenset[str]) -> None:
    _check_options(where, name, table)
    at = place(where, text, f"sources.{name}")
    if name not in known and "factory" not in table:
        there = sorted(known - {SIMULATED})
        raise ConfigError(
            f"{at}: unknown source `{name}`{nearest(name, there)} - installed are {', '.join(there)}; "
            f'another one needs `factory = "package.module:callable"`'
        )
    if "factory" in table and not (isinstance(table["factory"], str) and ":" in table["factory"]):
        at = place(where, text, f"sources.{name}.factory")
        raise ConfigError(f'{at}: sources.{name}.factory: write it as "package.module:callable"')
    if not isinstance(table.get("enabled", True), bool):
        at = place(where, text, f"sources.{name}.enabled")
        raise ConfigError(f"{at}: sources.{name}.enabled: write true or false")
    if name in BUILT_IN and "factory" not in table:
        if not _is_home(table.get("home", "")):
            at = place(where, text, f"sources.{name}.home")
            raise ConfigError(f"{at}: sources.{name}.home: write a folder, or a list of folders")
        for key in table:
            if key not in SOURCE_KEYS:
                raise ConfigError(unknown_key(where, text, f"sources.{name}", key, SOURCE_KEYS))


def _is_home(home: object) -> bool:
    each = cast("list[object]", home) if isinstance(home, list) else [home]
    return all(isinstance(folder, str) for folder in each)


def _check_options(where: str, name: str, table: dict[str, Any]) -> None:
    """Refuse options that cannot travel to a worker. Raises ConfigError."""
    try:
        msgspec.msgpack.encode(table)
    except (OverflowError, TypeError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{where}: sources.{name}: an option cannot be passed on: {error}") from error


def source_config(table: dict[str, Any]) -> SourceConfig:
    """Split one source's table into what the supervisor needs and the source's own options."""
    options = {key: value for key, value in table.items() if key not in {"enabled", "factory"}}
    return SourceConfig(enabled=table.get("enabled", True), factory=table.get("factory"), options=options)


def build(
    file: File,
    *,
    installed: Iterable[str] = BUILT_IN,
    only: dict[str, str | None] | None = None,
    state_dir: str | None = None,
    runtime_dir: str,
    ephemeral: bool = False,
) -> Config:
    """Join flags, environment, file and defaults.

    `only` maps the sources given by flag to their folders; without it all `installed` ones run, but the mock source.
    """
    tables = {name: source_config(table) for name, table in file.sources.items()}
    if only:
        chosen: dict[str, SourceConfig] = {}
        for name, folder in only.items():
            base = tables.get(name, SourceConfig())
            options = base.options if folder is None else {**base.options, "home": folder}
            chosen[name] = msgspec.structs.replace(base, enabled=True, options=options, named=folder is not None)
    else:
        chosen = {name: tables.get(name, SourceConfig()) for name in installed if name != SIMULATED}
        chosen |= tables
    environment = os.environ.get("BELLBOARD_STATE_DIR")
    state = state_dir or environment or file.state_dir or default_state_dir()
    return Config(
        state_dir=None if ephemeral else os.path.abspath(os.path.expanduser(state)),
        runtime_dir=os.path.abspath(os.path.expanduser(runtime_dir)),
        privacy=file.privacy,
        board=file.board,
        restart=file.restart,
        work=file.work,
        health=file.health,
        limits=file.limits,
        notify=file.notify,
        serve=file.serve,
        export=file.export,
        fleet=file.fleet,
        sources={name: source for name, source in sorted(chosen.items()) if source.enabled},
    )
