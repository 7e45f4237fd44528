"""`bellboard config`: what is set and by whom, whether a file is right, and which file is read."""

import argparse
import os
import sys

from .. import settings
from ..config import Config
from ..config_file import complaints, default_path, load
from ..errors import ConfigError
from ..places import named, places
from ..views.document import Origin, pretty
from . import common


def run(options: argparse.Namespace) -> int:
    """Show, check or name the configuration. Raises ConfigError for a file that is not right."""
    where = options.config or default_path()
    if options.verb == "path":
        sys.stdout.write(f"{where}\n")
        if not os.path.exists(where):
            sys.stderr.write(f"bellboard: there is no such file: the defaults hold ({_chooser(options)})\n")
        return common.EXIT_OK
    if options.verb == "check":
        return _check(options, where)
    shown = settings.document(
        common.config(options), where if os.path.exists(where) else None, load(options.config)[1], _given(options)
    )
    sys.stdout.write(pretty(shown) + "\n" if options.json else f"{_head(shown.file, where)}\n{settings.toml(shown)}")
    return common.EXIT_OK


def _check(options: argparse.Namespace, where: str) -> int:
    chosen = options.file or options.config
    if chosen is None and not os.environ.get("BELLBOARD_CONFIG") and not os.path.exists(where):
        sys.stderr.write(f"bellboard: there is no {where}: the defaults hold\n")
        _warn_of_folders(common.config(options))
        return common.EXIT_OK
    wrong = complaints(chosen, common.installed())
    for sentence in wrong:
        sys.stderr.write(f"bellboard: {sentence}\n")
    if wrong:
        return ConfigError.exit_code
    config = common.config(argparse.Namespace(**{**vars(options), "config": chosen}))
    sys.stderr.write(f"bellboard: {chosen or where} is right\n")
    _warn_of_folders(config)
    return common.EXIT_OK


def _warn_of_folders(config: Config) -> None:
    """Say which folders somebody named that are not there: what can be right tomorrow is no mistake of the file."""
    for source, set_to in config.sources.items():
        for place in places(source, set_to, os.environ):
            if named(place.why) and not os.path.exists(os.path.expanduser(place.path)):
                sys.stderr.write(f"bellboard: {source}: there is no {place.path} (named by {_by(place.why)})\n")


def _by(why: str) -> str:
    return why if why == "configuration" else f"${why}"


def _chooser(options: argparse.Namespace) -> str:
    if options.config:
        return "the place was chosen with --config"
    return "the place was chosen with BELLBOARD_CONFIG" if os.environ.get("BELLBOARD_CONFIG") else "the default place"


def _head(file: str | None, where: str) -> str:
    return f"# {file}" if file is not None else f"# there is no {where}: what is not from elsewhere is the default"


def _given(options: argparse.Namespace) -> dict[str, Origin]:
    """Return which settings are neither the file's nor the default, and by whom."""
    given: dict[str, Origin] = {}
    for key in ("state_dir", "runtime_dir"):
        if os.environ.get(f"BELLBOARD_{key.upper()}"):
            given[key] = "environment"
        if getattr(options, key):
            given[key] = "flag"
    if options.ephemeral:
        given["state_dir"] = "flag"
    for word in options.source or ():
        given[f"sources.{word.partition('=')[0]}"] = "flag"
    return given
