"""Recorder: one page of memory in which a worker notes what it is about to do, readable after any kind of death.

The supervisor makes the page and keeps it; the worker writes into it without a system call. Writing is two steps, the note
into the slot that is not in use and then the number that says which slot counts, so that a death between them leaves the
last whole note. The writing end is used by `workers/round.py`, the reading end by `supervisor/crew/process.py`.
"""

from typing import Literal

import msgspec
from msgspec import Struct

PAGE_BYTES = 4096
_HEAD = 8
_SLOT = (PAGE_BYTES - _HEAD) // 2
_LENGTH = 2


class Note(Struct, frozen=True, array_like=True):
    """What a worker is about to do. For `parse`: which handle, from which cursor (its digest), and the handle's shape."""

    phase: Literal["load", "discover", "parse"]
    handle: str = ""
    cursor: str = ""
    shape: str = ""


class Recorder:
    """Writes and reads notes in a page of `PAGE_BYTES`. A page of zeros says that nothing is being done."""

    def __init__(self, page: memoryview) -> None:
        self._page = page
        self._number = page[:_HEAD].cast("Q")
        self._count = 0

    def note(self, note: Note) -> None:
        """Note what is about to be done. What is too long for the page loses its details."""
        data = _ENCODER.encode(note)
        if len(data) > _SLOT - _LENGTH:
            data = _ENCODER.encode(Note(note.phase))
        self._count += 1
        start = _HEAD + _SLOT * (self._count % 2)
        self._page[start : start + _LENGTH] = len(data).to_bytes(_LENGTH, "little")
        self._page[start + _LENGTH : start + _LENGTH + len(data)] = data
        self._number[0] = self._count

    def rest(self) -> None:
        """Note that it is done."""
        self._number[0] = 0

    def close(self) -> None:
        """Let go of the page, so that it can be unmapped."""
        self._number.release()
        self._page.release()

    def read(self) -> Note | None:
        """Return what was being done, None if nothing was or it cannot be read."""
        number = self._number[0]
        if number == 0:
            return None
        start = _HEAD + _SLOT * (number % 2)
        length = int.from_bytes(self._page[start : start + _LENGTH], "little")
        try:
            return _DECODER.decode(self._page[start + _LENGTH : start + _LENGTH + min(length, _SLOT - _LENGTH)])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None  # a worker may have written anything into its page


def unread() -> Recorder:
    """Return a recorder whose page nobody reads, for work that is not watched."""
    return Recorder(memoryview(bytearray(PAGE_BYTES)))


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Note)
