"""What can go wrong in the supervisor. The command line turns each of these into a sentence and an exit code."""


class SupervisorError(Exception):
    """Root of the errors of this package; exit code 1."""

    exit_code = 1


class UsageError(SupervisorError):
    """Raised when what the user asked for cannot be meant: unknown source, missing folder; exit code 2."""

    exit_code = 2


class ConfigError(UsageError):
    """Raised when the configuration file cannot be read or holds something it must not."""


class FolderError(SupervisorError):
    """Raised when a runtime or state folder cannot be used safely."""


class AlreadyRunning(SupervisorError):
    """Raised when another supervisor holds the lock of a folder."""


class CannotStart(SupervisorError):
    """Raised when a worker cannot be started now; it is tried again."""


class StorageError(SupervisorError):
    """Raised when the store cannot read or write. Nothing was changed."""


class StorageLost(StorageError):
    """Raised when the database itself is gone, damaged or not ours any more: only a new one helps."""
