"""`bellboard completion`: a script by which a shell completes our words, made from the parser itself by shtab."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import cast

import shtab

from ..arguments import whole_parser
from ..config import SIMULATED
from ..manual import PAGES
from . import common


def run(options: argparse.Namespace) -> int:
    """Print the script for a shell."""
    sys.stdout.write(script(options.shell, sorted(common.installed())))
    return common.EXIT_OK


def script(shell: str, sources: Iterable[str]) -> str:
    """Return the script for a shell, which knows these sources."""
    parser = whole_parser()
    known = [source for source in sources if source != SIMULATED]
    for action in _actions(parser):
        metavar = action.metavar
        if metavar == "FILE":
            action.complete = shtab.FILE  # type: ignore[attr-defined] - how shtab is told
        elif metavar == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif metavar in {"SOURCE", "NAME", "NAME[=FOLDER]"}:
            action.choices = known  # only for completing: this parser never parses
    return shtab.complete(parser, shell).rstrip("\n") + "\n"


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of all commands; each command is described by its summary, because a shell has one line."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to walk over a parser
        if not isinstance(action.choices, dict):
            yield action
            continue
        for name, inner in cast("dict[str, argparse.ArgumentParser]", action.choices).items():
            inner.description = PAGES[name].summary if name in PAGES else inner.description
            yield from _actions(inner)
