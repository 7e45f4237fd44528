"""Escape: what makes a terminal ring or show a notification. Pure: a notice and the environment in, characters out.

OSC 99 (kitty; also foot) has an identifier, so a notification can be replaced and closed; OSC 777 (urxvt, foot, Ghostty,
WezTerm, Konsole) and OSC 9 (iTerm2, Windows Terminal, WezTerm, Ghostty) can only show one. The bell comes with each of them
but OSC 99: where a sequence is not known it is the word that is.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Literal, TypeAlias

from ..views.text import plain
from .wording import Notice

Dialect: TypeAlias = Literal["bell", "osc9", "osc777", "osc99"]

BELL = "\a"
END = "\x1b\\"

_BY_PROGRAM: dict[str, Dialect] = {
    "ghostty": "osc777",
    "iTerm.app": "osc9",
    "kitty": "osc99",
    "WezTerm": "osc777",
}


def dialect(environ: Mapping[str, str]) -> Dialect:
    """Return what the terminal understands, by what it calls itself; a bell where that says nothing.

    Within tmux and screen the terminal outside is not known, and they pass notifications on only if told to.
    """
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if "TMUX" in environ or term.startswith(("tmux", "screen")):
        return "bell"
    if "KITTY_WINDOW_ID" in environ or "kitty" in term:
        return "osc99"
    if program in _BY_PROGRAM:
        return _BY_PROGRAM[program]
    if term.startswith(("foot", "rxvt-unicode", "xterm-ghostty")) or "KONSOLE_VERSION" in environ:
        return "osc777"
    return "osc9" if "WT_SESSION" in environ else "bell"


def sequence(told: Notice, dialect: Dialect, *, tmux: bool) -> str:
    """Return what to write to the terminal; the empty text if there is nothing to say in this dialect."""
    if dialect == "osc99":
        return _wrapped(_osc99(told), tmux=tmux)
    if told.action == "retract":
        return ""
    head, text = plain(told.headline), plain("; ".join(told.text.splitlines()))
    if dialect == "osc777":
        return _wrapped(f"\x1b]777;notify;{head.replace(';', ',')};{text}{END}", tmux=tmux) + BELL
    if dialect == "osc9":
        if head[:1].isdigit():  # a number in front has another meaning there (progress, a message box)
            head = f"bellboard: {head}"
        return _wrapped(f"\x1b]9;{head}: {text}{END}", tmux=tmux) + BELL
    return BELL


def _osc99(told: Notice) -> str:
    # An identifier may hold letters and digits alone, whatever a session calls itself.
    name = "bellboard-" + hashlib.sha256(told.key.encode()).hexdigest()[:16]
    if told.action == "retract":
        return f"\x1b]99;i={name}:p=close;{END}"
    urgency = 0 if told.urgency == "low" else 1
    head, text = _base64(plain(told.headline)), _base64("\n".join(plain(each) for each in told.text.splitlines()))
    return (
        f"\x1b]99;i={name}:d=0:e=1:u={urgency};{head}{END}"  # d=0: more of it comes
        f"\x1b]99;i={name}:d=1:e=1:p=body;{text}{END}"
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _wrapped(words: str, *, tmux: bool) -> str:
    """Let tmux pass it on to the terminal outside (its option `allow-passthrough`)."""
    return f"\x1bPtmux;{words.replace(chr(27), chr(27) * 2)}{END}" if tmux else words
