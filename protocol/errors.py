"""What can go wrong between processes. Errors of zmq itself are translated into these once, in `channel.py`."""


class ProtocolError(Exception):
    """Root of the errors of this package."""


class NotRunning(ProtocolError):
    """Raised when no supervisor answers in the runtime folder."""


class AddressError(ProtocolError):
    """Raised when a socket cannot be made where the settings want it; the message says what to change."""


class NoAnswer(ProtocolError):
    """Raised when a supervisor is there but did not answer in time."""
