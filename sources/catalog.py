"""Catalog: which sources are installed, and how one of them is made.

Built-in and third-party sources come through the same door, a `register(registry, **options)` that the entry point group
`bellboard.sources` names; a source may also come straight from the settings as "package.module:callable". The supervisor
reads only the names; the code behind them is loaded in the worker.
"""

from importlib import import_module
from types import ModuleType
from typing import Any

from .contract import Registry, Source
from .errors import SourceError

GROUP = "bellboard.sources"

BUILT_IN = frozenset(("claude", "codex", "gemini", "mock", "opencode", "pi"))
"""Our own sources, each a module of this folder. They are known by heart, so that a worker of one of them need not ask
every installed package what it offers, which is a third of its start; and no other package can take their names."""


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
    for name in BUILT_IN:
        _built_in(name)


def _built_in(name: str) -> ModuleType:
    return import_module(f".{name}", __package__)


def _from_factory(factory: str, options: dict[str, Any]) -> Source:
    module, colon, attribute = factory.partition(":")
    if not colon or not module or not attribute:
        raise SourceNotLoadable(f"factory {factory!r}: write it as package.module:callable")
    made = getattr(import_module(module), attribute, None)
    if made is None:
        raise SourceNotLoadable(f"module {module} has no {attribute}")
    return made(**options)


def _from_entry_point(name: str, options: dict[str, Any]) -> Source:
    registry = Registry()
    if name in BUILT_IN:
        _built_in(name).register(registry, **options)
        return registry.create(name)

    from importlib.metadata import entry_points  # noqa: PLC0415 - see BUILT_IN

    found = entry_points(group=GROUP, name=name)
    if not found:
        raise SourceNotLoadable(f"no installed package offers a source called {name!r} (entry point group {GROUP})")
    found[name].load()(registry, **options)
    return registry.create(name)
