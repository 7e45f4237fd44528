"""Catalog: which sources are installed, and how one of them is made.

Built-in and third-party sources come through the same door, the entry point group `bellboard.sources`; a source may also
come straight from the settings as "package.module:callable". The supervisor reads only the names; the code behind them is
loaded in the worker.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from typing import Any

from .contract import Registry, Source
from .errors import SourceError

GROUP = "bellboard.sources"
OURS = "bellboard."


class SourceNotLoadable(SourceError):
    """Raised when the code of a source cannot be found, or is not a source."""


def load(name: str, factory: str | None, options: dict[str, Any]) -> Source:
    """Import and make the source called `name`. Raises SourceNotLoadable, or whatever the source's own code raises."""
    source = _from_factory(factory, options) if factory else _from_entry_point(name, options)
    if not (callable(getattr(source, "discover", None)) and callable(getattr(source, "parse", None))):
        raise SourceNotLoadable(f"{type(source).__name__} has no discover() and parse(): it is not a source")
    return source


def warm() -> None:
    """Import the built-in sources, for a process that will be told later which one it is to be.

    Code of others stays out: what it does in a process is nobody's business but its own source's.
    """
    for entry in _offered():
        if entry.value.startswith(OURS):
            entry.load()


@cache
def _offered() -> EntryPoints:
    return entry_points(group=GROUP)


def _from_factory(factory: str, options: dict[str, Any]) -> Source:
    module, colon, attribute = factory.partition(":")
    if not colon or not module or not attribute:
        raise SourceNotLoadable(f"factory {factory!r}: write it as package.module:callable")
    made = getattr(import_module(module), attribute, None)
    if made is None:
        raise SourceNotLoadable(f"module {module} has no {attribute}")
    return made(**options)


def _from_entry_point(name: str, options: dict[str, Any]) -> Source:
    offered = _offered()
    if name not in offered.names:
        _offered.cache_clear()  # it may have been installed since
        offered = _offered()
    found = offered.select(name=name)
    if not found:
        raise SourceNotLoadable(f"no installed package offers a source called {name!r} (entry point group {GROUP})")
    registry = Registry()
    found[name].load()(registry, **options)
    return registry.create(name)
