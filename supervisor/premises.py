"""Premises: the folders that one running supervisor holds, with their locks, and the sockets that it leaves in none of them.

The shell around `folders.py`. A folder that is deleted under us is made again, and its lock taken again.
"""

import contextlib
import os

from .folders import holds, lock, private_folder


class Premises:
    """The runtime folder, and the state folder if anything lasts."""

    def __init__(self, runtime: str, state: str | None) -> None:
        self.runtime = runtime
        self.state = state
        self._locks: list[int] = []

    def claim(self) -> None:
        """Take both. Raises SupervisorError."""
        self._claim(self.runtime, "runtime")
        self.claim_state()

    def claim_state(self) -> None:
        """Take the state folder. Raises SupervisorError."""
        if self.state is not None:
            self._claim(self.state, "state")

    def clear(self, sockets: tuple[str, ...]) -> None:
        """Leave no socket that nobody answers. Safe, because the lock is still ours."""
        for name in sockets:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.runtime, name))

    def close(self) -> None:
        """Let go of the locks."""
        for fd in self._locks:
            os.close(fd)
        self._locks.clear()

    def _claim(self, folder: str, purpose: str) -> None:
        private_folder(folder, purpose)
        if not any(holds(folder, held) for held in self._locks):
            self._locks.append(lock(folder))
