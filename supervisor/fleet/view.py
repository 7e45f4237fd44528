"""View: which fleet is looked at: the table `[fleet]` of the configuration file. Flags weigh more."""

from msgspec import Struct


class View(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the engine of a fleet is, who we are to it, and whom we trust; "" is nothing."""

    url: str = ""
    creds: str = ""
    ca: str = ""
