"""`bellboard run`: keeps the board, for everybody who attaches."""

import argparse
import os
import sys
from collections.abc import Iterator

from .. import private
from ..aides import Aide
from ..app import Supervisor
from ..config import Config
from ..errors import UsageError
from ..fleet.settings import checked
from ..service.notify import Notify
from . import common, export, fleet, serve


def run(options: argparse.Namespace) -> int:
    """Run a supervisor until it is told to end. Raises UsageError for settings that leave nothing to do."""
    common.log(options)
    if fleet.wanted(options):
        return fleet.relay(options)
    config = common.config(options)
    if not config.sources:
        raise UsageError("no source is enabled: enable one in the configuration, or name one with --source")
    if options.private:
        private.serve(config, lambda: common.config(options))
        return common.EXIT_OK
    aides = tuple(_aides(options, config))
    with Supervisor(config, lambda: common.config(options), Notify(os.environ), aides) as supervisor:
        where = config.state_dir or "memory"
        sys.stderr.write(
            f"bellboard: ready - sources {', '.join(config.sources)}; sockets in {config.runtime_dir}, state in {where}\n"
        )
        sys.stderr.flush()
        supervisor.run()
    return common.EXIT_OK


def _aides(options: argparse.Namespace, config: Config) -> Iterator[Aide]:
    """Return the processes that are kept besides the workers. Raises UsageError for one that could never run."""
    if options.serve:
        if missing := serve.missing():
            raise UsageError(f"--serve: {missing} is not installed: pip install 'bellboard[web]'")
        yield Aide("gateway", serve.words(options), config.policy)
    if options.export:
        if missing := export.missing():
            raise UsageError(f"--export: {missing} is not installed: pip install 'bellboard[fleet]'")
        if not config.export.url:
            raise UsageError("--export: where to? Set `export.url` in the configuration: nats://HOST:PORT")
        checked(config.export.url)
        yield Aide("exporter", export.words(options), config.policy)
