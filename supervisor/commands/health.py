"""`bellboard health`: how each source's worker is doing."""

import argparse
import sys
from datetime import UTC, datetime

from ..views import document, text
from . import common


def run(options: argparse.Namespace) -> int:
    """Print the health of all sources; the exit code says whether all are well."""
    picture = common.picture(common.runtime_dir(options))
    if options.json:
        sys.stdout.write(document.health_json(picture) + "\n")
    else:
        width = common.columns() if sys.stdout.isatty() else None
        sys.stdout.write(text.health_table(picture.health, datetime.now(UTC), width) + "\n")
    unwell = any(state.status in {"degraded", "failed"} for state in picture.health)
    return common.EXIT_UNHEALTHY if unwell else common.EXIT_OK
