"""Settings of `bellboard serve`: the table `[serve]` of the configuration file. Flags weigh more."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

PORT = 2355
"""BELL on a telephone's keys."""


class Serve(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the gateway listens, and to whom it answers.

    `privacy` auto: `full` on this machine, `names` beyond it. No `token_file`: `web-token` in the state folder.
    """

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = PORT
    token_file: str = ""
    allow_hosts: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    expose: bool = False
    privacy: Literal["auto", "full", "names", "minimal"] = "auto"
