"""Recall: ask the board for what it remembers of the last hour (`history.py`).

Each question has a connection of its own, so these functions may be called from any thread, and from an event loop by
`asyncio.to_thread`. The counterpart that answers is `supervisor/pictures.py`.
"""

import time
from typing import TypeVar

from .addresses import SNAPSHOT, address
from .ask import HistoryAnswer, PulsesAnswer, SnapshotRequest
from .channel import Asking, Poll
from .codec import HISTORY_ANSWER, PULSES_ANSWER, SNAPSHOT_REQUEST, Codec, DecodeFault
from .errors import NoAnswer, NotRunning
from .history import History, Pulse

PATIENCE_SECONDS = 2.0

A = TypeVar("A", HistoryAnswer, PulsesAnswer)


def history(runtime_dir: str, source: str, name: str, patience: float = PATIENCE_SECONDS) -> History:
    """Return what a session did; without marks if it is not on the board. `patience` is in seconds.

    Raises NotRunning if nobody answers, NoAnswer if the answer cannot be read.
    """
    request = SnapshotRequest(request=1, want="history", source=source, id=name)
    with Asking(address(runtime_dir, SNAPSHOT)) as asking:
        return _asked(asking, request, HISTORY_ANSWER, runtime_dir, patience).history


def pulses(runtime_dir: str, sources: tuple[str, ...] | None = None, patience: float = PATIENCE_SECONDS) -> list[Pulse]:
    """Return how busy the sessions of these sources (None: of all) were; those in which nothing happened are left out.

    Raises NotRunning if nobody answers, NoAnswer if the answer cannot be read.
    """
    found: list[Pulse] = []
    after: int | None = 0
    with Asking(address(runtime_dir, SNAPSHOT)) as asking:
        while after is not None:
            request = SnapshotRequest(request=after, want="pulses", sources=sources, after=after)
            answer = _asked(asking, request, PULSES_ANSWER, runtime_dir, patience)
            found += answer.pulses
            after = answer.after
    return found


def _asked(asking: Asking, request: SnapshotRequest, codec: Codec[A], runtime_dir: str, patience: float) -> A:
    """Ask, and wait for the answer to this very question."""
    poll = Poll()
    poll.add(asking)
    deadline = time.monotonic() + patience
    sent = False
    while (left := deadline - time.monotonic()) > 0:
        sent = sent or asking.send([SNAPSHOT_REQUEST.encode(request)])
        poll.wait(left if sent else 0.005)
        frames = asking.receive()
        if frames is None:
            continue
        answer = codec.decode(frames[-1])
        if isinstance(answer, DecodeFault):
            raise NoAnswer(f"the supervisor's answer was not understood ({answer.code}): is it of this release?")
        return answer
    raise NotRunning(f"the supervisor in {runtime_dir} does not answer: is it running? (`bellboard run`)")
