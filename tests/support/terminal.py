"""A genuine terminal for tests: tmux runs a command in one, keys are sent to it, and its screen is read."""

import os
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence

import pytest
from harness import wait_for

TMUX = shutil.which("tmux") or ""

needs_tmux = pytest.mark.skipif(not TMUX, reason="the program tmux is not installed")

SECONDS = 20.0


class Terminal:
    """A terminal of some size in which a command runs; a server of its own, which ends with it."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str], *, size: tuple[int, int] = (120, 34)) -> None:
        self._server = f"bellboard-{secrets.token_hex(4)}"
        line = shlex.join(["env", *(f"{name}={value}" for name, value in env.items()), *words])
        # What the command leaves behind can still be read: the terminal stays when it has ended.
        shown = f"{line}; echo ended with $?; exec cat"
        width, height = (str(number) for number in size)
        self._tmux("-f", os.devnull, "new-session", "-d", "-x", width, "-y", height, shown)

    def keys(self, *names: str) -> None:
        """Press keys, by tmux's names for them."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def screen(self) -> str:
        """Return what can be seen."""
        return self._tmux("capture-pane", "-p")

    def coloured(self) -> str:
        """Return what can be seen, with the codes of its colours."""
        return self._tmux("capture-pane", "-p", "-e")

    def shows(self, *texts: str, seconds: float = SECONDS) -> str:
        """Wait until all these texts can be seen; returns the screen. Fails with the screen if they do not come."""
        return self._wait(lambda screen: all(text in screen for text in texts), f"{texts} on the screen", seconds)

    def hides(self, text: str, seconds: float = SECONDS) -> str:
        """Wait until a text can no longer be seen."""
        return self._wait(lambda screen: text not in screen, f"{text!r} off the screen", seconds)

    def shell(self) -> int:
        """Return the process id of the shell in the terminal."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def close(self) -> None:
        """End the terminal and whatever runs in it."""
        subprocess.run([TMUX, "-L", self._server, "kill-server"], capture_output=True, check=False, timeout=10)

    def _wait(self, condition: Callable[[str], bool], what: str, seconds: float) -> str:
        seen: list[str] = []

        def met() -> str | None:
            seen[:] = [self.screen()]
            return seen[0] if condition(seen[0]) else None

        try:
            return wait_for(met, seconds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen:\n{seen[0]}") from None

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            [TMUX, "-L", self._server, *words], capture_output=True, text=True, check=False, timeout=10
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
