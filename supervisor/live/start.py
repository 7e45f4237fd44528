"""Start: `bellboard` alone. Attach to a running board or start a private one, say which agents are here, show the board.

Textual draws it where it is installed (extra `tui`), else plain text. Where stdout is no terminal there is one table.
"""

import importlib.util
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...protocol.addresses import CONTROL
from ...protocol.errors import NotRunning
from ..views.board.found import found, missing, nobody
from ..views.board.ink import Line, length
from ..views.board.picture import Picture
from .beside import NOTHING, Beside
from .ground import dark
from .lodger import Lodger
from .palette import BASIC, COLOURLESS
from .wire import Wire

EXIT_OK, EXIT_ERROR = 0, 1

LOOK_SECONDS = 0.5
"""After so long what was found is said, though a source may still be reading."""

MOST_SECONDS = 5.0
STEP_SECONDS = 0.02
JOIN_SECONDS = 3.0


def wanted() -> bool:
    """Whether there is a terminal for a live board."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}


def show(runtime_dir: str, words: Sequence[str]) -> int:
    """Show the live board until the person leaves; `words` are the options of a private one. Returns the exit code."""
    began = time.monotonic()
    _prepare()
    wire = _wire(runtime_dir, words)
    wire.start()
    try:
        picture = _first(wire, began)
        if picture.health and not picture.sessions and all(missing(state) for state in picture.health):
            _say(nobody(picture.health))
            return EXIT_ERROR
        said = _say(found(picture.health, picture.sessions))
        _draw(wire, NOTHING)
        picture = wire.picture()
        _say_anew(found(picture.health, picture.sessions), said)
    finally:
        wire.close()
    return EXIT_OK


def show_fleet(runtime_dir: str, trouble: Callable[[], str | None]) -> int:
    """Show the board of a fleet until the person leaves; `trouble` says why it is not heard. Raises NotRunning."""
    _prepare()
    wire = Wire(runtime_dir, fleet=trouble)
    wire.start()
    try:
        _await(wire)
        _draw(wire, NOTHING)
    finally:
        wire.close()
    return EXIT_OK


def follow(runtime_dir: str, beside: Beside) -> None:
    """Show the board that is kept in a folder until the person leaves or `beside` is over. Raises NotRunning."""
    _prepare()
    wire = Wire(runtime_dir)
    wire.start()
    try:
        _await(wire)
        _draw(wire, beside)
    finally:
        wire.close()


def _prepare() -> None:
    """Begin to load what draws: it is heavy, and there is time, because the board is only just starting."""
    if _with_textual():
        threading.Thread(target=importlib.import_module, args=(f"{__package__}.app",), daemon=True).start()


def _wire(runtime_dir: str, words: Sequence[str]) -> Wire:
    """Return a wire to the running board, else to a private one. Raises SupervisorError if that cannot start."""
    if _answers(os.path.join(runtime_dir, CONTROL)):
        return Wire(runtime_dir)
    lodger = Lodger(words)
    try:
        return Wire(lodger.start(), lodger)
    except BaseException:
        lodger.close()
        raise


def _answers(path: str) -> bool:
    """Whether somebody listens on a socket: one that was killed leaves its file behind, which refuses at once."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(path)
        except OSError:
            return False
    return True


def _first(wire: Wire, began: float) -> Picture:
    """Wait until it is known of each source whether its agent is here, and of those that are which sessions they have.

    Not for longer than a second after the start: reading may take long, and goes on behind the board; only while nothing at
    all is known, a little longer. Raises NotRunning.
    """
    _await(wire)
    while (elapsed := time.monotonic() - began) < MOST_SECONDS:
        picture = wire.picture()
        if elapsed > LOOK_SECONDS and (picture.sessions or any(state.settled for state in picture.health)):
            break
        known = all(missing(state) or state.settled or state.status != "healthy" for state in picture.health)
        if picture.health and known:
            break
        time.sleep(STEP_SECONDS)
    return wire.picture()


def _await(wire: Wire) -> None:
    if not wire.joined.wait(JOIN_SECONDS):
        raise NotRunning(wire.complaint or "the supervisor does not answer")


class _Said(NamedTuple):
    """What stands above the cursor, and how wide the terminal was."""

    lines: list[Line]
    width: int


def _say(lines: list[Line]) -> _Said:
    inks = COLOURLESS if "NO_COLOR" in os.environ else BASIC
    for line in lines:
        sys.stdout.write("".join(f"\x1b[{inks[span.role]}m{span.text}\x1b[0m" for span in line) + "\n")
    sys.stdout.flush()
    return _Said(lines, os.get_terminal_size().columns)


def _say_anew(lines: list[Line], said: _Said) -> None:
    """Say at the end what is known by then: in the place of what was said at first, if that is still where it was."""
    if os.get_terminal_size().columns == said.width:
        rows = sum(max(1, -(-length(line) // said.width)) for line in said.lines)
        sys.stdout.write(f"\x1b[{rows}A\x1b[J")
    _say(lines)


def _with_textual() -> bool:
    return importlib.util.find_spec("textual") is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _draw(wire: Wire, beside: Beside) -> None:
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)  # they say what the size was, and a board follows what it is
    if _with_textual():
        from .app import show as show_app  # noqa: PLC0415 - an extra, and heavy

        show_app(wire, dark=dark(os.environ), beside=beside)
    else:
        from .plain import show as show_plain  # noqa: PLC0415 - see above

        try:
            show_plain(wire, beside)
        except KeyboardInterrupt:
            return
