"""Errors of the fleet: what the exporter and the viewer say when the engine cannot be used."""

from ..errors import SupervisorError


class FleetError(SupervisorError):
    """Base of everything that goes wrong between a board and the fleet's engine."""


class EngineLost(FleetError):
    """The engine is not reached, or what it says cannot be relied on any more: start over when it is there again."""


class EngineRefused(FleetError):
    """The engine was reached and says no: wrong credentials, no such bucket, no right. Trying again does not help soon."""


class Conflict(FleetError):
    """Somebody else wrote the key meanwhile: what was written is not there."""


class TooLarge(EngineRefused):
    """The engine takes no value of this size. It is the value's fault, and no other's."""
