"""Faults: what a worker says of an error. No text of a conversation and no path of the user's home is in it.

Pure; the counterpart is `Fault` (protocol/update.py), which the board counts.
"""

import traceback
from pathlib import PurePath

from ..protocol.update import Fault
from ..sources.errors import SourceError

MOST_DETAIL = 300
"""Characters of an error, or of a name, that are passed on."""


def of_discover(error: Exception) -> Fault:
    """Return the fault of a source that could not say which sessions to look at."""
    return Fault(scope="discover", code=type(error).__name__, detail=describe(error))


def of_handle(handle: str, code: str, detail: str) -> Fault:
    """Return the fault of one session."""
    return Fault(scope="handle", handle=sayable(handle)[:MOST_DETAIL], code=code, detail=detail)


def describe(error: BaseException) -> str:
    """Say what went wrong without quoting a conversation or a path of the user's home.

    Only texts of our own errors, the system's words and names of modules are passed on: the message of any other exception
    may hold a line of a transcript, so its kind and place have to do.
    """
    if isinstance(error, SourceError):
        return sayable(str(error))[:MOST_DETAIL]
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.replace(".", "").isidentifier():
        return f"{type(error).__name__}: there is no module {error.name} where Python looks"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def sayable(text: str) -> str:
    """Return a text without the halves of characters that names of files may hold: those have no bytes on the wire."""
    return text.encode("utf-8", "replace").decode()
