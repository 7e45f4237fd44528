"""What can go wrong in a source. The worker turns each of these into a Fault (protocol/update.py)."""


class SourceError(Exception):
    """Root of the errors a source raises. Messages name no path of the user's home and quote no conversation."""


class SourceUnavailable(SourceError):
    """Raised by `discover` when the agent is not installed; `looked` are the paths whose appearance would change that."""

    def __init__(self, looked: tuple[str, ...]) -> None:
        super().__init__("not found")
        self.looked = looked


class ArtifactTooLarge(SourceError):
    """Raised when a document that can only be read whole is larger than a worker may hold."""


class CursorTooLarge(SourceError):
    """Raised when a source's cursor outgrows the limit of the contract."""
