"""`bellboard run`: keeps the board, for everybody who attaches."""

import argparse
import os
import sys

from .. import private
from ..aides import Aide
from ..app import Supervisor
from ..errors import UsageError
from ..service.notify import Notify
from . import common, serve


def run(options: argparse.Namespace) -> int:
    """Run a supervisor until it is told to end. Raises UsageError for settings that leave nothing to do."""
    common.log(options)
    config = common.config(options)
    if not config.sources:
        raise UsageError("no source is enabled: enable one in the configuration, or name one with --source")
    if options.private:
        private.serve(config, lambda: common.config(options))
        return common.EXIT_OK
    aides = (Aide("gateway", serve.words(options), config.policy),) if options.serve else ()
    if aides and (missing := serve.missing()):
        raise UsageError(f"--serve: {missing} is not installed: pip install 'bellboard[web]'")
    with Supervisor(config, lambda: common.config(options), Notify(os.environ), aides) as supervisor:
        where = config.state_dir or "memory"
        sys.stderr.write(
            f"bellboard: ready - sources {', '.join(config.sources)}; sockets in {config.runtime_dir}, state in {where}\n"
        )
        sys.stderr.flush()
        supervisor.run()
    return common.EXIT_OK
