"""Addresses: where the four sockets of a board are, and how a client finds the folder that holds them."""

import os
import sys

from .errors import AddressError

PATH_LIMIT = 100
"""Bytes: Linux takes 107, macOS 103 for the path of a socket; a margin stays."""

EVENTS = "events.sock"
SNAPSHOT = "snapshot.sock"
CONTROL = "control.sock"
INGEST = "ingest.sock"


def default_runtime_dir() -> str:
    """Return `$BELLBOARD_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/bellboard`, else a temporary folder of this user."""
    if chosen := os.environ.get("BELLBOARD_RUNTIME_DIR"):
        return os.path.abspath(os.path.expanduser(chosen))
    if base := os.environ.get("XDG_RUNTIME_DIR"):
        return os.path.join(base, "bellboard")
    if sys.platform == "darwin" and (base := os.environ.get("TMPDIR")):
        return os.path.join(base, "bellboard")
    return f"/tmp/bellboard-{os.getuid()}"  # noqa: S108 - the folder's owner and mode are checked before use


def address(runtime_dir: str, socket: str) -> str:
    """Return the ZeroMQ address of one socket. Raises AddressError if its path is too long for the system."""
    path = os.path.join(runtime_dir, socket)
    length = len(os.fsencode(path))
    if length > PATH_LIMIT:
        raise AddressError(
            f"the socket path {path} has {length} bytes, at most {PATH_LIMIT} work: "
            "choose a shorter folder with --runtime-dir or BELLBOARD_RUNTIME_DIR"
        )
    return f"ipc://{path}"
