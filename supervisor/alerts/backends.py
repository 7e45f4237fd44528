"""Backends: ways to tell a person. Each takes a notice; what fails is a `BackendFailed`, which the notifier survives.

Programs are started from lists of words, never through a shell, and ended with all they started when they take too long.
"""

import contextlib
import html
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import IO, Protocol

from ..errors import SupervisorError
from .escape import Dialect, sequence
from .wording import Notice, line

_BUS = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications", "CloseNotification")

CLOSERS: dict[str, tuple[str, ...]] = {
    "gdbus": ("call", "--session", "--dest", _BUS[0], "--object-path", _BUS[1], "--method", f"{_BUS[0]}.{_BUS[2]}"),
    "busctl": ("--user", "call", *_BUS[:2], _BUS[0], _BUS[2], "u"),
    "dbus-send": ("--session", "--type=method_call", f"--dest={_BUS[0]}", _BUS[1], f"{_BUS[0]}.{_BUS[2]}"),
}
"""Programs that can close a notification, each with its words before the number: notify-send itself cannot."""

MOST_SHOWN = 1000


class BackendFailed(SupervisorError):
    """Raised when a person could not be told; what is due next is tried all the same."""


class Backend(Protocol):
    """A way to tell a person."""

    def tell(self, told: Notice) -> None:
        """Ring, or take back what was rung. Raises BackendFailed."""
        ...


class Printed:
    """Writes a line: what `--dry-run` does."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def tell(self, told: Notice) -> None:
        """Write one line."""
        self._out.write(f"{told.at:%H:%M:%S} {line(told)}\n")
        self._out.flush()


class Terminal:
    """Writes escape sequences to the terminal."""

    def __init__(self, out: IO[str], dialect: Dialect, *, tmux: bool) -> None:
        self._out = out
        self._dialect: Dialect = dialect
        self._tmux = tmux

    def tell(self, told: Notice) -> None:
        """Ring the bell, show a notification, or close one where the terminal can."""
        try:
            self._out.write(sequence(told, self._dialect, tmux=self._tmux))
            self._out.flush()
        except OSError as error:
            raise BackendFailed(f"the terminal cannot be written to: {error.strerror}") from error


class Program:
    """Starts a program for each notice, which reads it as one line of JSON."""

    def __init__(self, words: Sequence[str], limit: float) -> None:
        self._words = list(words)
        self._limit = limit

    def tell(self, told: Notice) -> None:
        """Hand the notice to the program."""
        run(self._words, self._limit, told.json(), read=False)


class OsaScript:
    """The notifications of macOS. They cannot be taken back."""

    def __init__(self, limit: float) -> None:
        self._limit = limit

    def tell(self, told: Notice) -> None:
        """Show a notification; the texts are arguments of the script, never part of it."""
        if told.action == "ring":
            script = ("on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run")
            words = [word for each in script for word in ("-e", each)]
            run(["osascript", *words, told.headline, told.text], self._limit)


class NotifySend:
    """The notifications of freedesktop.org desktops, by notify-send; replaced under the same key, closed when over.

    `closer` is the program of `CLOSERS` that is there. Without one, a notification that is over is replaced by a short one.
    """

    def __init__(self, limit: float, closer: str | None) -> None:
        self._limit = limit
        self._closer = closer
        self._numbers: dict[str, str] = {}
        self._numbered: bool | None = None

    def tell(self, told: Notice) -> None:
        """Show, replace or close a notification."""
        if told.action == "ring":
            self._show(told)
        elif (number := self._numbers.pop(told.key, None)) is not None:
            self._close(number)

    def _show(self, told: Notice) -> None:
        words = [f"--urgency={told.urgency}", "--app-name=bellboard"]
        if self._numbered is None:  # before libnotify 0.7.10 it had no numbers
            self._numbered = "--print-id" in run(["notify-send", "--help"], self._limit)
        if self._numbered:
            words.append("--print-id")
        if (number := self._numbers.get(told.key)) is not None:
            words.append(f"--replace-id={number}")
        # Desktops read the text as markup, and notify-send turns its backslashes into other characters.
        text = html.escape(told.text, quote=False).replace("\\", "\\\\")
        answer = run(["notify-send", *words, "--", told.headline, text], self._limit).strip()
        if answer.isdecimal():
            self._numbers[told.key] = answer
            if len(self._numbers) > MOST_SHOWN:
                del self._numbers[next(iter(self._numbers))]

    def _close(self, number: str) -> None:
        if self._closer is not None:
            last = f"uint32:{number}" if self._closer == "dbus-send" else number
            run([self._closer, *CLOSERS[self._closer], last], self._limit)
        else:
            words = ["--urgency=low", "--expire-time=1", f"--replace-id={number}", "--app-name=bellboard"]
            run(["notify-send", *words, "--", "bellboard", "over"], self._limit)


def run(words: Sequence[str], limit: float, data: bytes = b"", *, read: bool = True) -> str:
    """Run a program to its end; returns what it printed (`read`: whether that matters).

    Raises BackendFailed, also when it takes longer than `limit`: then it is ended with all that it started.
    """
    name = os.path.basename(words[0])
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if read else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if read else None,
            start_new_session=True,
        )
    except OSError as error:
        raise BackendFailed(f"{name} cannot be started: {error.strerror}") from error
    try:
        printed, _ = process.communicate(data, timeout=limit)
    except subprocess.TimeoutExpired:
        raise BackendFailed(f"{name} took longer than {limit:g} s and was ended") from None
    finally:
        _end(process)
    if process.returncode:
        raise BackendFailed(f"{name} ended with code {process.returncode}")
    return (printed or b"").decode("utf-8", "replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End what still runs. Its pipes are closed and not read to their end: whoever left the group may hold them for ever."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # what was not read is not wanted
                pipe.close()
