"""Credentials: what stands in the file by which an exporter or a viewer shows NATS who it is.

Three kinds are known by what they look like: a `.creds` file (a user's JWT and its seed), an nkey seed (`SU...`), and one
line `USER:PASSWORD`. The file is read for each connection anew, so that a wrong one may be mended; others must not read it.
"""

import os
import stat
from typing import TypedDict

from ..errors import UsageError

MOST_BYTES = 64 << 10


class Login(TypedDict, total=False):
    """What NATS' client is told; exactly one way to log in."""

    user_credentials: str
    nkeys_seed_str: str
    user: str
    password: str


def read_login(path: str | None) -> Login:
    """Return how to log in; nothing without a file. Raises UsageError that says what to mend, and never what was read."""
    if path is None:
        return {}
    text = _private_text(os.path.expanduser(path)).strip()
    if "BEGIN NATS USER JWT" in text and "BEGIN USER NKEY SEED" in text:
        return {"user_credentials": os.path.expanduser(path)}
    if len(text.split()) != 1:
        raise UsageError(
            f"{path} holds no credentials: write a .creds file, an nkey seed (SU...) or one line USER:PASSWORD"
        )
    user, colon, password = text.partition(":")
    if colon and user and password:
        return {"user": user, "password": password}
    if text.startswith("SU"):
        return {"nkeys_seed_str": text}
    raise UsageError(
        f"{path} holds no credentials: write a .creds file, an nkey seed (SU...) or one line USER:PASSWORD"
    )


def _private_text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read the credentials {path}: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"others may read the credentials {path}: chmod 600 {path}")
    try:
        if len(data) > MOST_BYTES:
            raise UsageError(f"the credentials {path} are too long to be any")
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"the credentials {path} are no text") from error
