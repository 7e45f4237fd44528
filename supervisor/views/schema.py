"""Schema: the JSON Schema of what programs get, made from the types that are printed, so that it cannot say anything else.

A property that is printed always is required, also where its type has a default: what is not known is null, never absent.
Only `host` is absent where there is but one machine.
"""

from collections.abc import Iterable
from inspect import cleandoc
from typing import Any, TypeAlias

import msgspec

from ...protocol.event import SCHEMA_VERSION, BoardEvent, Event, Snapshot
from .document import ConfigDocument, DoctorDocument, HealthDocument, SessionsDocument, pretty

FLEETS = frozenset(("host",))
"""Properties that only the board of a fleet prints."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Line: TypeAlias = Snapshot | BoardEvent
"""A line of `bellboard watch --jsonl`."""

DOCUMENTS: dict[str, Any] = {
    "sessions": SessionsDocument,
    "health": HealthDocument,
    "watch": Line,
    "event": Event,
    "doctor": DoctorDocument,
    "config": ConfigDocument,
}
"""What each document is called, and its type."""


def schema_json(document: str | None = None) -> str:
    """Return the schema of one document as text, or of all of them."""
    return pretty(schema(document)) + "\n"


def schema(document: str | None = None) -> dict[str, Any]:
    """Return the schema of one document; without a name, all of them below `documents`."""
    names = list(DOCUMENTS) if document is None else [document]
    shapes, definitions = components([DOCUMENTS[name] for name in names], "#/$defs/{name}")
    head: dict[str, Any] = {"$schema": DIALECT, "schema_version": SCHEMA_VERSION}
    whole = {"documents": dict(zip(names, shapes, strict=True))} if document is None else dict(shapes[0])
    return head | whole | {"$defs": {name: _complete(each) for name, each in sorted(definitions.items())}}


def components(types: Iterable[Any], template: str) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return the schemas of types, and of what they are made of by name; `template` is how a name is referred to."""
    shapes, definitions = msgspec.json.schema_components(types, ref_template=template)
    return list(shapes), {name: _plain(each) for name, each in definitions.items()}


def _plain(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a definition whose description has no margin: Python before 3.13 leaves that of the code in it."""
    if "description" not in definition:
        return definition
    return definition | {"description": cleandoc(definition["description"])}


def _complete(definition: dict[str, Any]) -> dict[str, Any]:
    if "properties" not in definition:
        return definition
    return definition | {"required": sorted(definition["properties"].keys() - FLEETS)}
