"""`bellboard serve`: the board for browsers and HTTP clients. The counterpart is `supervisor/gateway`."""

import argparse

from ..errors import SupervisorError
from .common import runtime_dir, state_dir


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        from ..gateway.serve import Serving, serve  # noqa: PLC0415 - it needs an extra
    except ModuleNotFoundError as error:
        raise SupervisorError(f"{error.name} is not installed: pip install 'bellboard[web]'") from error

    return serve(
        Serving(
            runtime_dir=runtime_dir(options),
            state_dir=state_dir(options),
            host=options.host,
            port=options.port,
            token_file=options.token_file,
            allow_hosts=tuple(options.allow_host or ()),
            expose=options.expose,
            level=options.privacy,
        )
    )
