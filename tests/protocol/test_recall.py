import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from bellboard.protocol import NoAnswer, NotRunning, recall
from bellboard.protocol.addresses import SNAPSHOT, address
from bellboard.protocol.ask import HistoryAnswer, PulsesAnswer, SnapshotRequest
from bellboard.protocol.channel import Answering, Poll
from bellboard.protocol.codec import HISTORY_ANSWER, PULSES_ANSWER, SNAPSHOT_REQUEST, DecodeFault
from bellboard.protocol.history import History, Mark, Pulse

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Board:
    """Answers on the snapshot socket what it is told to answer, on a thread of its own."""

    def __init__(self, folder: str) -> None:
        self.heard: list[SnapshotRequest] = []
        self.answer: Callable[[SnapshotRequest], bytes] = lambda _: b""
        self._ending = threading.Event()
        self._channel = Answering(address(folder, SNAPSHOT))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        poll = Poll()
        poll.add(self._channel)
        while not self._ending.is_set():
            poll.wait(0.02)
            while (received := self._channel.receive()) is not None:
                request = SNAPSHOT_REQUEST.decode(received[1][-1])
                assert not isinstance(request, DecodeFault)
                self.heard.append(request)
                self._channel.send(received[0], [self.answer(request)])
        self._channel.close()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()


@pytest.fixture
def board(folder: str) -> Iterator[Board]:
    made = Board(folder)
    yield made
    made.close()


def test_a_sessions_history_is_asked_for_by_its_source_and_id(folder: str, board: Board) -> None:
    history = History(source="pi", id="a", marks=(Mark(at=AT, activity="working", tool="bash", calls=2),))
    board.answer = lambda request: HISTORY_ANSWER.encode(HistoryAnswer(request=request.request, history=history))
    assert recall.history(folder, "pi", "a") == history
    assert board.heard == [SnapshotRequest(request=1, want="history", source="pi", id="a")]


def test_pulses_are_asked_for_until_there_are_no_more(folder: str, board: Board) -> None:
    pulses = [Pulse(source="pi", id=name, counts=(0, 1)) for name in "abc"]

    def answer(request: SnapshotRequest) -> bytes:
        after = request.after + 2 if request.after < 2 else None
        page = tuple(pulses[request.after : request.after + 2])
        return PULSES_ANSWER.encode(PulsesAnswer(request=request.request, pulses=page, after=after))

    board.answer = answer
    assert recall.pulses(folder, ("pi",)) == pulses
    assert [(request.after, request.sources) for request in board.heard] == [(0, ("pi",)), (2, ("pi",))]


def test_an_answer_that_is_none_is_an_error_that_says_so(folder: str, board: Board) -> None:
    board.answer = lambda _: b"{}"
    with pytest.raises(NoAnswer, match=r"was not understood \(malformed\): is it of this release\?"):
        recall.history(folder, "pi", "a")


def test_nobody_there_is_an_error_that_says_what_to_do(folder: str) -> None:
    with pytest.raises(NotRunning, match="does not answer: is it running"):
        recall.pulses(folder, patience=0.05)
