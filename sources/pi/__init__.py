"""Pi: the sessions below `~/.pi/agent`, as clients up to 1.5 write them."""

from .source import PiSource, register

__all__ = ["PiSource", "register"]
