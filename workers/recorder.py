"""Recorder: the worker's end of the page in which it notes what it is about to do (`protocol/recorder.py`)."""

import mmap

from ..protocol.recorder import PAGE_BYTES, Recorder


def shared(fd: int) -> Recorder:
    """Write into the page that the supervisor made and keeps. Raises OSError."""
    return Recorder(memoryview(mmap.mmap(fd, PAGE_BYTES)))
