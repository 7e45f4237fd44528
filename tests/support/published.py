"""Whether what a command printed is what the published schema says."""

from typing import Any

from jsonschema import Draft202012Validator

from bellboard.supervisor.views.schema import schema


def complaints(document: str, value: Any) -> list[str]:
    """Return what is wrong with a value as a document of this name."""
    validator: Any = Draft202012Validator(schema(document))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
