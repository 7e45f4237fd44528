"""`bellboard serve`: the board for browsers and HTTP clients. The counterpart is `supervisor/gateway`."""

import argparse
import os
from importlib.util import find_spec

from ..config_file import read
from ..errors import SupervisorError
from ..tether import tie
from .common import runtime_dir, state_dir


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        from ..gateway.serve import Serving, serve  # noqa: PLC0415 - it needs an extra
    except ModuleNotFoundError as error:
        raise SupervisorError(f"{error.name} is not installed: pip install 'bellboard[web]'") from error

    tie()
    said = read(options.config).serve
    privacy = options.privacy or said.privacy
    return serve(
        Serving(
            runtime_dir=runtime_dir(options),
            state_dir=state_dir(options),
            host=options.host or said.host,
            port=said.port if options.port is None else options.port,
            token_file=options.token_file or os.path.expanduser(said.token_file) or None,
            allow_hosts=(*said.allow_hosts, *(options.allow_host or ())),
            expose=options.expose or said.expose,
            level=None if privacy == "auto" else privacy,
            fleet=options.fleet,
        )
    )


def missing() -> str | None:
    """Return the name of a package that serving needs and that is not installed."""
    return next(
        (name for name in ("prometheus_client", "starlette", "uvicorn", "websockets") if not find_spec(name)), None
    )


def words(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the words with which a board that was started with these options keeps a gateway of its own."""
    given = {
        "--config": options.config,
        "--runtime-dir": runtime_dir(options),
        "--state-dir": state_dir(options),
    }
    return ("serve", *(word for flag, value in given.items() if value is not None for word in (flag, value)))
