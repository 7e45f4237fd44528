"""Settings of `bellboard notify`: the table `[notify]` of the configuration file. Flags weigh more."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from ..units import Seconds

Kind: TypeAlias = Literal["needs-you", "turn", "source", "board"]
"""What may be told: a session needs somebody, a turn is over, a source does badly, the board is not heard any more."""

Way: TypeAlias = Literal["auto", "notify-send", "osascript", "osc9", "osc777", "osc99", "bell", "command"]
"""How it is told. `auto` takes the command if there is one, else what this machine and this terminal have."""


class Notify(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When and how a person is told.

    A change is told when it has lasted for `settle`; the same session again after `cooldown` at the earliest. What waits
    already at the start is told together after `grace`. A backend that takes longer than `limit` is ended.
    """

    on: tuple[Kind, ...] = ("needs-you", "source", "board")
    way: Way = "auto"
    command: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    titles: bool = False
    cooldown: Seconds = Seconds(60)
    settle: Seconds = Seconds(1)
    grace: Seconds = Seconds(3)
    limit: Seconds = Seconds(5)

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.way == "command" and not self.command:
            raise ValueError("the way `command` needs a command: the program and its arguments, word by word")
        if not 0 < self.limit <= 60:
            raise ValueError("`limit` must be more than 0 and at most 60 seconds")
