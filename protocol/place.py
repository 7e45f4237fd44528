"""Place: a folder in which a source looks, and why there; a source says it (`Placed`), doctor and the board tell it."""

from msgspec import Struct


class Place(Struct, frozen=True, kw_only=True):
    """A folder in which a source looks. `why` says who chose it: "setting", the name of a variable, or "default".

    `remark` is what its user should know of it (a setting of the agent that deletes what we read), `mend` what helps.
    """

    path: str
    why: str
    remark: str = ""
    mend: str = ""
