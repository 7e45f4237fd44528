"""`bellboard schema`: the JSON Schema of what is said to programs."""

import argparse
import sys

from ..views.schema import schema_json
from . import common


def run(options: argparse.Namespace) -> int:
    """Print the schema of one document, or of all."""
    sys.stdout.write(schema_json(options.document))
    return common.EXIT_OK
